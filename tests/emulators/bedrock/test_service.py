"""The Bedrock runtime in memory: exchanges without a socket, in time that is a number."""

from __future__ import annotations

from typing import Any

from aybiza.emulators.bedrock import Fault, Pace, Reply, say
from aybiza.emulators.bedrock.exchange import Action, Answer, Event, HangUp, Wait
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
