"""The search: random plans over random calls until the time is over.

    result = explore(seed=1, minutes=5.0, folder=Path("found"), tell=print)

Each plan is tried in a world of its own; one that breaks an invariant is shrunk and written as a
TOML file, one for each kind of break. `jobs` processes share the plans; which plans there are does
not depend on how many.
"""

from __future__ import annotations

import gc
import math
import multiprocessing
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NamedTuple

from aybiza.dialogue.conversation import Phase
from aybiza.faults.fed import unfed
from aybiza.faults.plan import Plan
from aybiza.faults.random_aims import PHASES
from aybiza.faults.random_plans import drawn, plan_of
from aybiza.faults.shrink import MOST, shrunk
from aybiza.faults.transitions import Row, table, untaken
from aybiza.faults.trial import Outcome, tried

BATCH: Final = 5
# Of one kind of break so many are shrunk: the first may be two kinds at once.
SHRUNK: Final = 2
# When the time is over what was found last is shrunk for so long at most.
SHRINK_SECONDS: Final = 20.0

Tell = Callable[[str], None]


class Cell(NamedTuple):
    """What is covered: a fault, whom it struck, and what the call was doing."""

    what: str
    whom: str
    phase: str


class Found(NamedTuple):
    """A plan that breaks something, and what is broken."""

    plan: Plan
    broken: list[str]


@dataclass
class Exploration:
    """What a search has come to."""

    seed: int
    plans: int = 0
    broken: int = 0
    seconds: float = 0.0
    cells: Counter[Cell] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    rows: Counter[Row] = field(default_factory=Counter)
    fed: set[str] = field(default_factory=set)
    files: list[Path] = field(default_factory=list)
    until: float = math.inf
    """When to shrink no more, in seconds of `time.monotonic`."""

    def coverage(self) -> list[str]:
        """Lines that tell which faults struck in which phases, and how often."""
        phases = ("none", *(phase.value for phase in Phase))
        rows = sorted({(cell.what, cell.whom) for cell in self.cells})
        head = f"{'fault':<26}{'where':<26}" + "".join(f"{phase[:9]:>10}" for phase in phases)
        lines = [head]
        for what, whom in rows:
            counts = (self.cells[Cell(what, whom, phase)] for phase in phases)
            figures = "".join(f"{count or '.':>10}" for count in counts)
            lines.append(f"{what:<26}{whom:<26}{figures}")
        return lines

    def pairs(self) -> list[str]:
        """Lines that tell in how many pairs of a phase of the call and a kind of fault, of those
        that the search draws, the fault has struck in that phase, and in which it has not."""
        met = {(cell.what, cell.phase) for cell in self.cells}
        kinds = sorted(drawn())
        lines, most = [], len(kinds) * len(PHASES)
        for phase in PHASES:
            left = [kind for kind in kinds if (kind, phase) not in met]
            there = len(kinds) - len(left)
            told = f"; not: {', '.join(left)}" if left else ""
            lines.append(f"  {phase}: {there} of {len(kinds)} kinds of faults{told}")
        count = sum((kind, phase) in met for kind in kinds for phase in PHASES)
        return [*lines, f"phases and faults: {count} of {most} pairs met, {most - count} not"]

    def gaps(self) -> list[str]:
        """Lines that tell what no plan has come to: rows of the turn machine, and metrics."""
        there = table()
        lines = [f"turn machine: {len(there & set(self.rows))} of {len(there)} rows; not come to:"]
        lines += [f"  {line}" for line in untaken(self.rows)]
        return [*lines, f"metrics never fed: {', '.join(unfed(self.fed)) or 'none'}"]

    def last_line(self) -> str:
        """The result in a line."""
        return f"explored {self.plans} plans, {self.broken} broken (seed {self.seed})"


def explore(
    seed: int,
    *,
    minutes: float | None = None,
    plans: int | None = None,
    folder: Path | None = None,
    jobs: int = 1,
    trials: int = MOST,
    tell: Tell = lambda line: None,
) -> Exploration:
    """Search for so long, or so many plans; a plan is shrunk in so many `trials` at most."""
    began = time.monotonic()
    until = None if minutes is None else began + minutes * 60.0
    result = Exploration(seed, until=math.inf if until is None else until + SHRINK_SECONDS)
    for outcomes in _batches(seed, jobs, until, plans):
        for number, outcome in outcomes:
            _take(result, number, outcome, folder, trials, tell)
    result.seconds = time.monotonic() - began
    return result


class Light(NamedTuple):
    """What is kept of an outcome."""

    broken: list[str]
    cells: list[Cell]
    fed: set[str]
    rows: Counter[Row]


def _batches(
    seed: int, jobs: int, until: float | None, plans: int | None
) -> Iterator[list[tuple[int, Light]]]:
    def ranges() -> Iterator[tuple[int, range]]:
        first = 1
        while plans is None or first <= plans:
            if until is not None and time.monotonic() >= until:
                return
            last = first + BATCH if plans is None else min(first + BATCH, plans + 1)
            yield seed, range(first, last)
            first = last

    if jobs == 1:
        yield from map(_try_batch, ranges())
        return
    context = multiprocessing.get_context("forkserver")
    # Imported once, not by each process.
    context.set_forkserver_preload([__name__])
    with context.Pool(jobs, initializer=_begin) as pool:
        waiting = []
        for task in ranges():
            waiting.append(pool.apply_async(_try_batch, (task,)))
            if len(waiting) > 2 * jobs:
                yield waiting.pop(0).get()
        for one in waiting:
            yield one.get()


def _begin() -> None:
    """What has been imported lives as long as the process."""
    gc.collect()
    gc.freeze()


def _try_batch(task: tuple[int, range]) -> list[tuple[int, Light]]:
    seed, numbers = task
    return [(number, _light(tried(plan_of(seed, number)))) for number in numbers]


def _light(outcome: Outcome) -> Light:
    cells = [
        Cell(strike.fault.what, strike.whom.partition("#")[0], strike.phase)
        for strike in outcome.strikes
    ]
    return Light(outcome.broken, cells, outcome.fed, outcome.rows)


def _take(
    result: Exploration,
    number: int,
    light: Light,
    folder: Path | None,
    trials: int,
    tell: Tell,
) -> None:
    broken = light.broken
    result.plans += 1
    result.cells.update(light.cells)
    result.rows.update(light.rows)
    result.fed |= light.fed
    if not broken:
        return
    result.broken += 1
    plan = plan_of(result.seed, number)
    for name in dict.fromkeys(line.partition(":")[0] for line in broken):
        if f"{name}: no fault" in result.kinds:
            result.kinds[f"{name}: no fault"] += 1
            continue
        if time.monotonic() >= result.until:
            result.kinds[f"{name}: not looked into"] += 1
            continue
        guilty = _guilty(plan, name)
        kind = f"{name}: " + (" ".join(sorted(f.what for f in guilty.faults)) or "no fault")
        result.kinds[kind] += 1
        if result.kinds[kind] > SHRUNK:
            continue
        found = smallest(guilty, name, trials, result.until)
        tell(f"{plan.title}: {found.broken[0]}")
        if folder is not None:
            result.files.append(written(found, kind, folder))
            tell(f"  shrunk to {result.files[-1]}")


def _breaks(plan: Plan, name: str) -> bool:
    return any(line.startswith(f"{name}:") for line in tried(plan).broken)


def _guilty(plan: Plan, name: str) -> Plan:
    """The plan with no fault, or with the one fault, that is enough to break the invariant."""
    if _breaks(innocent := replace(plan, faults=()), name):
        return innocent
    if len(plan.faults) > 1:
        for fault in plan.faults:
            if _breaks(alone := replace(plan, faults=[fault]), name):
                return alone
    return plan


def smallest(plan: Plan, name: str, trials: int = MOST, until: float = math.inf) -> Found:
    """The plan shrunk for as long as the invariant of this name stays broken, and there is time."""

    def breaks(proposal: Plan) -> bool:
        return time.monotonic() < until and _breaks(proposal, name)

    small = shrunk(plan, breaks, trials)
    lines = [line for line in tried(small).broken if line.startswith(f"{name}:")]
    return Found(replace(small, title=lines[0]), lines)


def written(found: Found, kind: str, folder: Path) -> Path:
    """Write the plan of a break, named for its kind; the path."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"[^a-z_]+", "_", kind.lower()).strip("_")
    path = folder / f"{stem}.toml"
    count = 1
    while path.exists():
        count += 1
        path = folder / f"{stem}_{count}.toml"
    path.write_text(found.plan.text(), encoding="utf-8")
    return path
