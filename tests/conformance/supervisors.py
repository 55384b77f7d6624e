"""Runs supervisor scenarios: recorded trees, stimuli, and what they caused.

On real supervisors in a VM with virtual time, and with `--pure` on the decisions alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aybiza.actors.runtime import run_virtual
from tests.conformance import supervisor_pure, supervisor_world
from tests.conformance.kit import Options, Result, Runner, compare, shown
from tests.conformance.supervisor_terms import Observation, in_order


def run(file: dict[str, Any], options: Options) -> Iterable[Result]:
    """Play every scenario of `file`."""
    for scenario in file["scenarios"]:
        try:
            if options.pure:
                observed = supervisor_pure.play(scenario)
            else:
                observed = run_virtual(supervisor_world.play(scenario))
        except Exception as error:
            yield Result(scenario["name"], [f"cannot be played: {error!r}"])
        else:
            yield check(scenario, observed)


def check(scenario: dict[str, Any], observed: list[Observation]) -> Result:
    """Compare what was observed with what is recorded."""
    differences = _step("start", scenario["start"], observed[0], ordered=True)
    for number, (step, seen) in enumerate(zip(scenario["steps"], observed[1:], strict=True), 1):
        stimulus = step["do"]
        title = f"step {number} {shown(stimulus)}"
        differences += _step(title, step, seen, ordered=stimulus.get("ordered", True))
    return Result(scenario["name"], differences)


def _step(title: str, expected: dict[str, Any], seen: Observation, *, ordered: bool) -> list[str]:
    events = in_order(expected["events"], seen.unordered)
    got = in_order(seen.events, seen.unordered)
    if not ordered:
        events, got = sorted(events, key=shown), sorted(got, key=shown)
    return (
        compare(f"{title}: return", expected["return"], seen.returned)
        + compare(f"{title}: events", events, got)
        + compare(f"{title}: live", expected["live"], seen.live)
    )


FORMATS: dict[str, Runner] = {"supervisor-scenarios/1": run}
