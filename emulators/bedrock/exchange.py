"""One answer of the service as a list of steps: what goes out, and when. Pure.

Contract: `stream_steps` and `whole_steps` turn a reply into steps in the service's order, with the
pace's delays, and with the fault that struck. A `Step` is not to be done before `at` seconds after
the request arrived; who does the steps is another's business: a server that writes frames, or a
client in memory that takes `Event`s as they are.
A fault in the stream strikes when its number of deltas has gone out (or just before `messageStop`,
when the reply has fewer).
Errors: none.
Source: Bedrock: Converse, ConverseStream; Amazon event stream encoding.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from aybiza.emulators.bedrock.faults import Fault, Pace
from aybiza.emulators.bedrock.reply import Reply, StreamEvent, converse_answer, stream_events


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response."""

    status: int
    body: dict[str, Any]
    error_code: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """The header of a response whose body is a stream of events."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the stream."""

    event: StreamEvent


@dataclass(frozen=True, slots=True)
class Corrupt:
    """One event of the stream, in a frame whose checksum does not hold."""

    event: StreamEvent


@dataclass(frozen=True, slots=True)
class StreamException:
    """A modelled exception in the stream, such as `throttlingException`."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class StreamError:
    """An error in the stream that the service's model does not know."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing goes out for so many seconds; None: until the client leaves."""

    seconds: float | None


@dataclass(frozen=True, slots=True)
class End:
    """The clean end of the stream's body."""


@dataclass(frozen=True, slots=True)
class HalfAndClose:
    """Half of an event, then the end of the connection."""

    event: StreamEvent


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is reset."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """The connection is closed without a word."""


Action = (
    Answer
    | Head
    | Event
    | Corrupt
    | StreamException
    | StreamError
    | Wait
    | End
    | HalfAndClose
    | Reset
    | HangUp
)


@dataclass(frozen=True, slots=True)
class Step:
    """Do `action`, not before `at` seconds after the request arrived."""

    at: float
    action: Action


def stream_steps(
    reply: Reply,
    usage: dict[str, Any],
    pace: Pace,
    chance: random.Random,
    fault: Fault | None = None,
    trace: dict[str, Any] | None = None,
) -> Iterator[Step]:
    """The steps of a ConverseStream."""
    strike = fault if fault is not None and fault.kind in _STRIKES else None
    header = pace.seconds(pace.header_ms, chance)
    due = pace.seconds(pace.first_token_ms, chance)
    yield Step(header, Head())
    deltas = 0
    for event in stream_events(reply, usage, trace=trace):
        if event.is_delta and deltas:
            due += pace.seconds(pace.per_delta_ms, chance)
            if fault is not None and fault.kind == "trickle" and deltas >= fault.after:
                due += fault.seconds or 0.0
        if event.type == "metadata":
            event.payload["metrics"]["latencyMs"] = round(due * 1000)
        is_due = event.type == "messageStop" or event.is_delta
        if (
            strike is not None
            and is_due
            and (event.type == "messageStop" or deltas >= strike.after)
        ):
            struck, strike = strike, None
            actions, goes_on = _STRIKES[struck.kind](struck, event)
            yield from (Step(due, action) for action in actions)
            if not goes_on:
                return
        else:
            yield Step(due, Event(event))
        deltas += event.is_delta
    yield Step(due, End())


def whole_steps(
    reply: Reply,
    usage: dict[str, Any],
    pace: Pace,
    chance: random.Random,
    trace: dict[str, Any] | None = None,
) -> Iterator[Step]:
    """The one step of a Converse: it comes when the last delta of a stream would."""
    header = pace.seconds(pace.header_ms, chance)
    first = pace.seconds(pace.first_token_ms, chance)
    count = sum(event.is_delta for event in stream_events(reply, usage))
    due = first + sum(pace.seconds(pace.per_delta_ms, chance) for _ in range(count - 1))
    due = max(due, header)
    yield Step(due, Answer(200, converse_answer(reply, usage, round(due * 1000), trace)))


def before_stream(fault: Fault) -> Iterator[Step]:
    """The steps of a fault that strikes before anything was answered; it may be all there is."""
    if fault.kind == "slow_header":
        yield Step(0.0, Wait(fault.seconds))
    elif fault.kind == "no_answer":
        yield Step(0.0, HangUp())


_NOVELTY = StreamEvent("contentBlockNovelty", {"contentBlockIndex": 0, "novelty": {"kind": 1}})

_Strike = Callable[[Fault, StreamEvent], tuple[list[Action], bool]]

_STRIKES: dict[str, _Strike] = {
    "stream_exception": lambda fault, event: (
        [StreamException(fault.error_code, fault.error_message), End()],
        False,
    ),
    "stream_error": lambda fault, event: (
        [StreamError(fault.error_code, fault.error_message), End()],
        False,
    ),
    "fin": lambda fault, event: ([HalfAndClose(event)], False),
    "rst": lambda fault, event: ([Reset()], False),
    "stall": lambda fault, event: ([Wait(fault.seconds), Event(event)], True),
    "silent_end": lambda fault, event: ([End()], False),
    "bad_crc": lambda fault, event: ([Corrupt(event)], True),
    "unknown_event": lambda fault, event: ([Event(_NOVELTY), Event(event)], True),
}
