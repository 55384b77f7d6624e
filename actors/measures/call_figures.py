"""How well a call went: its lines' figures in one, and a score with its parts. Pure.

    figures = combined(conversation.measured)
    score(figures, turns=5, interruptions=1, moods=[-40, 10], outcome="goodbye")

Each part goes from 0 to 1 by the table `PARTS`; of what is not known there is no part. The score is
their mean by weight, 0 to 100. It compares calls of one agent; whether the caller got what they
wanted it does not know.

Errors: none; what is no number in a line's figures counts as 0.
Source: specification 002, "Quality Optimization"; ITU-T G.107 for the MOS.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from aybiza.speech.mos import line_mos

SUMS: Final = (
    *("seconds", "caller_s", "agent_s", "talk_over_s", "talk_overs"),
    *("dead_air_s", "dead_airs", "owed_s"),
)
CODEC: Final = "g711"
"""What carriers bring telephone calls in; what they turned it into before is not told."""


def combined(lines: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of all lines of a call, as one; empty where nothing was measured.

    `response_p50`, `response_p95` and `response_max` are seconds, `mos` the E-model's; they are
    there where something of the kind was heard.
    """
    lines = list(lines)
    if not lines:
        return {}
    told: dict[str, Any] = {
        name: round(sum(_number(line.get(name)) for line in lines), 3) for name in SUMS
    }
    frames = sum(_number(line.get("frames")) for line in lines)
    if frames:
        for name in ("jitter_ms", "lost"):
            weighted = sum(_number(one.get(name)) * _number(one.get("frames")) for one in lines)
            told[name] = round(weighted / frames, 5)
        told["mos"] = round(line_mos(told["jitter_ms"], told["lost"], CODEC), 2)
    responses = sorted(
        _number(one)
        for line in lines
        for one in (line.get("responses") if isinstance(line.get("responses"), list) else ()) or ()
    )
    if responses:
        told["responses"] = len(responses)
        for name, share in (("p50", 0.5), ("p95", 0.95), ("max", 1.0)):
            at = min(len(responses) - 1, math.ceil(share * len(responses)) - 1)
            told[f"response_{name}"] = responses[max(0, at)]
    return told


class Call(NamedTuple):
    """What a part of the score is told by. interruptions: of the agent by the caller; moods: -100
    to 100 a turn of the caller."""

    figures: Mapping[str, Any]
    turns: int
    interruptions: int
    moods: Sequence[int]
    outcome: str


class Part(NamedTuple):
    """A part of the score: its weight, what tells it, and for which values it is worst and best."""

    weight: int
    of: Callable[[Call], float | None]
    worst: float
    best: float


_ENDINGS: Final[Mapping[str, float]] = {
    "goodbye": 1.0,
    "transfer": 1.0,
    "hangup": 1.0,
    "closed": 1.0,
    "silence": 0.5,
    "duration": 0.5,
}


def _share(part: str, whole: str) -> Callable[[Call], float | None]:
    def of(call: Call) -> float | None:
        total = call.figures.get(whole)
        return call.figures[part] / total if total else None

    return of


def _mood(call: Call) -> float | None:
    """How the last third of the call sounds."""
    last = call.moods[-max(1, len(call.moods) // 3) :]
    return sum(last) / len(last) if last else None


PARTS: Final[Mapping[str, Part]] = {
    "response": Part(3, lambda call: call.figures.get("response_p50"), 3.0, 0.8),
    "waiting": Part(2, _share("owed_s", "seconds"), 0.2, 0.0),
    "sound": Part(2, lambda call: call.figures.get("mos"), 2.5, 4.2),
    "mood": Part(2, _mood, -60.0, 10.0),
    "ending": Part(2, lambda call: _ENDINGS.get(call.outcome, 0.0), 0.0, 1.0),
    "talk_over": Part(1, _share("talk_over_s", "caller_s"), 0.3, 0.0),
    "interruptions": Part(
        1, lambda call: call.interruptions / call.turns if call.turns else None, 0.5, 0.0
    ),
}
"""The parts of the score."""


def score(call: Call) -> dict[str, Any]:
    """`score`, 0 to 100, and its `parts`, each 0 to 1.

    >>> score(Call({"response_p50": 0.8}, 2, 0, [], "goodbye"))
    {'score': 100, 'parts': {'response': 1.0, 'ending': 1.0, 'interruptions': 1.0}}
    >>> score(Call({"response_p50": 3.0}, 2, 1, [-80], "silence"))["score"]
    12
    """
    parts: dict[str, float] = {}
    for name, part in PARTS.items():
        value = part.of(call)
        if value is not None:
            way = (value - part.worst) / (part.best - part.worst)
            parts[name] = round(min(1.0, max(0.0, way)), 3)
    weights = sum(PARTS[name].weight for name in parts)
    whole = sum(PARTS[name].weight * value for name, value in parts.items()) / weights
    return {"score": round(100 * whole), "parts": parts}


def _number(value: Any) -> float:
    sound = isinstance(value, int | float) and math.isfinite(value)
    return float(value) if sound else 0.0
