"""Requests of Converse as bodies of chat completions: tables, and whatever a history may hold."""

from __future__ import annotations

import doctest
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aybiza.claude.chat import request as module
from aybiza.claude.chat.models import chat_profile
from aybiza.claude.chat.request import chat_body
from aybiza.claude.converse import converse_request
from aybiza.claude.messages import normalise_messages
from aybiza.config.prices import shipped
from aybiza.emulators.chat.checks import problem
from aybiza.emulators.chat.conversation import converse_body
from tests.cases import each
from tests.claude.histories import MESSAGES, assistant, text, tool_use, user

PROFILE = chat_profile("openai:gpt-4o-mini", shipped())
TOOL = {"toolSpec": {"name": "book", "inputSchema": {"json": {"type": "object"}}}}
RESULT = {"toolUseId": "t1", "content": [{"json": {"ok": True}}], "status": "success"}
FAILED = {"toolUseId": "t1", "content": [{"text": "no"}], "status": "error"}
CALL = {
    "id": "t1",
    "type": "function",
    "function": {"name": "book", "arguments": '{"day": "Monday"}'},
}


def body(**members: Any) -> dict[str, Any]:
    return chat_body({"modelId": "openai:m", "messages": [user(text("Hi."))], **members})


@each(
    (
        ([user(text("a"), text("b"))], [{"role": "user", "content": "a\n\nb"}]),
        ([assistant(text("a"))], [{"role": "assistant", "content": "a"}]),
        (
            [assistant(text("Wait."), tool_use("t1"))],
            [{"role": "assistant", "content": "Wait.", "tool_calls": [CALL]}],
        ),
        (
            [assistant(tool_use("t1"))],
            [{"role": "assistant", "content": None, "tool_calls": [CALL]}],
        ),
        (
            [user({"toolResult": RESULT}, text("And?"))],
            [
                {"role": "tool", "tool_call_id": "t1", "content": '{"ok": true}'},
                {"role": "user", "content": "And?"},
            ],
        ),
        (
            [user({"toolResult": FAILED})],
            [{"role": "tool", "tool_call_id": "t1", "content": "Error: no"}],
        ),
        ([assistant({"reasoningContent": {"redactedContent": b"x"}})], []),
        ([user({"cachePoint": {"type": "default"}})], []),
    )
)
def test_messages_keep_what_was_said_used_and_found(messages: Any, expected: Any) -> None:
    assert body(messages=messages)["messages"] == expected


def test_the_system_stands_first_and_the_stream_tells_what_it_cost() -> None:
    made = body(system=[text("Be brief."), {"cachePoint": {}}, text("Today is Monday.")])
    assert made["messages"][0] == {"role": "system", "content": "Be brief.\n\nToday is Monday."}
    assert made["stream"] is True and made["stream_options"] == {"include_usage": True}


def test_limits_and_sampling_go_by_their_own_names() -> None:
    inference = {"maxTokens": 9, "temperature": 0.2, "topP": 0.9, "stopSequences": [*"abcde"]}
    made = body(inferenceConfig=inference, additionalModelRequestFields={"top_k": 3})
    assert made["max_completion_tokens"] == 9 and made["stop"] == [*"abcd"]
    assert (made["temperature"], made["top_p"], "top_k" in made) == (0.2, 0.9, False)
    older = chat_body(
        {"modelId": "openai:m", "messages": [], "inferenceConfig": inference}, limit="max_tokens"
    )
    assert older["max_tokens"] == 9 and "max_completion_tokens" not in older


@each(
    (
        ({"auto": {}}, "auto"),
        ({"any": {}}, "required"),
        ({"tool": {"name": "book"}}, {"type": "function", "function": {"name": "book"}}),
        (None, None),
    )
)
def test_tools_are_functions_whose_schemas_have_members(choice: Any, expected: Any) -> None:
    config = {"tools": [TOOL, {"cachePoint": {"type": "default"}}]}
    made = body(toolConfig=config if choice is None else {**config, "toolChoice": choice})
    (function,) = made["tools"]
    assert function["function"]["parameters"] == {"type": "object", "properties": {}}
    assert made.get("tool_choice") == expected


@settings(max_examples=150)
@given(MESSAGES, st.lists(st.text(max_size=5), max_size=3))
def test_whatever_a_history_holds_its_body_is_taken(messages: Any, system: list[str]) -> None:
    request = converse_request(
        PROFILE, messages, system=system, tools=[TOOL], temperature=0.3, cache="5m", call_id="CA1"
    )
    made = chat_body(request)
    assert problem(json.loads(json.dumps(made))) is None
    # The other way it is a history that Converse takes, with the same uses and results.
    back = converse_body(made)["messages"]
    assert [*normalise_messages(back)] == back
    assert uses(back) == uses(request["messages"])


def uses(messages: Any) -> list[str]:
    blocks = [block for message in messages for block in message["content"]]
    return [block["toolUse"]["toolUseId"] for block in blocks if "toolUse" in block]


def test_the_examples_hold() -> None:
    assert doctest.testmod(module).failed == 0
