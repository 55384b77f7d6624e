"""A trace a call, made of its events: a span a turn, with those of its parts as children. Pure.

    call                    from its session to its end
    └─ turn 3               from the end of the caller's voice to the end of the turn
       ├─ stt               until the recogniser knew the words
       ├─ chat <model>      a request to a model; one that broke off has an error
       ├─ execute_tool <x>
       └─ tts               from the first sentence to its first audio

A trace has its id of the call's, a turn's span of the call's and the turn's number: nodes that have
the same call one after another write to the same trace, and nothing has to be kept for that. What
is kept until a turn is over is bounded, as `aybiza.actors.measures.turn_fold` says.

Errors: none; an event without a call is passed over.
Source: OpenTelemetry, "Trace" (specification), and `aybiza.actors.measures.gen_ai`.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aybiza.actors.measures import events, gen_ai, turn_fold
from aybiza.actors.measures.turn_fold import MAX_CALLS, TurnFold
from aybiza.actors.runtime.telemetry import Event
from aybiza.dialogue.conversation import GREETING_TURN

EVENTS: Final[tuple[Event, ...]] = (
    *turn_fold.EVENTS,
    events.REQUEST_STOP,
    events.COST,
    events.PROVIDER_ERROR,
    events.TOOL_STOP,
    events.TOOL_EXCEPTION,
)
INTERRUPTED: Final = "interrupted"


@dataclass(frozen=True, slots=True)
class Span:
    """Something that took time. trace, id, parent: bytes; parent b"": none. began, ended: unix
    time. client: it was asked of somebody else. error: what went wrong, "" if nothing did."""

    trace: bytes
    id: bytes
    parent: bytes
    name: str
    began: float
    ended: float
    attributes: Mapping[str, Any] = field(default_factory=dict)
    client: bool = False
    error: str = ""


class SpanMaker:
    """See the module."""

    def __init__(self) -> None:
        self._fold = TurnFold()
        self._numbers = itertools.count(1)
        self._asked: dict[tuple[str, int], float] = {}
        self._heard: dict[str, tuple[float, float]] = {}
        self._calls: dict[str, dict[str, Any]] = {}

    def hear(
        self, event: Event, measured: Mapping[str, Any], told: Mapping[str, Any], at: float
    ) -> Iterator[Span]:
        """The spans that are whole by an event, at unix time `at`."""
        call_id, turn = told.get("call_id"), told.get("turn")
        if not isinstance(call_id, str) or not call_id:
            return
        yield from self._of_call(event, measured, told, at)
        if isinstance(turn, int):
            yield from self._of_turn(event, measured, told, at, call_id, turn)
        elif event == events.SPEECH_FINAL:
            _put(self._heard, call_id, (at - measured["seconds"], at))
        for over in self._fold.hear(event, measured, told, at):
            began = over.ended_at or min(over.moments.values(), default=over.over_at)
            about = {gen_ai.TURN: over.turn, gen_ai.OUTCOME: over.outcome}
            about |= {f"aybiza.{name}_seconds": after for name, after in over.stages.items()}
            about |= {gen_ai.REQUEST_MODEL: over.about.get("model")}
            yield Span(
                _trace(call_id),
                _id(call_id, over.turn),
                _id(call_id),
                f"turn {over.turn}",
                began,
                over.over_at,
                about,
            )

    def _of_call(
        self, event: Event, measured: Mapping[str, Any], told: Mapping[str, Any], at: float
    ) -> Iterator[Span]:
        call_id = told["call_id"]
        if event == events.CALL_START:
            _put(self._calls, call_id, dict(told))
        elif event == events.CALL_STOP:
            began = self._calls.pop(call_id, {})
            self._heard.pop(call_id, None)
            about = {
                gen_ai.OPERATION: gen_ai.INVOKE_AGENT,
                gen_ai.CONVERSATION: call_id,
                gen_ai.AGENT: began.get("agent"),
                gen_ai.TENANT: began.get("tenant"),
                gen_ai.OUTCOME: told["outcome"],
                "aybiza.turns": measured["turns"],
                "aybiza.cost_usd": measured["micro_usd"] / 1_000_000,
            }
            start = at - measured["seconds"]
            yield Span(_trace(call_id), _id(call_id), b"", "call", start, at, about)

    def _of_turn(
        self,
        event: Event,
        measured: Mapping[str, Any],
        told: Mapping[str, Any],
        at: float,
        call_id: str,
        turn: int,
    ) -> Iterator[Span]:
        key = call_id, turn
        began, error, about, client = at - measured.get("seconds", 0.0), "", {}, False
        if event == events.TURN_START:
            began, ended = self._heard.pop(call_id, (at, at))
            if ended == at == began:
                return
            yield self._child(key, "stt", began, ended)
            return
        if event == events.REQUEST_START:
            _put(self._asked, key, at)
            return
        if event == events.REQUEST_STOP:
            self._asked.pop(key, None)
            name, about, client = f"chat {told['model']}", gen_ai.of_request(measured, told), True
        elif event == events.COST and told.get("estimated") and told["what"] == "model":
            began = self._asked.pop(key, at)
            ended_by = {"stop_reason": INTERRUPTED}
            about, client = gen_ai.of_request(measured, {**told, **ended_by}), True
            name = f"chat {told['model']}"
        elif event == events.PROVIDER_ERROR and told["model"]:
            began = self._asked.pop(key, at)
            about, client = gen_ai.of_request({}, told), True
            name, error = f"chat {told['model']}", str(told["kind"])
        elif event in (events.TOOL_STOP, events.TOOL_EXCEPTION):
            name = f"{gen_ai.EXECUTE_TOOL} {told['tool']}"
            about = {gen_ai.OPERATION: gen_ai.EXECUTE_TOOL, gen_ai.TOOL: told["tool"]}
            failed = event == events.TOOL_EXCEPTION or told.get("outcome") == "error"
            error = "tool_failed" if failed else ""
        elif event == events.SPEECH_FIRST_AUDIO:
            name, client = "tts", True
        else:
            return
        yield self._child(key, name, began, at, about, client=client, error=error)

    def _child(
        self,
        of: tuple[str, int],
        name: str,
        began: float,
        ended: float,
        about: Mapping[str, Any] | None = None,
        *,
        client: bool = True,
        error: str = "",
    ) -> Span:
        call_id, turn = of
        attributes = {**(about or {}), **({gen_ai.ERROR: error} if error else {})}
        own = _id(call_id, turn, name, next(self._numbers), ended)
        # The greeting is no turn of the caller.
        parent = _id(call_id) if turn == GREETING_TURN else _id(call_id, turn)
        trace = _trace(call_id)
        return Span(trace, own, parent, name, began, ended, attributes, client, error)


def _put(kept: dict[Any, Any], key: Any, value: Any) -> None:
    kept[key] = value
    if len(kept) > MAX_CALLS:
        del kept[next(iter(kept))]


def _trace(call_id: str) -> bytes:
    return hashlib.blake2b(call_id.encode("utf-8", "replace"), digest_size=16).digest()


def _id(*parts: Any) -> bytes:
    text = "\0".join(map(str, parts))
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
