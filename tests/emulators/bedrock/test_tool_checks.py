"""What is refused about tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aybiza.emulators.bedrock import validation
from tests.emulators.bedrock.test_validation import (
    HAIKU,
    RESULT,
    USE,
    asking,
    assistant,
    text,
    use,
    user,
    with_tools,
)

CASES = Path(__file__).parents[1] / "cases"
HISTORIES = json.loads((CASES / "history.json").read_text(encoding="utf-8"))["histories"]


def refused(body: dict[str, Any]) -> str:
    refusal = validation.refusal(HAIKU, body)
    assert refusal is not None
    assert (refusal.status, refusal.code) == (400, "ValidationException")
    return refusal.message


def spec(**members: Any) -> dict[str, Any]:
    schema = members.pop("schema", {"type": "object"})
    return {"toolSpec": {"name": "look", "inputSchema": {"json": schema}, **members}}


def with_spec(**members: Any) -> dict[str, Any]:
    return asking(toolConfig={"tools": [spec(**members)]})


PROPERTY_KEYS = (
    "tools.0.custom.input_schema.properties: "
    "Property keys should match pattern '^[a-zA-Z0-9_.-]{1,64}$'"
)


@pytest.mark.parametrize("name", ["StartTime<", "ids[]", "", "a b", "x" * 65, "größe"])
def test_a_name_of_an_input_that_the_model_does_not_take_refuses_the_whole_request(
    name: str,
) -> None:
    schema = {"type": "object", "properties": {name: {"type": "string"}}}
    assert refused(with_spec(schema=schema)).endswith(PROPERTY_KEYS)


@pytest.mark.parametrize(
    "properties",
    [
        {"start.time": {}, "a-b_c": {}, "x" * 64: {}},
        # The service looks at the top level only.
        {"nested": {"type": "object", "properties": {"Account Number": {"type": "string"}}}},
    ],
)
def test_other_names_of_inputs_are_taken(properties: dict[str, Any]) -> None:
    schema = {"type": "object", "properties": properties}
    assert validation.refusal(HAIKU, with_spec(schema=schema)) is None


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"name": "a.b"}, "[a-zA-Z0-9_-]+"),
        ({"name": "x" * 65}, "between 1 and 64"),
        ({"description": "  "}, "greater than or equal to 1"),
        ({"schema": {"type": "string"}}, "must be one of the following: object"),
        ({"schema": {"type": "object", "oneOf": []}}, "does not support oneOf, allOf, or anyOf"),
        ({"schema": {"type": "object", "properties": {"a": {"type": "text"}}}}, "draft 2020-12"),
        ({"schema": {"type": "object", "required": "a"}}, "JSON schema is invalid"),
    ],
)
def test_a_tool_that_the_model_does_not_take_is_refused(
    members: dict[str, Any], message: str
) -> None:
    assert message in refused(with_spec(**members))


def test_two_tools_of_one_name_are_refused() -> None:
    body = asking(toolConfig={"tools": [spec(), spec(description="Another.")]})
    assert refused(body).endswith("tools: Tool names must be unique.")


def result(*content: Any, **members: Any) -> dict[str, Any]:
    return {"toolResult": {"toolUseId": "u1", "content": list(content), **members}}


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"text": " "}, "messages.2.content.0.toolResult.content.0 is blank"),
        ({"json": [1]}, "toolResult.content.0.json is invalid"),
        ({"json": {"a": {"__type": "b"}}}, "toolResult.content.0.json is invalid"),
        ({"json": {"a": [{"__type": "b"}]}}, "toolResult.content.0.json is invalid"),
        ({"cachePoint": {"type": "default"}}, "exactly one known"),
        ({"text": "a", "json": {}}, "exactly one known"),
        ("words", "exactly one known"),
    ],
)
def test_a_result_that_the_service_does_not_take_is_refused(block: Any, message: str) -> None:
    body = with_tools(user(), assistant(USE), user(result(block)))
    assert message in refused(body)


def test_an_empty_result_and_a_type_on_the_top_are_taken() -> None:
    for content in ([], [{"json": {"__type": "b"}}], [{"text": "None."}]):
        body = with_tools(user(), assistant(USE), user(result(*content)))
        assert validation.refusal(HAIKU, body) is None


def test_a_use_whose_input_is_no_object_is_refused() -> None:
    body = with_tools(user(), assistant(use(input="")), user(RESULT))
    assert "toolUse.input is invalid" in refused(body)


PARTS: dict[str, Any] = {
    "user": lambda words: user(text(words)),
    "assistant": lambda words: assistant(text(words)),
    "use": lambda name: assistant(use(toolUseId=name)),
    "result": lambda name: user({"toolResult": {"toolUseId": name, "content": [{"text": "x"}]}}),
    "mixed": lambda name: assistant(text(""), use(toolUseId=name)),
    "thought": lambda words: assistant({"reasoningContent": {"redactedContent": "eA=="}}),
    "empty result": lambda name: user(
        {"toolResult": {"toolUseId": name, "content": [], "status": "error"}}
    ),
}


@pytest.mark.parametrize("why", HISTORIES)
def test_a_history_that_users_saw_refused_is_refused(why: str) -> None:
    messages = [PARTS[kind](words) for kind, words in HISTORIES[why]]
    if messages[-1]["role"] == "assistant":
        messages.append(user())
    refused(with_tools(*messages))
