"""Thousands of calls in one node: does its memory stay flat, and what do its metrics cost?

    python -m aybiza.benchmarks.many_calls --calls 10000        some five minutes of a processor
    placed(calls=10_000), updated(seconds=1.0)                  figures, each with its limit

The calls are placed in virtual time. Each asks two questions, has both answered, and hangs up;
`AT_ONCE` go on at a time. What the world around the node keeps of calls (its trace, the providers'
journals, the caller's side, the memory's file, which stands in the process here) is forgotten after
each round, so what is left to grow is the node's. The resident memory is looked at when a tenth of
the calls are over, for until then caches fill and Python takes what it will use again; and at the
end. What still grows are the node's bounded tables of calls that are over. Metrics are updated as
calls do it, by events.

Errors: AssertionError when a call does not come to its end. Exit code 1: a limit is passed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.measures.metrics_actor import MetricsActor
from aybiza.actors.runtime import VM
from aybiza.actors.runtime.telemetry import Event
from aybiza.benchmarks.runtime import Figure
from aybiza.faults.caller import hangs_up, says
from aybiza.faults.world import World, in_world

AT_ONCE: Final = 20
SETTLED_SHARE: Final = 0.1
SETTLE_SECONDS: Final = 60.0
GROWTH_BYTES: Final = 2_000.0
"""A call, at most: what the tables keep of one until they are full is some 1,000."""
UPDATES_A_SECOND: Final = 5_000
UPDATES_PERCENT: Final = 3.0
"""Of a processor."""
STEPS: Final = (
    says("What are your hours?"),
    says("And on Sunday?"),
    hangs_up(),
)
ANSWERS: Final = {
    "What are your hours?": ["We are open from nine to five.", "On Saturdays until noon."],
    "And on Sunday?": ["On Sundays we are closed."],
}


@dataclass
class ManyCalls:
    """See the module. Memory is in MB; `cpu_ms`: of this process, a call."""

    calls: int = 0
    settled_mb: float = 0.0
    ended_mb: float = 0.0
    cpu_ms: float = 0.0
    left: int = 0

    def figures(self) -> list[Figure]:
        """What it comes to."""
        measured = self.calls * (1 - SETTLED_SHARE)
        growth = (self.ended_mb - self.settled_mb) * 2**20 / measured if measured else 0.0
        return [
            Figure("calls", self.calls, ""),
            Figure("resident when a tenth was over", self.settled_mb, "MB"),
            Figure("resident at the end", self.ended_mb, "MB"),
            Figure("growth a call", growth, "B", GROWTH_BYTES),
            Figure("processes left over", self.left, "", 0),
            Figure("processor, all of the world", self.cpu_ms, "ms/call"),
        ]


def placed(calls: int) -> ManyCalls:
    """So many calls, in rounds of `AT_ONCE`."""
    told = ManyCalls()
    rounds = max(1, calls // AT_ONCE)
    settled = max(1, int(rounds * SETTLED_SHARE))

    async def run(world: World) -> None:
        began = time.process_time()
        for number in range(rounds):
            async with AsyncExitStack() as stack:
                under_way = [
                    await stack.enter_async_context(
                        world.call(*STEPS, call_id=f"CA{number}x{one}", limit_s=600)
                    )
                    for one in range(AT_ONCE)
                ]
                for call in under_way:
                    report = await call.over()
                    assert report.ok, report.failure
            await world.until(lambda: world.labels() == world.idle, SETTLE_SECONDS)
            forget(world)
            told.calls += AT_ONCE
            if number + 1 == settled:
                told.settled_mb = resident_mb()
        told.ended_mb = resident_mb()
        told.left = len(world.labels()) - len(world.idle)
        told.cpu_ms = (time.process_time() - began) * 1000 / told.calls

    in_world(run, answers=ANSWERS, frames=25)
    return told


def forget(world: World) -> None:
    """Let go of what is kept for judges of the calls, and is none of the node's."""
    for call in world.calls:
        world.store.forget([call.call_id])
        world.lines.pop(call.call_id, None)
    world.calls.clear()
    world.journals.forget_told()
    world.trace.clear()
    world.bedrock.journal.clear()
    world.deepgram.forget()


async def updated(seconds: float = 1.0) -> list[Figure]:
    """What so many seconds' worth of updates costs a node whose metrics listen."""
    count = int(UPDATES_A_SECOND * seconds)
    async with VM("metrics") as vm:
        await vm.start(MetricsActor)
        for _ in range(100):
            _update(vm)
        began = time.process_time()
        for _ in range(count // len(_UPDATES)):
            _update(vm)
        spent = time.process_time() - began
    share = 100.0 * spent / seconds
    return [Figure(f"{UPDATES_A_SECOND:,} metric updates a second", share, "%", UPDATES_PERCENT)]


_UPDATES: Final[tuple[tuple[Event, dict[str, Any]], ...]] = (
    (events.TURN_ENDED, {"call_id": "CA1", "turn": 1, "outcome": "answered"}),
    (events.TURN_ANSWERED, {"seconds": 0.8, "call_id": "CA1", "turn": 1}),
    (events.REQUEST_FIRST_TOKEN, {"seconds": 0.3, "model": "haiku", "region": "us-east-1"}),
    (events.SPEECH_FINAL, {"seconds": 0.2, "call_id": "CA1"}),
    (events.SPEECH_FIRST_AUDIO, {"seconds": 0.1, "call_id": "CA1", "turn": 1, "seq": 1}),
)


def _update(vm: VM) -> None:
    """One update each of counters and histograms, with labels and without."""
    for event, told in _UPDATES:
        emit(vm, event, **told)


def resident_mb() -> float:
    """The memory of this process that is in use."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 2**20


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    options = argparse.ArgumentParser(prog="python -m aybiza.benchmarks.many_calls")
    options.add_argument("--calls", type=int, default=10_000)
    given = options.parse_args(argv)
    figures = [*asyncio.run(updated()), *placed(given.calls).figures()]
    for figure in figures:
        limit = "" if figure.target is None else f"at most {figure.target:g}"
        print(f"{figure.name:36} {figure.value:12,.2f} {figure.unit:8} {limit}".rstrip())
    return int(any(figure.missed for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
