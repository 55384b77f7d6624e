"""Bedrock, asked from virtual time, in the place of an agent's stand-in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from aybiza.emulators.bedrock.continuation import answered
from aybiza.emulators.bedrock.reply import Reply, Text, ToolUse
from aybiza.faults.persona_mind import Budget, Refused
from aybiza.faults.real_bedrock import Told, answering
from tests.gateway.kit import POLICY

PROFILE = POLICY.models[0]
BODY: dict[str, Any] = {
    "system": [{"text": "You keep the desk."}, {"cachePoint": {"type": "default"}}],
    "messages": [{"role": "user", "content": [{"text": "A table, please."}]}],
    "inferenceConfig": {"maxTokens": 200, "temperature": 0.3},
    "toolConfig": {
        "tools": [
            {
                "toolSpec": {
                    "name": "book",
                    "description": "Books.",
                    "inputSchema": {"json": {"type": "object"}},
                }
            },
            {"cachePoint": {"type": "default"}},
        ]
    },
}
USE = {"toolUse": {"name": "book", "input": {"for": 2}, "toolUseId": "t1"}}


async def test_what_an_agent_asks_is_asked_of_bedrock_and_its_answer_is_the_agents() -> None:
    asked: list[Mapping[str, Any]] = []

    def converse(request: Mapping[str, Any]) -> Told:
        asked.append(request)
        return Told([{"text": "One moment."}, USE], "tool_use", 7)

    reply = await answered(answering(converse, PROFILE), BODY)
    blocks = (Text("One moment."), ToolUse("book", {"for": 2}, "t1"))
    assert reply == Reply(blocks, "tool_use")
    (request,) = asked
    assert request["modelId"] == PROFILE.id
    assert request["messages"] == BODY["messages"]
    assert request["system"] == [{"text": "You keep the desk."}]
    assert [tool["toolSpec"]["name"] for tool in request["toolConfig"]["tools"]] == ["book"]
    assert request["inferenceConfig"]["maxTokens"] == 200


async def test_it_is_asked_no_further_than_the_budget_goes() -> None:
    budget = Budget(0.01)
    responder = answering(
        budget.guarded(lambda _: Told([{"text": "Yes."}], "end_turn", 10_000)), PROFILE
    )
    await answered(responder, BODY)
    with pytest.raises(Refused, match="most_usd"):
        await answered(responder, BODY)
    assert (budget.requests, budget.usd) == (1, 0.01)
