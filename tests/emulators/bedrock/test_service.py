"""The Bedrock runtime in memory: exchanges without a socket, in time that is a number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aybiza.emulators.bedrock import Fault, Limits, Pace, Reply, Scripted, say, use
from aybiza.emulators.bedrock.exchange import Action, Answer, Event, HangUp, Wait
from aybiza.emulators.bedrock.faults import STOP_REASONS
from aybiza.emulators.bedrock.reply import ToolUse
from aybiza.emulators.bedrock.service import CONVERSE, CONVERSE_STREAM, Bedrock, Exchange

SONNET = "us.anthropic.claude-sonnet-4-6"


def asking(text: str = "hello", **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"text": text}]}], **more}


class Clock:
    """Time that is a number."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def made(clock: Clock | None = None, **more: Any) -> Bedrock:
    more = {"seed": 7, "responder": lambda body: say("Hello there, caller."), **more}
    return Bedrock(clock=clock or Clock(), **more)


def done(exchange: Exchange) -> list[Action]:
    actions = []
    for step in exchange:
        exchange.done(step)
        actions.append(step.action)
    return actions


def text(actions: list[Action]) -> str:
    return "".join(
        action.event.payload["delta"].get("text", "")
        for action in actions
        if isinstance(action, Event) and action.event.is_delta
    )


async def test_a_stream_is_answered_and_accounted() -> None:
    bedrock = made()
    exchange = await bedrock.exchange(CONVERSE_STREAM, SONNET, asking(), arrived=100.0)
    assert exchange.record.outcome == "open"
    assert text(done(exchange)) == "Hello there, caller."
    record = bedrock.journal.records[-1]
    assert (record.outcome, record.status, record.user_text) == ("completed", 200, "hello")
    assert record.deltas_sent == record.deltas_total > 0


async def test_two_runs_of_one_seed_are_the_same() -> None:
    pace = Pace(first_token_ms=300, per_delta_ms=40, jitter=0.5)
    runs = []
    for bedrock in (made(pace=pace), made(pace=pace)):
        steps = []
        for number in range(3):
            asked = asking(f"question {number}")
            steps += list(await bedrock.exchange(CONVERSE_STREAM, SONNET, asked, arrived=0.0))
        runs.append(steps)
    assert runs[0] == runs[1]


async def test_a_request_that_is_refused_is_one_answer() -> None:
    bedrock = made()
    exchange = await bedrock.exchange(CONVERSE, SONNET, {"messages": []}, arrived=100.0)
    (answer,) = done(exchange)
    assert isinstance(answer, Answer) and answer.status == 400 and answer.error_code
    assert bedrock.journal.records[-1].outcome == "refused"


async def test_bytes_that_are_no_json_are_refused() -> None:
    exchange = await made().exchange(CONVERSE, SONNET, b"{", arrived=100.0)
    (answer,) = done(exchange)
    assert isinstance(answer, Answer) and answer.error_code == "SerializationException"


async def test_a_fault_before_the_stream_is_the_first_step() -> None:
    bedrock = made()
    bedrock.faults.add(Fault("slow_header", seconds=2.0), Fault("no_answer"))
    slow = done(await bedrock.exchange(CONVERSE_STREAM, SONNET, asking(), arrived=100.0))
    assert slow[0] == Wait(2.0)
    assert text(slow) == "Hello there, caller."
    hung = done(await bedrock.exchange(CONVERSE_STREAM, SONNET, asking(), arrived=100.0))
    assert hung == [HangUp()]
    assert [r.outcome for r in bedrock.journal.records] == ["completed", "fault"]


async def test_a_client_that_leaves_is_noted_once() -> None:
    clock = Clock()
    bedrock = made(clock)
    exchange = await bedrock.exchange(CONVERSE_STREAM, SONNET, asking(), arrived=100.0)
    steps = iter(exchange)
    exchange.done(next(steps))
    clock.now = 101.0
    exchange.left(next(steps))
    exchange.over()
    record = bedrock.journal.records[-1]
    assert (record.outcome, record.client_left, record.finished) == ("cancelled", 101.0, 101.0)


async def test_a_responder_that_fails_is_an_internal_error() -> None:
    def broken(body: Any) -> Reply:
        raise RuntimeError("a defect")

    exchange = await made(responder=broken).exchange(CONVERSE, SONNET, asking(), arrived=0.0)
    (answer,) = done(exchange)
    assert isinstance(answer, Answer) and answer.error_code == "InternalServerException"


async def test_an_input_that_is_too_long_is_refused_at_the_tokens_that_were_set() -> None:
    bedrock = made()
    bedrock.limits = Limits(input_tokens=100)
    fits = done(await bedrock.exchange(CONVERSE, SONNET, asking("x" * 300), arrived=0.0))
    assert isinstance(fits[0], Answer) and fits[0].status == 200
    (long,) = done(await bedrock.exchange(CONVERSE, SONNET, asking("x" * 400), arrived=0.0))
    assert isinstance(long, Answer)
    assert (long.status, long.error_code) == (400, "ValidationException")
    assert long.body == {"message": "Input is too long for requested model."}


async def test_without_a_limit_the_context_of_the_model_is_one() -> None:
    haiku = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
    body = asking("x" * 810_000)
    (long,) = done(await made().exchange(CONVERSE, haiku, body, arrived=0.0))
    (fits,) = done(await made().exchange(CONVERSE, SONNET, body, arrived=0.0))
    assert isinstance(long, Answer) and isinstance(fits, Answer)
    assert (long.status, fits.status) == (400, 200)


@pytest.mark.parametrize("reason", STOP_REASONS)
async def test_every_stop_reason_can_be_had(reason: str) -> None:
    bedrock = made()
    bedrock.faults.add(Fault("stop", code=reason, after=1))
    actions = done(await bedrock.exchange(CONVERSE_STREAM, SONNET, asking(), arrived=0.0))
    stops = [a.event.payload["stopReason"] for a in actions
             if isinstance(a, Event) and a.event.type == "messageStop"]  # fmt: skip
    assert stops == [reason]
    assert bedrock.journal.records[-1].outcome == "completed"


SCHEMA = {"json": {"type": "object"}}
TOOLS = {
    "tools": [
        {"toolSpec": {"name": name, "inputSchema": SCHEMA}} for name in ("look_up", "end_call")
    ]
}
RESULT = [
    {"role": "user", "content": [{"text": "look"}]},
    {"role": "assistant", "content": [{"toolUse": {"toolUseId": "a", "name": "b", "input": {}}}]},
    {"role": "user", "content": [{"toolResult": {"toolUseId": "a", "content": []}}]},
]


async def test_an_empty_message_follows_a_tools_result() -> None:
    bedrock = made()
    bedrock.faults.add(Fault("empty_message"))
    first = done(await bedrock.exchange(CONVERSE_STREAM, SONNET, asking(), arrived=0.0))
    assert text(first) == "Hello there, caller."
    body = {"messages": RESULT, "toolConfig": TOOLS}
    empty = done(await bedrock.exchange(CONVERSE_STREAM, SONNET, body, arrived=0.0))
    kinds = [a.event.type for a in empty if isinstance(a, Event)]
    assert kinds == ["messageStart", "messageStop", "metadata"]


INPUTS = json.loads(
    (Path(__file__).parents[1] / "cases" / "tool_input.json").read_text(encoding="utf-8")
)["cases"]


@pytest.mark.parametrize("case", INPUTS, ids=[case["why"] for case in INPUTS])
async def test_a_tools_input_comes_as_a_script_says(case: dict[str, Any]) -> None:
    tool = ToolUse(case["tool"], {}, fragments=tuple(case["fragments"]))
    bedrock = made(responder=Scripted([Reply((tool,), case["stop"])]))
    body = asking(toolConfig=TOOLS)
    actions = done(await bedrock.exchange(CONVERSE_STREAM, SONNET, body, arrived=0.0))
    events = [a.event for a in actions if isinstance(a, Event)]
    told = [e.payload["delta"]["toolUse"]["input"] for e in events if e.is_delta]
    assert told == case["fragments"]
    stop = next(e for e in events if e.type == "messageStop")
    assert stop.payload["stopReason"] == case["stop"]


@pytest.mark.parametrize(("kind", "joined"), [("cut_tool", '{"da'), ("empty_tool_input", "")])
async def test_a_tools_input_can_be_cut_or_empty(kind: str, joined: str) -> None:
    bedrock = made(responder=Scripted([use("look_up", {"day": "Friday"})]))
    bedrock.faults.add(Fault(kind, after=2))
    body = asking(toolConfig=TOOLS)
    actions = done(await bedrock.exchange(CONVERSE_STREAM, SONNET, body, arrived=0.0))
    events = [a.event for a in actions if isinstance(a, Event)]
    told = "".join(e.payload["delta"]["toolUse"]["input"] for e in events if e.is_delta)
    assert json.dumps({"day": "Friday"}).startswith(told)
    assert (told == "") == (joined == "")
    stop = next(e for e in events if e.type == "messageStop")
    assert stop.payload["stopReason"] == ("max_tokens" if kind == "cut_tool" else "tool_use")


MID_STREAM = json.loads(
    (Path(__file__).parents[1] / "cases" / "mid_stream.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(("kind", "code"), MID_STREAM["faults"])
async def test_an_answer_that_breaks_in_its_middle_has_begun_and_not_ended(
    kind: str, code: str
) -> None:
    bedrock = made(responder=Scripted([MID_STREAM["answer"]]))
    bedrock.faults.add(Fault(kind, code=code, after=2))
    actions = done(await bedrock.exchange(CONVERSE_STREAM, SONNET, asking(), arrived=0.0))
    said = text(actions)
    assert said
    if kind != "bad_crc":
        assert len(said) < len(MID_STREAM["answer"])
        assert bedrock.journal.records[-1].outcome == "fault"
