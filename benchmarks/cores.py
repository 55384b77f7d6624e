"""Do two nodes on two cores carry twice the calls of one?

    python -m aybiza.benchmarks.cores --calls 20 --seconds 30
    for row in measured((1, 2), calls=20, seconds=30.0): print(row.line())

Callers and emulators need as many cores as the nodes do, so on a machine of few cores two nodes are
never seen at their limit. What can be seen is what of its core each node takes: idle, and with so
many calls. From that follows with how many its core is full (`filled`). The node on one core has
`calls`, each of several has about as many, so that all have the same work to share; they share
their doors, are pinned to a core each, and the kernel deals the calls out. `in_turn` of the row is
what the machine carries with calls that are dealt out evenly; `dealt` until the first core is full,
as they were dealt out here.

CPU seconds are the kernel's account of the node's processes, so who else uses the machine makes
them a little more and nothing else: caches are shared.

Errors: `StrangerError` where the nodes do not start. Exit code 1: a call failed or a turn was not
answered.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from aybiza.actors.runtime.loops import new_event_loop
from aybiza.benchmarks.load import PACING, this_node
from aybiza.benchmarks.load_bench import Bench, cpu_seconds
from aybiza.benchmarks.load_caller import Caller
from aybiza.benchmarks.soak import count

IDLE_SECONDS: Final = 10.0
SETTLE_SECONDS: Final = 2.0
LEAST_THREADS: Final = 5
"""A node has a loop and threads beside it; what keeps nodes has one thread."""


class Share(NamedTuple):
    """One node: what of its core it takes idle and busy, and with how many calls."""

    idle: float
    busy: float
    calls: float


@dataclass(slots=True)
class Row:
    """What was measured with so many nodes. `unanswered` are turns, `failures` why calls ended."""

    nodes: list[Share] = field(default_factory=list)
    core_seconds: float = 0.0
    """CPU seconds of the nodes that a minute of a call takes."""
    unanswered: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def in_turn(self) -> float:
        """Calls that fill all cores."""
        return sum(map(filled, self.nodes))

    @property
    def dealt(self) -> float:
        """Calls of all nodes when the first core is full."""
        calls = sum(node.calls for node in self.nodes)
        return min(filled(node) * calls / node.calls for node in self.nodes)

    def line(self) -> str:
        """For people."""
        shares = ", ".join(f"{n.calls:.0f} calls {n.idle:.3f} to {n.busy:.2f}" for n in self.nodes)
        return (
            f"{len(self.nodes)} nodes  {self.core_seconds:.3f} CPU s a call-minute"
            f"  {self.in_turn:.0f} calls, {self.dealt:.0f} as dealt out  ({shares} of a core)"
        )


def filled(node: Share) -> float:
    """With how many calls a node's core is full, if each takes what each has taken.

    >>> round(filled(Share(idle=0.04, busy=0.28, calls=20.0)))
    80
    """
    return (1.0 - node.idle) * node.calls / (node.busy - node.idle)


def measured(numbers: Sequence[int], *, calls: int, seconds: float) -> list[Row]:
    """A row for each number of nodes, with `calls` a node for so many `seconds`."""
    return [_measured(number, number * calls, seconds) for number in numbers]


def _measured(nodes: int, calls: int, seconds: float) -> Row:
    async def run(folder: Path) -> Row:
        command, url, more = this_node(folder)
        async with Bench([*command, "--cores", str(nodes)], url, more, core=None) as bench:
            return await _row(bench, nodes, calls, seconds)

    with (
        tempfile.TemporaryDirectory(prefix="aybiza-cores-") as folder,
        asyncio.Runner(loop_factory=new_event_loop) as runner,
    ):
        return runner.run(run(Path(folder)))


async def _row(bench: Bench, nodes: int, calls: int, seconds: float) -> Row:
    warm = [Caller(calls + number, PACING.period, PACING.greeting) for number in range(4 * nodes)]
    await asyncio.gather(*(caller.call(bench.url, PACING.period) for caller in warm))
    pids = [pid for pid in bench.server.pids() if count("task", [pid]) >= LEAST_THREADS]
    for pid, core in zip(pids, sorted(os.sched_getaffinity(0)), strict=False):
        pin(pid, core)
    await asyncio.sleep(SETTLE_SECONDS)
    open_idle = [count("fd", [pid]) for pid in pids]
    idle = await _shares(pids, IDLE_SECONDS)
    callers = [Caller(number, PACING.period, PACING.greeting) for number in range(calls)]

    async def place(caller: Caller) -> None:
        await asyncio.sleep(PACING.spread * caller.number / calls)
        await caller.call(bench.url, seconds)

    placing = asyncio.gather(*map(place, callers))
    await asyncio.sleep(PACING.spread + PACING.greeting)
    held = [count("fd", [pid]) - before for pid, before in zip(pids, open_idle, strict=True)]
    frames = sum(len(caller.late) for caller in callers)
    window = seconds - PACING.spread
    busy = await _shares(pids, window)
    minutes = 0.02 * (sum(len(caller.late) for caller in callers) - frames) / 60.0
    await placing
    await asyncio.sleep(SETTLE_SECONDS)
    stamps = bench.stamps()
    turns = [turn for caller in callers for turn in caller.turns[:-1]]
    row = Row(
        core_seconds=sum(busy) * window / minutes,
        unanswered=sum(stamps.stages(turn.word, turn.first_audio_at) is None for turn in turns),
        failures=[caller.failure for caller in callers if caller.failure],
    )
    for at_rest, at_work, more in zip(idle, busy, held, strict=True):
        row.nodes.append(Share(at_rest, at_work, max(1.0, calls * more / max(1, sum(held)))))
    return row


async def _shares(pids: Sequence[int], seconds: float) -> list[float]:
    began, before = time.monotonic(), [cpu_seconds([pid]) for pid in pids]
    await asyncio.sleep(seconds)
    took = time.monotonic() - began
    return [(cpu_seconds([pid]) - had) / took for pid, had in zip(pids, before, strict=True)]


def pin(pid: int, core: int) -> None:
    """Have all threads of a process run on one core."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread), {core})


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    options = argparse.ArgumentParser(prog="python -m aybiza.benchmarks.cores")
    options.add_argument("--calls", type=int, default=20, help="of each node")
    options.add_argument("--seconds", type=float, default=30.0)
    options.add_argument("--nodes", type=int, nargs="+", default=[1, 2])
    given = options.parse_args(argv)
    rows = measured(given.nodes, calls=given.calls, seconds=given.seconds)
    for row in rows:
        ratio = row.in_turn / rows[0].in_turn, row.dealt / rows[0].dealt
        print(f"{row.line()}  {ratio[0]:.2f} and {ratio[1]:.2f} times the first")
        if row.failures or row.unanswered:
            print(f"  {row.unanswered} turns without an answer", *row.failures[:3])
    return int(any(row.failures or row.unanswered for row in rows))


if __name__ == "__main__":
    sys.exit(main())
