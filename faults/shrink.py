"""Shrinking: the smallest plan that breaks the same invariant.

Faults, steps, answers and what is set of the agent are left out, numbers made rounder, for as long
as what was broken still breaks. Each proposal is tried once; `most` bounds the trials.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from typing import Any, Final

from aybiza.faults.fault import Fault
from aybiza.faults.plan import FRAMES, Plan

MOST: Final = 120

Breaks = Callable[[Plan], bool]

_USUAL: Final[Sequence[dict[str, Any]]] = (
    {"guardrail": ()},
    {"parties": {}},
    {"thinks_ms": 400.0},
    {"delta_ms": 30.0},
    {"frames": FRAMES},
)
_ROUND: Final = ("at", "delay", "seconds", "into", "probability")


def shrunk(plan: Plan, breaks: Breaks, most: int = MOST) -> Plan:
    """The smallest plan found for which `breaks` holds, as it does for `plan`."""
    left = most
    seen = {plan.text()}
    while left > 0:
        for proposal in _smaller(plan):
            if proposal.text() in seen:
                continue
            seen.add(proposal.text())
            left -= 1
            if breaks(proposal):
                plan = proposal
                break
            if left <= 0:
                break
        else:
            break
    return plan


def _smaller(plan: Plan) -> Iterator[Plan]:
    """Smaller plans, those that leave out most first."""
    for index in range(len(plan.faults)):
        yield replace(plan, faults=_without(plan.faults, index))
    for index in reversed(range(len(plan.steps) - 1)):
        yield replace(plan, steps=_without(plan.steps, index))
    said = " ".join(str(value) for step in plan.steps for value in step.values())
    needless = [text for text in plan.answers if text not in said]
    if needless:
        kept = {text: given for text, given in plan.answers.items() if text not in needless}
        yield replace(plan, answers=kept)
    for text, given in plan.answers.items():
        for shorter in _shorter(given):
            yield replace(plan, answers={**plan.answers, text: shorter})
    for index, fault in enumerate(plan.faults):
        for simpler in _simpler(fault):
            yield replace(plan, faults=[*plan.faults[:index], simpler, *plan.faults[index + 1 :]])
    for name in plan.agent:
        kept_fields = {key: value for key, value in plan.agent.items() if key != name}
        yield replace(plan, agent=kept_fields)
    for usual in _USUAL:
        if (simpler_plan := replace(plan, **usual)) != plan:
            yield simpler_plan


def _without(items: Any, index: int) -> list[Any]:
    return [*items[:index], *items[index + 1 :]]


def _shorter(given: Any) -> Iterator[list[Any]]:
    if len(given) > 1:
        yield list(given[-1:])
    last = given[-1]
    if isinstance(last, str) and last.count(". ") > 0:
        yield [*given[:-1], last[: last.rindex(". ") + 1]]


def _simpler(fault: Fault) -> Iterator[Fault]:
    for one in fields(Fault):
        value = getattr(fault, one.name)
        if one.name in ("times", "nth", "delay", "into", "count") and value != one.default:
            yield _with(fault, one.name, one.default)
    if fault.nth > 1:
        yield replace(fault, nth=fault.nth - 1)
    for name in _ROUND:
        value = getattr(fault, name)
        if isinstance(value, float):
            for places in (0, 1):
                if (rounder := round(value, places)) != value and rounder > 0:
                    yield _with(fault, name, rounder)


def _with(fault: Fault, name: str, value: Any) -> Fault:
    changes: dict[str, Any] = {name: value}
    return replace(fault, **changes)
