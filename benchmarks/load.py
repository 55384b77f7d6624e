"""What anybody's server adds to a turn, and what it takes, by the number of calls on one core.

    load = measured(["python", "bot.py"], "ws://127.0.0.1:{port}/ws", calls=20, seconds=60.0)

The server has a core to itself; providers (strict emulators that take their time) and callers share
another one. Each caller asks every five seconds. A turn is stamped on the machine's one clock where
it crosses from one process to another, and told apart by a word that question and answer hold:

    hear     final transcript sent by Deepgram      → request arrives at Bedrock
    think    first token sent by Bedrock            → first sentence arrives at Deepgram
    speak    first audio sent by Deepgram           → first media message at the telephone

Their sum is the overhead. CPU and memory are of all processes that the server has. `late` tells how
late the callers' own frames left: above 10 ms the callers' core is full and the figures are of it.

Errors: `StrangerError`, with the end of the server's output, for a server that does not come up.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from aybiza.actors.runtime.loops import new_event_loop
from aybiza.benchmarks.load_caller import Caller
from aybiza.benchmarks.stranger import Server, SlowVoice, environment, put_ports
from aybiza.config.agents import FOLDER as AGENTS
from aybiza.config.ports import free_port
from aybiza.emulators.bedrock import BedrockEmulator, Pace, Reply, say
from aybiza.emulators.bedrock.continuation import Body, text_of
from aybiza.emulators.bedrock.journal import Journal as BedrockJournal
from aybiza.emulators.bedrock.journal import Record
from aybiza.emulators.deepgram import DeepgramEmulator
from aybiza.emulators.deepgram.journal import Journal as DeepgramJournal
from aybiza.emulators.deepgram.speak import Pace as VoicePace

FIRST_TOKEN_MS: Final = 200.0
FIRST_AUDIO_MS: Final = 100.0
STAGES: Final = ("hear", "think", "speak")
FIRST_TURNS_LEFT_OUT: Final = 1
LATE_MS: Final = 10.0
KEPT: Final = 1_000_000
_ASKED: Final = re.compile(r"about ([a-z]+bab)")


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
    failures: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Figures with their units in their names, for tables and `--json`."""
        return {
            "calls": self.calls,
            "overhead_p50_ms": _share(self.overhead, 0.50),
            "overhead_p95_ms": _share(self.overhead, 0.95),
            **{f"{name}_p50_ms": _share(values, 0.50) for name, values in self.stages.items()},
            "cpu_seconds_a_call_minute": round(self.cpu_seconds / max(self.call_minutes, 1e-9), 3),
            "share_of_the_core": round(self.cpu_seconds / max(self.seconds, 1e-9), 2),
            "mb_a_call": round((self.busy_mb - self.idle_mb) / self.calls, 2),
            "idle_mb": round(self.idle_mb, 1),
            "asked": self.asked,
            "unanswered": self.unanswered,
            "gaps": self.gaps,
            "late_p95_ms": _share(self.late, 0.95),
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
) -> Load:
    """Measure a server that `command` starts, called at `url`; `more` is for its environment.

    `{port}` and `{port2}` stand for free ports, in both.
    """
    cores = sorted(os.sched_getaffinity(0))
    try:
        if len(cores) > 1:
            os.sched_setaffinity(0, cores[1:])
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            return runner.run(_measured(command, url, calls, seconds, more or {}, pace, cores[0]))
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


async def _measured(
    command: Sequence[str],
    url: str,
    calls: int,
    seconds: float,
    more: Mapping[str, str],
    pace: Pacing,
    core: int,
) -> Load:
    ports = {"port": str(free_port()), "port2": str(free_port())}
    deepgram = DeepgramEmulator(pace=VoicePace(FIRST_AUDIO_MS, 10.0))
    deepgram.service.engine = SlowVoice()
    deepgram.service.journal = DeepgramJournal(limit=KEPT)
    bedrock = BedrockEmulator(responder=_answer, pace=Pace(FIRST_TOKEN_MS))
    bedrock.service.journal = BedrockJournal(limit=KEPT)
    with tempfile.TemporaryDirectory(prefix="aybiza-load-") as folder:
        async with deepgram, bedrock:
            told = environment(bedrock.url, deepgram.url, ports["port"], folder)
            server = Server(
                [put_ports(word, ports) for word in command],
                {**told, **{name: put_ports(value, ports) for name, value in more.items()}},
                Path(folder),
            )
            with _on_core(core):
                server.start()
            try:
                await server.ready()
                return await _loaded(
                    server, put_ports(url, ports), calls, seconds, pace, bedrock, deepgram
                )
            finally:
                await asyncio.to_thread(server.stop)


async def _loaded(
    server: Server,
    url: str,
    calls: int,
    seconds: float,
    pace: Pacing,
    bedrock: BedrockEmulator,
    deepgram: DeepgramEmulator,
) -> Load:
    # What the first call brings into memory is not the price of a further one.
    first = Caller(calls, pace.period, pace.greeting)
    await first.call(url, pace.period)
    load = Load(calls, failures=[first.failure] if first.failure else [])
    load.idle_mb = _memory_mb(server.pids())
    callers = [Caller(number, pace.period, pace.greeting) for number in range(calls)]
    began, cpu = time.monotonic(), _cpu_seconds(server.pids())

    async def place(caller: Caller) -> None:
        await asyncio.sleep(pace.spread * caller.number / calls)
        await caller.call(url, seconds)

    placing = asyncio.gather(*map(place, callers))
    await asyncio.sleep(pace.spread + seconds / 2)
    load.busy_mb = _memory_mb(server.pids())
    await placing
    load.seconds = time.monotonic() - began
    load.cpu_seconds = _cpu_seconds(server.pids()) - cpu
    load.call_minutes = sum(len(caller.late) * 0.02 for caller in callers) / 60.0
    stamps = _Stamps(bedrock, deepgram)
    for caller in callers:
        load.late += [1000 * late for late in caller.late]
        if caller.failure:
            load.failures.append(f"call {caller.number}: {caller.failure}")
        for turn in caller.turns[FIRST_TURNS_LEFT_OUT:]:
            load.asked += 1
            load.gaps += turn.gaps
            stages = stamps.stages(turn.word, turn.first_audio_at)
            if stages is None:
                load.unanswered += 1
                continue
            for name, took in zip(STAGES, stages, strict=True):
                load.stages[name].append(1000 * took)
            load.overhead.append(1000 * sum(stages))
    return load


class _Stamps:
    """The providers' stamps by the word that a question holds."""

    def __init__(self, bedrock: BedrockEmulator, deepgram: DeepgramEmulator) -> None:
        self._finals: dict[str, float] = {}
        self._requests: dict[str, Record] = {}
        self._speaks: dict[str, tuple[float, str]] = {}
        self._audio: dict[str, list[float]] = {}
        for entry in deepgram.journal.entries():
            word = _ASKED.search(entry.get("text", ""))
            match entry["what"]:
                case "final" if word:
                    self._finals.setdefault(word[1], entry["at"])
                case "speak" if word:
                    self._speaks.setdefault(word[1], (entry["at"], entry["session"]))
                case "first_audio":
                    self._audio.setdefault(entry["session"], []).append(entry["at"])
        for record in bedrock.service.journal.records:
            if word := _ASKED.search(record.reply_text):
                self._requests.setdefault(word[1], record)

    def stages(self, word: str, heard: float | None) -> tuple[float, float, float] | None:
        """How long each stage took; None if the turn was not answered."""
        record, final = self._requests.get(word), self._finals.get(word)
        spoke, session = self._speaks.get(word, (None, ""))
        if record is None or record.first_event_sent is None or None in (final, spoke, heard):
            return None
        assert final is not None and spoke is not None and heard is not None
        audio = next((at for at in self._audio.get(session, ()) if at >= spoke), None)
        if audio is None or heard < audio:
            return None
        return record.arrived - final, spoke - record.first_event_sent, heard - audio


def _answer(body: Body) -> Reply:
    said = [text_of(message) for message in body["messages"] if message["role"] == "user"]
    found = _ASKED.findall(" ".join(said[-1:]))
    return say(f"What I know about {found[-1]} is soon said." if found else "How can I help?")


@contextlib.contextmanager
def _on_core(core: int) -> Iterator[None]:
    """What is started here runs on this core alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _share(values: Sequence[float], share: float) -> float | None:
    """The value below which `share` of `values` lie; None where there are none."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2) if ordered else None


def _cpu_seconds(pids: Sequence[int]) -> float:
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _memory_mb(pids: Sequence[int]) -> float:
    """What they have in memory, a page that several share counted once (PSS)."""
    kilobytes = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            kilobytes += int(text.partition("\nPss:")[2].split()[0])
    return kilobytes / 1024
