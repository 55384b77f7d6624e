"""Every listener of a machine besieged in turn, while many calls go on.

    python -m aybiza.benchmarks.siege                 20 calls; some minutes
    python -m aybiza.benchmarks.siege --calls 5 --seconds 3 --connections 1000
    python -m aybiza.benchmarks.siege --only http --only media --kind parts

Each port that the processes of `aybiza run` listen on has seven rounds: connections that say
nothing; 100,000 events that nobody knows; 1 GB of pings (of another door: bytes of no sense); small
parts of messages and forms; forms of escapes; handshakes after which nothing is read; and senders
of a byte four times a second (`aybiza.benchmarks.besiegers`). A round ends when all is sent, or
after its seconds. The agent speaks as slowly as people do.

Strangers have machines of their own; these share the node's. So two rounds come first: one in which
nobody is there but the callers, and one in which a process like the strangers' burns a core and
opens no connection. What the callers hear in that one is what the machine costs, and a siege is
told as a multiple of it (`times_busy`, by the ms of gaps that a caller hears in a minute).

Told for each: what was sent; the callers' gaps, in all and the longest; how late the callers' own
loop was; shares of a core that the node and the strangers took; for which share of the time the
node's loop was ready and had no core, for others had them (`node_waited`); the growth of the
process that grew most, in MB; lines of the log; answers of `/readyz`; calls that go on, and why
others have ended.

Exit codes: 0; 1 if a call has ended, a process grew by more than 50 MB or `/readyz` was not ready;
2 wrong usage.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from aybiza.actors.node.process import descendants
from aybiza.benchmarks.besiegers import BUSY, KINDS
from aybiza.benchmarks.doors import TOKEN, _get, _memory, _Node, _node
from aybiza.benchmarks.turn import _cpu_seconds, _http, emulators
from aybiza.config.ports import free_port
from aybiza.emulators.phone import Phone
from aybiza.emulators.phone.report import Report
from aybiza.emulators.phone.script import parse

MOST_GROWTH_MB: Final = 50.0
BYTES_PER_CHAR: Final = 480
"""A character of an answer lasts 60 ms."""
FIRST_AUDIO_MS: Final = 150
PAUSE_SECONDS: Final = 0.25
GREETING_SECONDS: Final = 12.0
SETTLE_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 0.1
READY_SECONDS: Final = 5.0
MINUTE: Final = 60.0


@dataclass(slots=True)
class Round:
    """What a siege of one port has come to; times in ms, memory in MB, CPU in shares of a core."""

    port: str
    kind: str
    sent: str = ""
    gaps: int = 0
    longest_gap: float = 0.0
    gaps_a_minute: float = 0.0
    times_busy: float | None = None
    callers_late: float = 0.0
    node_cpu: float = 0.0
    node_waited: float = 0.0
    strangers_cpu: float = 0.0
    calls: int = 0
    ended: tuple[str, ...] = ()
    growth: float = 0.0
    log_lines: int = 0
    ready: int = 0
    not_ready: int = 0


class _Callers:
    """The calls that go on, and what has been told of them already."""

    def __init__(self, phones: list[Phone], going: list[asyncio.Task[Report]]) -> None:
        self._phones = phones
        self._going = going
        self._heard = [0] * len(phones)
        self._told: set[asyncio.Task[Report]] = set()

    @property
    def going(self) -> int:
        """How many calls go on."""
        return sum(not task.done() for task in self._going)

    def gaps(self) -> list[float]:
        """The gaps that were heard since the last look, in ms."""
        new = []
        for at, phone in enumerate(self._phones):
            new += [gap.ms for gap in phone.report.gaps[self._heard[at] :]]
            self._heard[at] = len(phone.report.gaps)
        return new

    def ended(self) -> tuple[str, ...]:
        """Why calls have ended since the last look."""
        over = [task for task in self._going if task.done() and task not in self._told]
        self._told.update(over)
        return tuple(_why(task.result()) for task in over)


def _why(report: Report) -> str:
    closes = [f"{each.close_code} {each.close_reason}".strip() for each in report.streams]
    return f"{report.call_sid}: {report.failure or 'at its end'} (streams: {', '.join(closes)})"


async def measured(
    calls: int,
    connections: int,
    seconds: float,
    only: Sequence[str] = (),
    kinds: Sequence[str] = KINDS,
) -> list[Round]:
    """All rounds of these kinds, behind the two without strangers; `only`: of ports whose purpose
    says so."""
    with tempfile.TemporaryDirectory(prefix="aybiza-siege-") as name, emulators() as urls:
        pace = f"bytes_per_char={BYTES_PER_CHAR}&first_ms={FIRST_AUDIO_MS}"
        _get(f"{_http(urls['DEEPGRAM_URL'])}/_emulator/pace?{pace}")
        door = {"AYBIZA_AUDIOSOCKET_PORT": str(free_port()), "AYBIZA_MAX_CALLS": str(calls + 5)}
        door["AYBIZA_CLUSTER_PORT"] = str(free_port())
        door["AYBIZA_COOKIE_FILE"] = str(Path(name) / "cookie")
        with _node(urls, Path(name), **door) as node:
            phones = [_phone(node.http, number) for number in range(calls)]
            async with contextlib.AsyncExitStack() as stack:
                for phone in phones:
                    await stack.enter_async_context(phone)
                going = [asyncio.create_task(phone.run()) for phone in phones]
                try:
                    await asyncio.sleep(GREETING_SECONDS)
                    ports = await asyncio.to_thread(_ports, door)
                    asked = {
                        port: what
                        for port, what in ports.items()
                        if not only or any(word in what for word in only)
                    }
                    callers = _Callers(phones, going)
                    rounds = [Round("none", "nobody"), Round("none", BUSY)]
                    rounds += [
                        Round(f"{port} {what}", kind)
                        for port, what in asked.items()
                        for kind in kinds
                    ]
                    await _run(node, callers, rounds, connections, seconds)
                    return rounds
                finally:
                    for task in going:
                        task.cancel()
                    await asyncio.gather(*going, return_exceptions=True)


async def _run(
    node: _Node, callers: _Callers, rounds: Sequence[Round], connections: int, seconds: float
) -> None:
    busy: float | None = None
    for each in rounds:
        await _watched(each, node, callers, connections, seconds)
        if each.kind == BUSY:
            busy = each.gaps_a_minute
        each.times_busy = round(each.gaps_a_minute / busy, 2) if busy else None
        print(" ".join(f"{key}={value}" for key, value in asdict(each).items()), flush=True)


async def _watched(
    each: Round, node: _Node, callers: _Callers, connections: int, seconds: float
) -> None:
    pids = [node.command, *descendants(node.command)]
    lines = len(node.log.read_bytes().splitlines())
    before, cpu, start = _memories(pids), sum(map(_cpu, pids)), time.monotonic()
    waited = _waited(node.pid)
    callers.gaps()
    over = asyncio.create_task(_besieged(each, node, connections, seconds))
    while not over.done():
        began = time.monotonic()
        await asyncio.sleep(LOOK_SECONDS)
        late = (time.monotonic() - began - LOOK_SECONDS) * 1000
        each.callers_late = round(max(each.callers_late, late), 1)
        grown = max(now - before[pid] for pid, now in _memories(list(before)).items())
        each.growth = round(max(each.growth, grown), 1)
    await over
    passed = time.monotonic() - start
    new = callers.gaps()
    each.gaps, each.longest_gap = len(new), round(max(new, default=0.0), 1)
    each.calls, each.ended = callers.going, callers.ended()
    each.gaps_a_minute = round(sum(new) * MINUTE / passed / max(1, each.calls), 1)
    each.node_cpu = round((sum(map(_cpu, pids)) - cpu) / passed, 2)
    each.node_waited = round((_waited(node.pid) - waited) / passed, 2)
    each.strangers_cpu = round(each.strangers_cpu / passed, 2)
    each.log_lines = len(node.log.read_bytes().splitlines()) - lines


def _memories(pids: Sequence[int]) -> dict[int, float]:
    """What each has, of those that are still there: not all that a node starts stay."""
    found = {}
    for pid in pids:
        with contextlib.suppress(OSError, RuntimeError):
            found[pid] = _memory(pid)
    return found


def _cpu(pid: int) -> float:
    try:
        return _cpu_seconds(pid)
    except OSError:
        return 0.0


def _waited(pid: int) -> float:
    """For how long a process's first thread had no core, in seconds; 0 where it is not told."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


def _ports(door: dict[str, str]) -> dict[int, str]:
    """Whose each port is, as `aybiza node ports` tells."""
    command = [sys.executable, "-m", "aybiza.console", "node", "ports", "--json"]
    told = subprocess.run(command, env={**os.environ, **door}, capture_output=True, check=True)
    rows = json.loads(told.stdout)["ports"]
    return {row["port"]: f"{row['process']}: {row['purpose']}" for row in rows}


async def _besieged(each: Round, node: _Node, connections: int, seconds: float) -> None:
    if each.kind == "nobody":
        await asyncio.sleep(seconds)
        return
    port = "0" if each.port == "none" else each.port.split()[0]
    doors = {str(urlsplit(node.media).port): "media", str(urlsplit(node.http).port): "http"}
    what = [port, each.kind, doors.get(port, "other")]
    much = ["--connections", str(connections), "--seconds", str(seconds)]
    command = [sys.executable, "-m", "aybiza.benchmarks.besiegers", *what, *much]
    used = os.times()
    strangers = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    told = asyncio.create_task(strangers.communicate())
    while not told.done():
        try:
            ask = asyncio.to_thread(_get, f"{node.http}/readyz")
            answer = await asyncio.wait_for(ask, READY_SECONDS)
        except OSError:
            answer = ""
        each.ready += answer == "ready\n"
        each.not_ready += answer != "ready\n"
        await asyncio.sleep(PAUSE_SECONDS)
    each.sent = (await told)[0].decode().strip()
    now = os.times()
    each.strangers_cpu = now.children_user + now.children_system
    each.strangers_cpu -= used.children_user + used.children_system
    await asyncio.sleep(SETTLE_SECONDS)


def _phone(http: str, number: int) -> Phone:
    steps: list[dict[str, Any]] = [
        {
            "text": f"What are your opening hours on turn number {turn}?",
            "after_quiet_ms": 400,
            "timeout_s": 60,
        }
        for turn in range(400)
    ]
    script = parse({"title": "Asks", "steps": steps, "limit_s": 3000}, Path("siege.toml"), "text")
    caller = f"+1415555{number:04}"
    return Phone(script=script, http=http, auth_token=TOKEN, from_number=caller)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    options = argparse.ArgumentParser(
        prog="python -m aybiza.benchmarks.siege",
        description="Every listener of a machine besieged in turn, while many calls go on.",
        epilog="example: python -m aybiza.benchmarks.siege --calls 5 --connections 1000",
    )
    options.add_argument("--calls", type=int, default=20)
    options.add_argument("--connections", type=int, default=10_000)
    options.add_argument("--seconds", type=float, default=10.0, help="of a round, at most")
    options.add_argument(
        "--only", action="append", default=[], help="ports whose purpose has this word; again"
    )
    options.add_argument(
        "--kind", action="append", choices=KINDS, help="of siege; again; without: all"
    )
    options.add_argument("--json", action="store_true", help="print one JSON object at the end")
    given = options.parse_args(argv)
    much = (given.calls, given.connections, given.seconds)
    rounds = asyncio.run(measured(*much, given.only, given.kind or KINDS))
    if given.json:
        print(json.dumps([asdict(each) for each in rounds]))
    good = all(
        each.calls == given.calls and each.growth <= MOST_GROWTH_MB and not each.not_ready
        for each in rounds
    )
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
