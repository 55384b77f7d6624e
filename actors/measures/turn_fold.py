"""`TurnFold`: a turn put together of what the events tell of it. Pure.

    fold = TurnFold()
    for each event of `EVENTS`:  records = fold.hear(event, measurements, metadata, at)

It gives a `TurnRecord` when a turn has its outcome and its answer has been begun to be heard, or
the next turn or the end of the call shows that it will not be: the stages in seconds from the end
of the caller's voice, and what is known of its model and its outcome. A stage that never came is
missing. What is kept is bounded: the oldest of more than `MAX_CALLS` calls are forgotten.

Errors: none; an event without a call or a turn is passed over.
Source: specification 000, section 4 (`analyze_latency_breakdown`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aybiza.actors.measures import events
from aybiza.actors.runtime.telemetry import Event

MAX_CALLS: Final = 10_000
MAX_TURNS: Final = 8
"""Turns of a call that are open at a time; more than two are none."""

STAGES: Final = (
    "end_of_turn",
    "request",
    "first_token",
    "first_sentence",
    "first_audio",
    "first_frame",
)
"""What happens between the end of the caller's voice and the answer, in its order."""

_STAGE_OF: Final[Mapping[Event, str]] = {
    events.TURN_START: "end_of_turn",
    events.REQUEST_START: "request",
    events.REQUEST_FIRST_TOKEN: "first_token",
    events.TURN_FIRST_SENTENCE: "first_sentence",
    events.SPEECH_FIRST_AUDIO: "first_audio",
}

_HEARD: Final = frozenset({events.SPEECH_FIRST_AUDIO, events.TURN_ANSWERED})

EVENTS: Final[tuple[Event, ...]] = (
    *_STAGE_OF,
    events.CALL_START,
    events.CALL_STOP,
    events.SPEECH_FINAL,
    events.TURN_ANSWERED,
    events.TURN_MEASURED,
    events.TURN_ENDED,
)


@dataclass(slots=True)
class TurnRecord:
    """A turn. ended_at: unix time of the end of the caller's voice, None where nobody has heard it;
    over_at: of its outcome, or of the
    first frame where that came later. stages: seconds from `ended_at`. about: of `CALL_START`,
    `REQUEST_START` and `TURN_MEASURED`."""

    call_id: str
    turn: int
    ended_at: float | None = None
    over_at: float = 0.0
    outcome: str = ""
    moments: dict[str, float] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def stages(self) -> dict[str, float]:
        """Seconds from the end of the caller's voice; none where that is not known."""
        if self.ended_at is None:
            return {}
        return {name: round(at - self.ended_at, 4) for name, at in self.moments.items()}


@dataclass(slots=True)
class _Call:
    about: dict[str, Any] = field(default_factory=dict)
    ended_at: float | None = None
    turns: dict[int, TurnRecord] = field(default_factory=dict)

    def over(self, now: int) -> list[TurnRecord]:
        """The turns that nothing more will be told of, while the one of this number goes on."""
        over = [
            number
            for number, turn in self.turns.items()
            if turn.outcome and ("first_frame" in turn.moments or number < now)
        ]
        return [self.turns.pop(number) for number in sorted(over)]


class TurnFold:
    """See the module."""

    def __init__(self) -> None:
        self._calls: dict[str, _Call] = {}

    def hear(
        self, event: Event, measured: Mapping[str, Any], told: Mapping[str, Any], at: float
    ) -> list[TurnRecord]:
        """Take in an event, at unix time `at`; the turns that are over by it."""
        call_id, turn = told.get("call_id"), told.get("turn")
        if not isinstance(call_id, str):
            return []
        if event == events.CALL_STOP:
            call = self._calls.pop(call_id, _Call())
            return [each for _, each in sorted(call.turns.items()) if each.outcome]
        call = self._call(call_id)
        if event == events.CALL_START:
            call.about = {name: told.get(name) for name in told if name != "call_id"}
        elif event == events.SPEECH_FINAL:
            call.ended_at = at - measured["seconds"]
        elif isinstance(turn, int):
            self._of_turn(call, call_id, turn, event, measured, told, at)
            return call.over(turn)
        return []

    def _of_turn(
        self,
        call: _Call,
        call_id: str,
        number: int,
        event: Event,
        measured: Mapping[str, Any],
        told: Mapping[str, Any],
        at: float,
    ) -> None:
        turn = call.turns.get(number)
        if turn is None:
            turn = call.turns[number] = TurnRecord(call_id, number, about=dict(call.about))
            if len(call.turns) > MAX_TURNS:
                del call.turns[min(call.turns)]
        if stage := _STAGE_OF.get(event):
            turn.moments.setdefault(stage, at)
        if event == events.TURN_START:
            turn.ended_at, call.ended_at = call.ended_at, None
        elif event == events.REQUEST_START:
            turn.about |= {name: told.get(name) for name in ("model", "region")}
        elif event == events.TURN_ANSWERED:
            turn.ended_at = turn.ended_at or at - measured["seconds"]
            turn.moments["first_frame"] = turn.ended_at + measured["seconds"]
        elif event == events.TURN_MEASURED:
            turn.about |= {k: v for k, v in {**measured, **told}.items() if v is not None}
        elif event == events.TURN_ENDED:
            turn.outcome = told["outcome"]
            turn.over_at = max(at, turn.over_at)
        if event in _HEARD:
            turn.over_at = max(at, turn.over_at)

    def _call(self, call_id: str) -> _Call:
        call = self._calls.get(call_id)
        if call is None:
            call = self._calls[call_id] = _Call()
            if len(self._calls) > MAX_CALLS:
                del self._calls[next(iter(self._calls))]
        return call
