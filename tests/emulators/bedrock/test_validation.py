"""What the service refuses."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators.bedrock import catalogue, validation
from aybiza.emulators.bedrock.reply import signature

HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
SONNET_4_6 = "us.anthropic.claude-sonnet-4-6"
OPUS_4_7 = "us.anthropic.claude-opus-4-7"
OPUS_5 = "us.anthropic.claude-opus-5"
SONNET_5_5 = "us.anthropic.claude-sonnet-5-5"

TOOL = {"toolSpec": {"name": "look", "inputSchema": {"json": {"type": "object"}}}}
SYSTEM = {"role": "system", "content": [{"text": "Be brief."}]}
USE = {"toolUse": {"toolUseId": "u1", "name": "look", "input": {}}}
RESULT = {"toolResult": {"toolUseId": "u1", "content": [{"json": {}}]}}
THINKING = {"type": "enabled", "budget_tokens": 1024}
CACHE_POINT = {"cachePoint": {"type": "default"}}
GUARDRAIL = {"guardrailIdentifier": "abc", "guardrailVersion": "1"}

Body = dict[str, Any]


def text(words: str = "hello") -> Body:
    return {"text": words}


def user(*blocks: Body) -> Body:
    return {"role": "user", "content": list(blocks or (text(),))}


def assistant(*blocks: Body) -> Body:
    return {"role": "assistant", "content": list(blocks or (text(),))}


def asking(*messages: Body, **members: Any) -> Body:
    return {"messages": list(messages or (user(),)), **members}


def thinking(kind: Any, **members: Any) -> Body:
    return asking(additionalModelRequestFields={"thinking": kind}, **members)


def with_tools(*messages: Body, **members: Any) -> Body:
    return asking(*messages, toolConfig={"tools": [TOOL], **members})


def tool(name: str) -> Body:
    return {"toolSpec": {**TOOL["toolSpec"], "name": name}}


def use(**members: Any) -> Body:
    return {"toolUse": {**USE["toolUse"], **members}}


def result(**members: Any) -> Body:
    return {"toolResult": {"toolUseId": "u1", "content": [], **members}}


def sampled(**config: Any) -> Body:
    return asking(inferenceConfig=config)


TAKEN: list[tuple[str, str, Body]] = [
    ("a question", HAIKU, asking()),
    ("a system prompt", HAIKU, asking(system=[text("Be brief."), CACHE_POINT])),
    ("four cache points", HAIKU, asking(user(text(), *[CACHE_POINT] * 4))),
    ("a guardrail", HAIKU, asking(guardrailConfig=GUARDRAIL)),
    ("a longer talk", HAIKU, asking(user(), assistant(), user())),
    ("a prefill where the model takes it", HAIKU, asking(user(), assistant(text("The")))),
    ("tools", HAIKU, with_tools()),
    ("a tool's result", HAIKU, with_tools(user(), assistant(text(), USE), user(RESULT))),
    ("words after a result", HAIKU, with_tools(user(), assistant(USE), user(RESULT, text()))),
    ("an empty result", HAIKU, with_tools(user(), assistant(USE), user(result()))),
    ("a forced tool", HAIKU, with_tools(toolChoice={"tool": {"name": "look"}})),
    ("temperature alone", HAIKU, sampled(temperature=0.3, maxTokens=300)),
    ("topP alone", HAIKU, sampled(topP=0.9)),
    ("a budget", HAIKU, thinking(THINKING, inferenceConfig={"maxTokens": 2048})),
    ("adaptive thinking", SONNET_4_6, thinking({"type": "adaptive"})),
    ("thinking disabled", OPUS_5, thinking({"type": "disabled"})),
    ("effort", OPUS_5, asking(outputConfig={"effort": "low"})),
    ("a system message in between", OPUS_5, asking(user(), SYSTEM, assistant(), user())),
    ("metadata", HAIKU, asking(requestMetadata={"call": "CA1", "tenant": "a-b_c:1"})),
    ("a service tier", HAIKU, asking(serviceTier={"type": "priority"})),
]

REFUSED: list[tuple[str, str, Body, str]] = [
    ("no user first", HAIKU, asking(assistant(), user()), "must start with a user message"),
    ("two users in a row", HAIKU, asking(user(), user()), "must alternate"),
    (
        "two assistants in a row",
        HAIKU,
        asking(user(), assistant(), assistant(), user()),
        "must alternate",
    ),
    (
        "an unknown role",
        HAIKU,
        asking({"role": "tool", "content": [text()]}),
        "'tool' is not one of",
    ),
    (
        "a system message to an older model",
        HAIKU,
        asking(user(), SYSTEM, assistant(), user()),
        "system messages",
    ),
    ("a prefill to a model without", OPUS_5, asking(user(), assistant()), "prefill"),
    (
        "a prefill while thinking",
        HAIKU,
        asking(
            user(),
            assistant(),
            inferenceConfig={"maxTokens": 2048},
            additionalModelRequestFields={"thinking": THINKING},
        ),
        "prefill",
    ),
    (
        "a prefill that ends in a space",
        HAIKU,
        asking(user(), assistant(text("The "))),
        "trailing whitespace",
    ),
    ("an empty text", HAIKU, asking(user(text(""))), "messages.0.content.0 is blank"),
    ("a blank text", HAIKU, asking(user(text(), text(" \n"))), "messages.0.content.1 is blank"),
    ("an empty content", HAIKU, asking({"role": "user", "content": []}), "messages.0 is empty"),
    ("an unknown block", HAIKU, asking(user({"picture": {}})), "exactly one known"),
    (
        "two members in a block",
        HAIKU,
        asking(user({"text": "a", "image": {}})),
        "exactly one known",
    ),
    ("an empty system text", HAIKU, asking(system=[text("")]), "system.0 is blank"),
    (
        "tool blocks without tools",
        HAIKU,
        asking(user(), assistant(USE), user(RESULT)),
        "toolConfig field must be defined",
    ),
    (
        "a use without its result",
        HAIKU,
        with_tools(user(), assistant(USE), user()),
        "Expected toolResult blocks at messages.2.content for the following Ids: u1",
    ),
    (
        "a result without its use",
        HAIKU,
        with_tools(user(), assistant(), user(RESULT)),
        "exceeds the number of toolUse blocks",
    ),
    (
        "a result twice",
        HAIKU,
        with_tools(user(), assistant(USE), user(RESULT, RESULT)),
        "exceeds the number",
    ),
    (
        "a result of another use",
        HAIKU,
        with_tools(user(), assistant(USE), user(result(toolUseId="u2"))),
        "Expected toolResult",
    ),
    (
        "words before a result",
        HAIKU,
        with_tools(user(), assistant(USE), user(text(), RESULT)),
        "immediately after",
    ),
    ("a use by the user", HAIKU, with_tools(user(USE)), "only be in assistant"),
    (
        "a result by the assistant",
        HAIKU,
        with_tools(user(), assistant(RESULT), user()),
        "only be in user",
    ),
    (
        "an id used twice",
        HAIKU,
        with_tools(user(), assistant(USE), user(RESULT), assistant(USE), user(RESULT)),
        "ids must be unique",
    ),
    (
        "a bad id",
        HAIKU,
        with_tools(user(), assistant(use(toolUseId="a b")), user()),
        "toolUseId' failed to satisfy",
    ),
    (
        "tool input that is no object",
        HAIKU,
        with_tools(user(), assistant(use(input="{}")), user()),
        "Provide a json object",
    ),
    (
        "an error without content",
        HAIKU,
        with_tools(user(), assistant(USE), user(result(status="error"))),
        "cannot be empty when status value is error",
    ),
    (
        "a bad status",
        HAIKU,
        with_tools(user(), assistant(USE), user(result(status="maybe"))),
        "success or error",
    ),
    (
        "a last message that uses a tool",
        HAIKU,
        with_tools(user(), assistant(USE)),
        "results are missing",
    ),
    (
        "a dotted tool name",
        HAIKU,
        asking(toolConfig={"tools": [tool("clinic.look")]}),
        "regular expression pattern",
    ),
    ("a long tool name", HAIKU, asking(toolConfig={"tools": [tool("a" * 65)]}), "between 1 and 64"),
    ("a tool name twice", HAIKU, asking(toolConfig={"tools": [TOOL, TOOL]}), "must be unique"),
    (
        "a schema that is no object",
        HAIKU,
        asking(
            toolConfig={
                "tools": [
                    {"toolSpec": {"name": "look", "inputSchema": {"json": {"type": "string"}}}}
                ]
            }
        ),
        "inputSchema.json.type",
    ),
    (
        "an unknown forced tool",
        HAIKU,
        with_tools(toolChoice={"tool": {"name": "hear"}}),
        "no tool in toolConfig.tools",
    ),
    ("two choices", HAIKU, with_tools(toolChoice={"auto": {}, "any": {}}), "exactly one of"),
    (
        "a forced tool on a model that always thinks",
        SONNET_5_5,
        with_tools(toolChoice={"any": {}}),
        "does not support forcing",
    ),
    (
        "a forced tool while thinking",
        HAIKU,
        {
            **with_tools(toolChoice={"any": {}}),
            "additionalModelRequestFields": {"thinking": THINKING},
        },
        "forces tool use",
    ),
    ("temperature and topP", HAIKU, sampled(temperature=0.3, topP=0.9), "cannot both be specified"),
    (
        "temperature and topP on 4.6",
        SONNET_4_6,
        sampled(temperature=0.3, topP=0.9),
        "cannot both be specified",
    ),
    ("sampling on the newest", OPUS_5, sampled(temperature=0.3), "`temperature` is not supported"),
    ("topP on the newest", OPUS_4_7, sampled(topP=0.3), "`topP` is not supported"),
    (
        "top_k on the newest",
        OPUS_5,
        asking(additionalModelRequestFields={"top_k": 5}),
        "`top_k` is not supported",
    ),
    ("a high temperature", HAIKU, sampled(temperature=1.5), "from 0 to 1"),
    ("too many tokens", HAIKU, sampled(maxTokens=64_001), "exceeds the model limit of 64000"),
    ("a blank stop sequence", HAIKU, sampled(stopSequences=["stop", " "]), "not blank"),
    ("no tokens", HAIKU, sampled(maxTokens=0), "whole number from 1"),
    ("thinking: true", HAIKU, thinking(True), "thinking: Input should be"),
    (
        "an unknown field",
        HAIKU,
        asking(additionalModelRequestFields={"thinking_enabled": True}),
        "thinking_enabled: Extra inputs",
    ),
    (
        "a small budget",
        HAIKU,
        thinking({"type": "enabled", "budget_tokens": 1023}),
        "greater than or equal to 1024",
    ),
    (
        "a budget as large as the answer",
        HAIKU,
        thinking(THINKING, inferenceConfig={"maxTokens": 1024}),
        "greater than `thinking.budget_tokens`",
    ),
    ("a budget on a model without", OPUS_4_7, thinking(THINKING), "not supported for this model"),
    (
        "adaptive thinking on a model without",
        HAIKU,
        thinking({"type": "adaptive"}),
        "adaptive thinking is not supported",
    ),
    (
        "thinking disabled where it is always on",
        SONNET_5_5,
        thinking({"type": "disabled"}),
        "always thinks",
    ),
    (
        "temperature while thinking",
        HAIKU,
        thinking(THINKING, inferenceConfig={"temperature": 0.5}),
        "may only be set to 1",
    ),
    (
        "top_k while thinking",
        HAIKU,
        asking(additionalModelRequestFields={"thinking": THINKING, "top_k": 5}),
        "`top_k` must be unset",
    ),
    ("a low topP while thinking", HAIKU, thinking(THINKING, inferenceConfig={"topP": 0.5}), "0.95"),
    (
        "too much metadata",
        HAIKU,
        asking(requestMetadata={f"k{n}": "v" for n in range(17)}),
        "1 to 16",
    ),
    ("metadata with odd letters", HAIKU, asking(requestMetadata={"call": "ä"}), "not allowed"),
    (
        "optimised latency",
        HAIKU,
        asking(performanceConfig={"latency": "optimized"}),
        "not supported",
    ),
    ("an unknown service tier", HAIKU, asking(serviceTier={"type": "gold"}), "serviceTier.type"),
    ("an unknown effort", OPUS_5, asking(outputConfig={"effort": "huge"}), "effort"),
    (
        "effort on a model that thinks by budget",
        HAIKU,
        asking(outputConfig={"effort": "low"}),
        "does not support the effort parameter",
    ),
    ("five cache points", HAIKU, asking(user(text(), *[CACHE_POINT] * 5)), "maximum of 4 blocks"),
    (
        "a cache point that is kept for a day",
        HAIKU,
        asking(user(text(), {"cachePoint": {"type": "default", "ttl": "24h"}})),
        "not one of 5m, 1h",
    ),
    ("a cache point without type", HAIKU, asking(user(text(), {"cachePoint": {}})), "default"),
    (
        "a guardrail without version",
        HAIKU,
        asking(guardrailConfig={"guardrailIdentifier": "abc"}),
        "guardrailVersion: is missing",
    ),
]


@pytest.mark.parametrize(("model", "body"), [pytest.param(m, b, id=name) for name, m, b in TAKEN])
def test_takes(model: str, body: Body) -> None:
    assert validation.refusal(model, body) is None


@pytest.mark.parametrize(
    ("model", "body", "message"), [pytest.param(m, b, t, id=name) for name, m, b, t in REFUSED]
)
def test_refuses(model: str, body: Body, message: str) -> None:
    refusal = validation.refusal(model, body)
    assert refusal is not None
    assert (refusal.status, refusal.code) == (400, "ValidationException")
    assert message in refusal.message


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("us.anthropic.claude-3-haiku-20240307-v1:0", 404, "ResourceNotFoundException"),
        ("anthropic.claude-haiku-4-5-20251001-v1:0", 400, "ValidationException"),
        ("anthropic.claude-4-sonnet-20250120", 400, "ValidationException"),
    ],
)
def test_refuses_models_that_are_not_served(model: str, status: int, code: str) -> None:
    refusal = validation.refusal(model, asking())
    assert refusal is not None
    assert (refusal.status, refusal.code) == (status, code)


def in_a_tool_loop(*before_use: Body) -> Body:
    body = with_tools(user(), assistant(*before_use, USE), user(RESULT))
    return {
        **body,
        "inferenceConfig": {"maxTokens": 2048},
        "additionalModelRequestFields": {"thinking": THINKING},
    }


def reasoning(words: str, signed: str) -> Body:
    return {"reasoningContent": {"reasoningText": {"text": words, "signature": signed}}}


def test_reasoning_has_to_come_back_in_a_tool_loop() -> None:
    body = in_a_tool_loop(reasoning("Hm.", signature("Hm.")))
    assert validation.refusal(HAIKU, body) is None
    refusal = validation.refusal(HAIKU, in_a_tool_loop())
    assert refusal is not None
    assert "must start with a thinking block" in refusal.message


def test_reasoning_has_to_come_back_unchanged() -> None:
    refusal = validation.refusal(HAIKU, in_a_tool_loop(reasoning("Ha.", signature("Hm."))))
    assert refusal is not None
    assert "Invalid `signature`" in refusal.message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(json_values)
def test_any_json_is_answered(body: Any) -> None:
    refusal = validation.refusal(HAIKU, body)
    assert refusal is not None
    assert 400 <= refusal.status < 500


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything within a JSON value."""
    if not isinstance(value, dict | list):
        return [path]
    inner: Any = value.items() if isinstance(value, dict) else enumerate(value)
    return [path, *(p for key, member in inner for p in places(member, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    changed = copy.deepcopy(value)
    owner = changed
    for key in path[:-1]:
        owner = owner[key]
    owner[path[-1]] = new
    return changed


FULL = {
    **in_a_tool_loop(reasoning("Hm.", signature("Hm."))),
    "system": [text()],
    "requestMetadata": {"call": "CA1"},
    "outputConfig": {"effort": "low"},
    "serviceTier": {"type": "default"},
    "performanceConfig": {"latency": "standard"},
}


@given(st.sampled_from(places(FULL)), json_values)
def test_no_member_of_a_wrong_type_makes_it_fail(path: tuple[Any, ...], value: Any) -> None:
    body = replaced(FULL, path, value)
    refusal = validation.refusal(HAIKU, body)
    assert refusal is None or refusal.message
    json.dumps(refusal and refusal.message)


@pytest.mark.parametrize(
    ("model", "body", "mode"),
    [
        (HAIKU, asking(), None),
        (HAIKU, thinking(THINKING), "budget"),
        (OPUS_5, thinking({"type": "adaptive"}), "adaptive"),
        (OPUS_5, thinking({"type": "disabled"}), None),
        (SONNET_5_5, asking(), "adaptive"),
    ],
)
def test_the_thinking_mode_follows_from_model_and_request(
    model: str, body: Body, mode: str | None
) -> None:
    assert validation.thinking_mode(catalogue.find(model), body) == mode
