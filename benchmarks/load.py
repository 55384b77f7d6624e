"""What anybody's server adds to a turn, and what it takes, by the number of calls on one core.

    load = measured(["python", "bot.py"], "ws://127.0.0.1:{port}/ws", calls=20, seconds=60.0)

The server has a core to itself; providers (strict emulators that take their time) and callers share
another one. Each caller asks every five seconds. A turn is stamped on the machine's one clock where
it crosses from one process to another, and told apart by a word that question and answer hold:

    hear     final transcript sent by Deepgram      → request arrives at Bedrock
    think    first token sent by Bedrock            → first sentence arrives at Deepgram
    speak    first audio sent by Deepgram           → first media message at the telephone

Their sum is the overhead. With `breaks_in` callers break into the answers: then the time is told
from the first sample of theirs to `clear`, the recogniser's own time included. CPU and memory are
of all processes that the server has. `late` tells how late the callers' own frames left: above 10
ms the callers' core is full and the figures are of it.

Errors: `StrangerError`, with the end of the server's output, for a server that does not come up.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from aybiza.actors.runtime.loops import new_event_loop
from aybiza.benchmarks.load_bench import Bench, share
from aybiza.benchmarks.load_caller import Caller
from aybiza.config.agents import FOLDER as AGENTS
from aybiza.config.ports import free_port

STAGES: Final = ("hear", "think", "speak")
FIRST_TURNS_LEFT_OUT: Final = 1
LATE_MS: Final = 10.0
GIVEN_BACK_SECONDS: Final = 5.0
USD_A_CORE_HOUR: Final = 0.0446
"""A virtual core of an AWS c7i in us-east-1, on demand: half of a c7i.large."""
BREAKS_IN_SECONDS: Final = 0.4


class Pacing(NamedTuple):
    """Seconds: between two questions of a caller, before the first one, and over which the calls
    begin, as they come in life."""

    period: float = 5.0
    greeting: float = 4.0
    spread: float = 5.0


PACING: Final = Pacing()


@dataclass(slots=True)
class Load:
    """What was measured with so many calls; times in milliseconds, `late` of the callers too."""

    calls: int
    stages: dict[str, list[float]] = field(default_factory=lambda: {s: [] for s in STAGES})
    overhead: list[float] = field(default_factory=list)
    asked: int = 0
    unanswered: int = 0
    gaps: int = 0
    late: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0
    call_minutes: float = 0.0
    seconds: float = 0.0
    idle_mb: float = 0.0
    busy_mb: float = 0.0
    left_mb: float = 0.0
    cleared: list[float] = field(default_factory=list)
    uncleared: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def core_seconds(self) -> float:
        """Seconds of a core that a minute of a call takes."""
        return self.cpu_seconds / max(self.call_minutes, 1e-9)

    @property
    def holds(self) -> bool:
        """Whether a caller would have nothing to complain of but the time: all is answered, in one
        piece."""
        return not (self.failures or self.unanswered or self.gaps)

    def as_dict(self) -> dict[str, Any]:
        """Figures with their units in their names, for tables and `--json`."""
        return {
            "calls": self.calls,
            "overhead_p50_ms": share(self.overhead, 0.50),
            "overhead_p95_ms": share(self.overhead, 0.95),
            **{f"{name}_p50_ms": share(values, 0.50) for name, values in self.stages.items()},
            "cpu_seconds_a_call_minute": round(self.core_seconds, 3),
            "share_of_the_core": round(self.cpu_seconds / max(self.seconds, 1e-9), 2),
            "mb_a_call": round((self.busy_mb - self.idle_mb) / self.calls, 2),
            "mb_left_a_call": round((self.left_mb - self.idle_mb) / self.calls, 2),
            "idle_mb": round(self.idle_mb, 1),
            "usd_of_cores_a_thousand_call_minutes": round(
                1000 * self.core_seconds * USD_A_CORE_HOUR / 3600, 4
            ),
            "clear_p50_ms": share(self.cleared, 0.50),
            "clear_p95_ms": share(self.cleared, 0.95),
            "uncleared": self.uncleared,
            "asked": self.asked,
            "unanswered": self.unanswered,
            "gaps": self.gaps,
            "late_p95_ms": share(self.late, 0.95),
            "failures": self.failures,
        }


def measured(
    command: Sequence[str],
    url: str,
    *,
    calls: int,
    seconds: float,
    more: Mapping[str, str] | None = None,
    pace: Pacing = PACING,
    breaks_in: float | None = None,
) -> Load:
    """Measure a server that `command` starts, called at `url`; `more` is for its environment.
    `breaks_in`: seconds of an answer after which the caller breaks into it; None: never.

    `{port}` and `{port2}` stand for free ports, in both.
    """
    cores = sorted(os.sched_getaffinity(0))
    callers = [Caller(number, pace.period, pace.greeting, breaks_in) for number in range(calls)]

    async def run() -> Load:
        async with Bench(command, url, more or {}, cores[0]) as bench:
            return await _measured(bench, callers, seconds, pace)

    try:
        if len(cores) > 1:
            os.sched_setaffinity(0, cores[1:])
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            return runner.run(run())
    finally:
        os.sched_setaffinity(0, cores)


def this_node(folder: Path) -> tuple[list[str], str, dict[str, str]]:
    """Command, address and environment of this project's own node, for `measured`."""
    agent = folder / "clinic.toml"
    given = (AGENTS / "clinic.toml").read_text(encoding="utf-8")
    # An answer that is begun before the final transcript would hide the first stage.
    agent.write_text(f"eager_answers = 0\n{given}", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "aybiza.console",
        "run",
        "--http-port",
        "{port}",
        "--media-port",
        "{port2}",
    ]
    told = {
        "AYBIZA_AGENT": str(agent),
        # Measured is what a model's answer takes.
        "EDGE_CACHE_ENABLED": "false",
        "AYBIZA_MAX_CALLS": "1000",
        "AYBIZA_BIND": "127.0.0.1",
        "AYBIZA_CLUSTER_PORT": str(free_port()),
        "AYBIZA_MEMORY_PATH": str(folder / "memory.sqlite3"),
        "AYBIZA_LOG_LEVEL": "warning",
        "AYBIZA_PUBLIC_URL": "",
        "TWILIO_AUTH_TOKEN": "",
    }
    return command, "ws://127.0.0.1:{port2}/media", told


_HEAD: Final = ("calls", "ms p50", "p95", *STAGES, "CPU s/min", "core", "MB/call", "gaps", "lost")
_COLUMNS: Final = "{:>5} {:>8} {:>7} {:>6} {:>6} {:>6} {:>9} {:>5} {:>7} {:>5} {:>5}"
TABLE: Final = _COLUMNS.format(*_HEAD)
"""The head of a table of loads: overhead, its stages' p50, CPU of a call-minute, share of the core,
memory of a further call, gaps, turns without an answer."""
MARKDOWN: Final = f"| {' | '.join(_HEAD)} |\n|{'---|' * len(_HEAD)}"
"""The same for a page of `docs/`."""


def row(load: Load, *, markdown: bool = False) -> str:
    """A line of that table."""
    told = load.as_dict()
    shown = [
        "calls",
        "overhead_p50_ms",
        "overhead_p95_ms",
        *(f"{name}_p50_ms" for name in STAGES),
        "cpu_seconds_a_call_minute",
        "share_of_the_core",
        "mb_a_call",
        "gaps",
        "unanswered",
    ]
    figures = ["-" if told[name] is None else f"{told[name]:g}" for name in shown]
    late = told["late_p95_ms"] or 0.0
    full = f"  callers {late:g} ms late" if late > LATE_MS else ""
    if markdown:
        return f"| {' | '.join(figures)} |{full}"
    return _COLUMNS.format(*figures) + full


def details(load: Load) -> str:
    """What the table has no room for."""
    told = load.as_dict()
    parts = [
        f"{told['mb_left_a_call']:g} MB a call not given back",
        f"{told['usd_of_cores_a_thousand_call_minutes']:g} USD of cores a 1000 call-minutes",
    ]
    if load.cleared or load.uncleared:
        parts.append(
            f"break-in to clear p95 {told['clear_p95_ms']} ms, {load.uncleared} not cleared"
        )
    return ", ".join(parts)


def most_calls(
    measure: Callable[[int], Load], limit_ms: float, *, first: int = 10, most: int = 1000
) -> tuple[int, list[Load]]:
    """How many calls a core carries with an overhead of at most `limit_ms` (p95), every turn
    answered and without a gap: doubled until it does not hold, then halved between to a tenth.
    With all that was measured; 0 if `first` does not hold."""
    loads: list[Load] = []

    def holds(calls: int) -> bool:
        loads.append(measure(calls))
        p95 = share(loads[-1].overhead, 0.95)
        return loads[-1].holds and p95 is not None and p95 <= limit_ms

    good, bad, calls = 0, most + 1, first
    while calls <= most and holds(calls):
        good, calls = calls, 2 * calls
    bad = min(calls, bad)
    while good and bad - good > max(1, good // 10):
        between = (good + bad) // 2
        good, bad = (between, bad) if holds(between) else (good, between)
    return good, loads


async def _measured(bench: Bench, callers: Sequence[Caller], seconds: float, pace: Pacing) -> Load:
    calls = len(callers)
    # What the first call brings into memory is not the price of a further one.
    first = Caller(calls, pace.period, pace.greeting)
    await first.call(bench.url, pace.period)
    load = Load(calls, failures=[first.failure] if first.failure else [])
    load.idle_mb = bench.memory_mb()
    began, cpu = time.monotonic(), bench.cpu_seconds()

    async def place(caller: Caller) -> None:
        await asyncio.sleep(pace.spread * caller.number / calls)
        await caller.call(bench.url, seconds)

    placing = asyncio.gather(*map(place, callers))
    await asyncio.sleep(pace.spread + seconds / 2)
    load.busy_mb = bench.memory_mb()
    await placing
    load.seconds = time.monotonic() - began
    load.cpu_seconds = bench.cpu_seconds() - cpu
    await asyncio.sleep(min(GIVEN_BACK_SECONDS, pace.period))
    load.left_mb = bench.memory_mb()
    load.call_minutes = sum(len(caller.late) * 0.02 for caller in callers) / 60.0
    stamps = bench.stamps()
    for caller in callers:
        load.late += [1000 * late for late in caller.late]
        if caller.failure:
            load.failures.append(f"call {caller.number}: {caller.failure}")
        for turn in caller.turns[FIRST_TURNS_LEFT_OUT:]:
            load.asked += 1
            load.gaps += turn.gaps
            if turn.broke_in_at is not None and turn.cleared_at is not None:
                load.cleared.append(1000 * (turn.cleared_at - turn.broke_in_at))
            load.uncleared += turn.broke_in_at is not None and turn.cleared_at is None
            stages = stamps.stages(turn.word, turn.first_audio_at)
            if stages is None:
                load.unanswered += 1
                continue
            for name, took in zip(STAGES, stages, strict=True):
                load.stages[name].append(1000 * took)
            load.overhead.append(1000 * sum(stages))
    return load
