"""Call after call to a running node: do its memory, descriptors, threads and times stay flat?

    python -m aybiza.benchmarks.soak --calls 10000 --at-once 20
    soaked(calls=10_000, at_once=20, tell=print)

The node is a process of its own, as `aybiza run` starts it, with sockets, threads and stores;
strict emulators of its providers and the callers are in this one. A call hears the greeting, asks
once, is answered and hangs up. When a tenth of the calls are over the node is looked at, between
calls: all of its processes' memory (a page that several share counted once), descriptors and
threads, and the overhead of the turns since the last look, as `aybiza.benchmarks.load` measures it.

`many_calls` is the same in virtual time, where a call costs less and has no sockets.

Errors: `StrangerError` where the node does not start. Exit code 1: a call failed or was not
answered, or what is looked at has grown (`Soak.grown`).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from aybiza.actors.runtime.loops import new_event_loop
from aybiza.benchmarks.load import this_node
from aybiza.benchmarks.load_bench import Bench, share
from aybiza.benchmarks.load_caller import Caller

LOOKS: Final = 10
GREETING_SECONDS: Final = 3.0
"""The greeting is over by then: who breaks into it is another matter."""
ASKED_SECONDS: Final = 3.0
SETTLE_SECONDS: Final = 2.0
MOST_MB: Final = 12.0
"""That the memory may have grown by from the second look to the last: tables of calls that are over
fill until they are full."""
MOST_LEFT: Final = 6
"""Descriptors and threads, likewise: a connection to Bedrock more or less is open at any time."""


class Look(NamedTuple):
    """What the node has, when so many calls are over; `overhead_ms`: p50 and p95 since the last."""

    calls: int
    memory_mb: float
    descriptors: int
    threads: int
    overhead_ms: tuple[float | None, float | None]

    def line(self) -> str:
        """For people."""
        p50, p95 = (f"{value:.0f}" if value is not None else "-" for value in self.overhead_ms)
        return (
            f"{self.calls:>7} calls  {self.memory_mb:7.1f} MB  {self.descriptors:4} descriptors"
            f"  {self.threads:3} threads  overhead p50 {p50} ms, p95 {p95} ms"
        )


@dataclass(slots=True)
class Soak:
    """See the module. `unanswered` are turns, `failures` why calls ended before their time."""

    looks: list[Look] = field(default_factory=list)
    unanswered: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def grown(self) -> list[str]:
        """What has grown from the second look to the last one, in words."""
        if len(self.looks) < 3:
            return []
        first, last = self.looks[1], self.looks[-1]
        grown = {
            "memory": (last.memory_mb - first.memory_mb, MOST_MB),
            "descriptors": (last.descriptors - first.descriptors, MOST_LEFT),
            "threads": (last.threads - first.threads, MOST_LEFT),
        }
        return [f"{what}: {by:+.1f}" for what, (by, most) in grown.items() if by > most]


def soaked(
    calls: int,
    at_once: int = 20,
    *,
    tell: Callable[[str], None] = lambda _: None,
    looks: int = LOOKS,
) -> Soak:
    """So many calls, `at_once` of them at a time; each look is told as it is taken."""

    async def run(folder: Path) -> Soak:
        command, url, more = this_node(folder)
        async with Bench(command, url, more, core=None) as bench:
            return await _soak(bench, calls, at_once, looks, tell)

    with (
        tempfile.TemporaryDirectory(prefix="aybiza-soak-") as folder,
        asyncio.Runner(loop_factory=new_event_loop) as runner,
    ):
        return runner.run(run(Path(folder)))


async def _soak(
    bench: Bench, calls: int, at_once: int, looks: int, tell: Callable[[str], None]
) -> Soak:
    soak = Soak()
    for look in range(looks):
        numbers = iter(range(calls * look // looks, calls * (look + 1) // looks))
        callers: list[Caller] = []

        async def one_after_the_other(delay: float) -> None:
            await asyncio.sleep(delay)
            for number in numbers:  # noqa: B023
                caller = Caller(number, period=60.0, greeting=GREETING_SECONDS)
                callers.append(caller)  # noqa: B023
                await caller.call(bench.url, ASKED_SECONDS)

        whole = GREETING_SECONDS + ASKED_SECONDS
        await asyncio.gather(*(one_after_the_other(whole * i / at_once) for i in range(at_once)))
        await asyncio.sleep(SETTLE_SECONDS)
        turns = [turn for caller in callers for turn in caller.turns]
        stamps = bench.stamps()
        times = [stamps.stages(turn.word, turn.first_audio_at) for turn in turns]
        bench.forget()
        soak.unanswered += times.count(None)
        soak.failures += [caller.failure for caller in callers if caller.failure]
        overhead = [1000 * sum(stages) for stages in times if stages is not None]
        pids = bench.server.pids()
        soak.looks.append(
            Look(
                calls * (look + 1) // looks,
                bench.memory_mb(),
                count("fd", pids),
                count("task", pids),
                (share(overhead, 0.5), share(overhead, 0.95)),
            )
        )
        tell(soak.looks[-1].line())
    return soak


def count(what: str, pids: Sequence[int]) -> int:
    """How many entries these processes have together below `/proc/PID/<what>`."""
    found = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            found += len(os.listdir(f"/proc/{pid}/{what}"))
    return found


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    options = argparse.ArgumentParser(prog="python -m aybiza.benchmarks.soak")
    options.add_argument("--calls", type=int, default=10_000)
    options.add_argument("--at-once", type=int, default=20)
    given = options.parse_args(argv)
    began = time.monotonic()
    soak = soaked(given.calls, given.at_once, tell=lambda line: print(line, flush=True))
    print(f"{time.monotonic() - began:.0f} s, {soak.unanswered} turns without an answer")
    for line in [*soak.grown, *soak.failures[:LOOKS]]:
        print(line)
    return int(bool(soak.grown or soak.failures or soak.unanswered))


if __name__ == "__main__":
    sys.exit(main())
