"""Where the time of an answer goes: each component of a turn against its budget. Pure.

    for part in components(turns):
        print(part.name, part.budget_ms, part.p50_ms, part.share, part.verdict)

A turn's response is the time from the end of the caller's voice to the first frame of the answer.
The stages of a turn are moments; what a component took is what its stages added to those before,
so the components of a turn add up to its response, whichever stages it lacks and in whatever order
they came (an answer that is begun early has asked before the turn was over). The network stands
beside them: the way from the edge network to the node is measured once a call, ahead of all turns.

Errors: none; turns without a response, or without their beginning, are left out.
Source: specification 002, "Latency Budget Breakdown" and section D, "High Latency".
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from aybiza.actors.measures.report import ANSWERED, FASTER
from aybiza.actors.measures.turn_fold import STAGES
from aybiza.claude.intervals import percentile

WHOLE: Final = "response"
NETWORK: Final = "network"
BUDGETS: Final[Mapping[str, float]] = {
    "stt": 80.0,
    "node": 10.0,
    "llm": 120.0,
    "tts": 70.0,
    NETWORK: 30.0,
    WHOLE: 200.0,
}
"""Milliseconds. `node` is what this project allows itself (`aybiza bench turn --check`)."""

_OF: Final[Mapping[str, str]] = {
    "end_of_turn": "stt",
    "request": "node",
    "first_token": "llm",
    "first_sentence": "llm",
    "first_audio": "tts",
    "first_frame": "node",
}
"""The component that a stage belongs to."""

_EDGE_ADVICE: Final = "add an origin nearer to the callers, or let the edge route by country"

Verdict = Literal["met", "tail", "over", "unknown"]


@dataclass(frozen=True, slots=True)
class Component:
    """What a component took. p50_ms, p95_ms: of the turns that have it; share: of all the time that
    callers waited, 0 to 1, None for the network; over: the share of turns above the budget.
    advice: what makes it faster, where the budget is not met."""

    name: str
    budget_ms: float
    turns: int
    p50_ms: float | None
    p95_ms: float | None
    share: float | None
    over: float | None
    verdict: Verdict
    advice: str = ""


def took(turn: Mapping[str, Any]) -> dict[str, float]:
    """Milliseconds of each stage of an answered turn; empty where its response is not known.

    >>> took({"outcome": "answered", "end_of_turn": 0.2, "request": 0.21, "first_frame": 0.5})
    {'end_of_turn': 200.0, 'request': 10.0, 'first_frame': 290.0}
    """
    if turn.get("outcome") != ANSWERED or turn.get("first_frame") is None:
        return {}
    end = max(0.0, float(turn["first_frame"]))
    spent: dict[str, float] = {}
    reached = 0.0
    for stage in STAGES:
        at = turn.get(stage)
        if at is None:
            continue
        now = min(end, max(reached, float(at)))
        spent[stage] = round((now - reached) * 1000.0, 3)
        reached = now
    return spent


def components(
    turns: Iterable[Mapping[str, Any]], budgets: Mapping[str, float] = BUDGETS
) -> list[Component]:
    """The components in the order in which a turn passes them, the network, and the whole."""
    turns = list(turns)
    spent = [stages for turn in turns if (stages := took(turn))]
    waited = sum(sum(stages.values()) for stages in spent)
    found = []
    for name in dict.fromkeys(_OF.values()):
        values = [
            sum(ms for stage, ms in stages.items() if _OF[stage] == name)
            for stages in spent
            if any(_OF[stage] == name for stage in stages)
        ]
        share = sum(values) / waited if waited else None
        found.append(_component(name, budgets, values, share, _advice(name, spent)))
    edges = [float(turn["edge_ms"]) for turn in turns if turn.get("edge_ms") is not None]
    found.append(_component(NETWORK, budgets, edges, None, _EDGE_ADVICE))
    whole = [sum(stages.values()) for stages in spent]
    found.append(_component(WHOLE, budgets, whole, 1.0 if waited else None, ""))
    return found


def slowest(found: Sequence[Component]) -> Component | None:
    """The component that is furthest over its budget; None where all are met."""
    over = [part for part in found if part.verdict == "over" and part.name != WHOLE]
    return max(over, key=lambda part: (part.p50_ms or 0.0) - part.budget_ms, default=None)


def _advice(name: str, spent: Iterable[Mapping[str, float]]) -> str:
    """What to do about the stage of this component that takes most."""
    stages: Counter[str] = Counter()
    for each in spent:
        stages.update({stage: ms for stage, ms in each.items() if _OF[stage] == name})
    return FASTER[stages.most_common(1)[0][0]] if stages else ""


def _component(
    name: str,
    budgets: Mapping[str, float],
    values: Sequence[float],
    share: float | None,
    advice: str,
) -> Component:
    budget = budgets[name]
    if not values:
        return Component(name, budget, 0, None, None, None, None, "unknown")
    p50, p95 = statistics.median(values), percentile(values, 95)
    assert p95 is not None
    verdict: Verdict = "met" if p95 <= budget else "tail" if p50 <= budget else "over"
    over = sum(value > budget for value in values) / len(values)
    told = "" if verdict == "met" else advice
    return Component(
        name, budget, len(values), round(p50, 1), round(p95, 1), share, over, verdict, told
    )
