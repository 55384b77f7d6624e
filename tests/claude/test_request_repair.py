"""The repaired request: the conversation, and nothing that could be refused."""

from __future__ import annotations

import copy
from typing import Any

from aybiza.claude.request_repair import SMALLEST_OUTPUT_LIMIT, repaired

TOOL = {"toolSpec": {"name": "look", "inputSchema": {"json": {"type": "object"}}}}
REQUEST: dict[str, Any] = {
    "modelId": "m",
    "messages": [
        {"role": "user", "content": [{"text": "Hello"}, {"cachePoint": {"type": "default"}}]},
        {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "Hm", "signature": "s"}}},
                {"toolUse": {"toolUseId": "1", "name": "look", "input": {}}},
            ],
        },
        {"role": "user", "content": [{"toolResult": {"toolUseId": "1", "content": []}}]},
    ],
    "system": [{"text": "You answer."}, {"cachePoint": {"type": "default"}}],
    "inferenceConfig": {"maxTokens": 9_000, "temperature": 0.3, "stopSequences": ["x"]},
    "toolConfig": {
        "tools": [TOOL, {"cachePoint": {"type": "default"}}],
        "toolChoice": {"any": {}},
    },
    "additionalModelRequestFields": {"thinking": {"type": "adaptive"}},
    "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"},
    "outputConfig": {"effort": "low"},
    "performanceConfig": {"latency": "optimized"},
    "serviceTier": {"type": "priority"},
    "requestMetadata": {"call": "CA1"},
}


def test_the_conversation_and_its_tools_stay_and_all_else_goes() -> None:
    before = copy.deepcopy(REQUEST)
    assert repaired(REQUEST) == {
        "modelId": "m",
        "messages": [
            {"role": "user", "content": [{"text": "Hello"}]},
            {"role": "assistant", "content": [REQUEST["messages"][1]["content"][1]]},
            REQUEST["messages"][2],
        ],
        "system": [{"text": "You answer."}],
        "inferenceConfig": {"maxTokens": SMALLEST_OUTPUT_LIMIT},
        "toolConfig": {"tools": [TOOL]},
        "requestMetadata": {"call": "CA1"},
    }
    assert before == REQUEST


def test_what_is_repaired_cannot_be_repaired_again() -> None:
    once = repaired(REQUEST)
    assert repaired(once) == once


def test_a_plain_request_is_left_alone() -> None:
    plain = {
        "modelId": "m",
        "messages": [{"role": "user", "content": [{"text": "Hello"}]}],
        "inferenceConfig": {"maxTokens": 300},
    }
    assert repaired(plain) == plain
