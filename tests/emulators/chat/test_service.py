"""OpenAI's chat completions without sockets."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

from aybiza.emulators.bedrock import Pace, use
from aybiza.emulators.bedrock.scripted import Scripted, echo
from aybiza.emulators.chat.service import Chat
from aybiza.emulators.streamed.faults import Fault
from aybiza.emulators.streamed.steps import Begin, End, Piece, Request, Step, Whole
from tests.cases import each

URL = "http://h/v1/chat/completions"
ASK: dict[str, Any] = {
    "model": "m",
    "stream": True,
    "messages": [{"role": "user", "content": "Hello there you."}],
}


def steps(
    chat: Chat, body: Any = ASK, at: float = 0.0, url: str = URL, **headers: str
) -> list[Step]:
    told = {"authorization": "Bearer key", **headers}
    request = Request("POST", urlsplit(url), told, json.dumps(body).encode())
    return list(asyncio.run(chat.answer(request, at)))


def refused(chat: Chat, body: Any = ASK, **more: Any) -> tuple[int, str | None]:
    (step,) = steps(chat, body, **more)
    assert isinstance(step.action, Whole)
    return step.action.status, json.loads(step.action.body)["error"]["code"]


def test_an_answer_begins_with_the_role_and_ends_with_its_cost_and_done() -> None:
    body = {**ASK, "stream_options": {"include_usage": True}}
    made = steps(Chat(responder=echo, pace=Pace(300, 50)), body)
    assert isinstance(made[0].action, Begin) and made[1].at == 0.3
    assert isinstance(made[-1].action, End)
    data = [step.action.data.decode() for step in made if isinstance(step.action, Piece)]
    assert data[-1] == "data: [DONE]\n\n"
    chunks = [json.loads(one.removeprefix("data: ")) for one in data[:-1]]
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    said = [chunk["choices"][0]["delta"].get("content", "") for chunk in chunks[:-1]]
    assert "".join(said) == "Hello there you."
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["choices"] == [] and chunks[-1]["usage"]["prompt_tokens"] > 5


def test_a_tool_is_used_by_its_name_and_then_its_input() -> None:
    made = steps(Chat(responder=Scripted([use("f", {"a": 1}, "Wait.")])))
    data = [step.action.data.decode() for step in made if isinstance(step.action, Piece)]
    calls = [one for one in data if "tool_calls" in one and '"delta": {"tool_calls"' in one]
    assert '"name": "f", "arguments": ""' in calls[0]
    parts = (
        json.loads(one[6:])["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"]
        for one in calls
    )
    assert json.loads("".join(parts)) == {"a": 1}
    assert '"finish_reason": "tool_calls"' in "".join(data)


@each(
    (
        ({"keys": "other"}, {}, (401, "invalid_api_key")),
        ({}, {"authorization": ""}, (401, None)),
        ({"models": "gpt-*"}, {}, (404, "model_not_found")),
        ({"credit": False}, {}, (429, "insufficient_quota")),
        ({"requests_a_minute": 0}, {}, (429, "rate_limit_exceeded")),
        ({"context_tokens": 3}, {}, (400, "context_length_exceeded")),
        ({}, {"url": "http://h/v1/completions"}, (404, None)),
        ({}, {"body": {**ASK, "stream": False}}, (400, None)),
        ({}, {"body": {**ASK, "temperature": 9}}, (400, "decimal_out_of_range")),
    )
)
def test_what_is_not_in_order_is_refused(settings: Any, asked: Any, expected: Any) -> None:
    chat = Chat(responder=echo)
    for name, value in settings.items():
        setattr(chat, name, value)
    assert refused(chat, **asked) == expected
    assert not chat.answers


def test_requests_of_a_minute_ago_count_no_more() -> None:
    chat = Chat(responder=echo)
    chat.requests_a_minute = 1
    assert len(steps(chat, at=0.0)) > 2
    assert refused(chat, at=59.0) == (429, "rate_limit_exceeded")
    assert len(steps(chat, at=61.0)) > 2


def test_a_fault_refuses_in_the_services_form() -> None:
    chat = Chat(responder=echo)
    chat.faults.add(Fault("refuse", code=503))
    assert refused(chat) == (503, None)
    assert len(steps(chat)) > 2
