"""What a chat completion's request is refused for."""

from __future__ import annotations

from typing import Any

from aybiza.emulators.chat.checks import problem
from tests.cases import each

USER = {"role": "user", "content": "Hi."}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
USES = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "1"}
FUNCTION = {"name": "f", "parameters": {"type": "object", "properties": {}}}


def body(**members: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [USER], **members}


@each(
    (
        (body(),),
        (body(messages=[USER, USES, RESULT, USER]),),
        (body(stream=True, stream_options={"include_usage": True}, temperature=1.5, stop=["a"]),),
        (body(tools=[{"type": "function", "function": FUNCTION}], tool_choice="auto"),),
        (body(max_completion_tokens=5),),
    )
)
def test_what_the_service_takes(good: Any) -> None:
    assert problem(good) is None


@each(
    (
        ([], "parse the JSON"),
        ({"messages": [USER]}, "model parameter"),
        (body(top_k=3), "Unrecognized request argument supplied: top_k"),
        (body(max_tokens=1, max_completion_tokens=1), "at the same time"),
        (body(max_tokens=0), "below minimum"),
        (body(temperature=3), "from 0 to 2"),
        (body(temperature="warm"), "expected a decimal"),
        (body(stop=[*"abcde"]), "at most 4"),
        (body(stream_options={}), "only allowed when 'stream'"),
        (body(messages=[]), "empty array"),
        (body(messages=[{"role": "caller", "content": "x"}]), "Invalid value: 'caller'"),
        (body(messages=[{"role": "assistant", "content": None}]), "expected a string, got null"),
        (body(messages=[USER, RESULT]), "must be a response to a preceeding message"),
        (body(messages=[USER, USES]), "did not have response messages: c1"),
        (body(messages=[USER, USES, USER]), "did not have response messages: c1"),
        (body(messages=[USER, {**USES, "tool_calls": []}]), "empty array"),
        (body(messages=[USER, {**USES, "tool_calls": [CALL, CALL]}]), "Invalid tool call"),
        (body(tools=[]), "Invalid 'tools'"),
        (body(tool_choice="auto"), "only allowed when 'tools'"),
        (body(tools=[{"function": {"name": "a b"}}]), "does not match pattern"),
        (body(tools=[{"function": {"name": "f", "parameters": {"type": "object"}}}]), "missing"),
    )
)
def test_what_the_service_refuses(bad: Any, why: str) -> None:
    found = problem(bad)
    assert found is not None and why in found.message
