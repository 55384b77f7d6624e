"""Every listener of a machine besieged in turn, while many calls go on.

    python -m aybiza.benchmarks.siege                 20 calls; some minutes
    python -m aybiza.benchmarks.siege --calls 5 --seconds 3 --connections 1000

Each port that the processes of `aybiza run` listen on has four rounds: connections that say
nothing; 100,000 events that nobody knows; 1 GB of pings (of another door: bytes of no sense); and
senders of a byte four times a second. A round ends when all is sent, or after its seconds. The
strangers come from addresses of their own, in a process that gives way to others (nice): theirs
would be other machines. Told for each: what was sent; gaps in what the callers heard, in all and
the longest; how late the callers' own loop was; the growth of the process that grew most, in MB;
lines of the log; answers of `/readyz`.

Exit codes: 0; 1 if a call has ended, a process grew by more than 50 MB or `/readyz` was not ready;
2 wrong usage.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from aybiza.actors.node.process import descendants
from aybiza.benchmarks.doors import TOKEN, _frame, _get, _memory, _Node, _node, _opening
from aybiza.benchmarks.turn import emulators
from aybiza.config.ports import free_port
from aybiza.emulators.phone import Phone
from aybiza.emulators.phone.script import parse

KINDS: Final = ("connections", "events", "pings", "slow")
EVENTS: Final = 100_000
PING_BYTES: Final = 1_000_000_000
MOST_GROWTH_MB: Final = 50.0
AT_ONCE: Final = 64
SLOW: Final = 256
PAUSE_SECONDS: Final = 0.25
GREETING_SECONDS: Final = 8.0
SETTLE_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 0.1
NICE: Final = 10
_EVENT: Final = _frame(0x1, b'{"event":"whatever","streamSid":"MZ1"}')
_PING: Final = _frame(0x9, bytes(125))
_PIECE: Final = {"events": _EVENT * 500, "pings": _PING * 500}
_REQUEST: Final = b"POST /nobody HTTP/1.1\r\nHost: node\r\nContent-Length: 1000000000\r\n\r\n"


@dataclass(slots=True)
class Round:
    """What a siege of one port has come to; times in ms, memory in MB."""

    port: str
    kind: str
    sent: str = ""
    gaps: int = 0
    longest_gap: float = 0.0
    callers_late: float = 0.0
    calls: int = 0
    growth: float = 0.0
    log_lines: int = 0
    ready: int = 0
    not_ready: int = 0


async def measured(calls: int, connections: int, seconds: float) -> list[Round]:
    """All rounds, behind one in which nobody is there but the callers."""
    with tempfile.TemporaryDirectory(prefix="aybiza-siege-") as name, emulators() as urls:
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
                    return await _rounds(node, phones, going, connections, seconds, door)
                finally:
                    for task in going:
                        task.cancel()
                    await asyncio.gather(*going, return_exceptions=True)


async def _rounds(
    node: _Node,
    phones: list[Phone],
    going: list[asyncio.Task[Any]],
    connections: int,
    seconds: float,
    door: dict[str, str],
) -> list[Round]:
    pids = [node.command, *descendants(node.command)]
    ports = await asyncio.to_thread(_ports, door)
    rounds = [Round("none", "nobody")]
    rounds += [Round(f"{port} {what}", kind) for port, what in ports.items() for kind in KINDS]
    for each in rounds:
        heard = [len(phone.report.gaps) for phone in phones]
        lines = len(node.log.read_bytes().splitlines())
        before = {pid: _memory(pid) for pid in pids}
        over = asyncio.create_task(_besieged(each, node, connections, seconds))
        while not over.done():
            began = time.monotonic()
            await asyncio.sleep(LOOK_SECONDS)
            late = (time.monotonic() - began - LOOK_SECONDS) * 1000
            each.callers_late = round(max(each.callers_late, late), 1)
            grown = max(_memory(pid) - before[pid] for pid in pids)
            each.growth = round(max(each.growth, grown), 1)
        await over
        new = [
            gap.ms
            for phone, old in zip(phones, heard, strict=True)
            for gap in phone.report.gaps[old:]
        ]
        each.gaps, each.longest_gap = len(new), round(max(new, default=0.0), 1)
        each.calls = sum(not task.done() for task in going)
        each.log_lines = len(node.log.read_bytes().splitlines()) - lines
        print(" ".join(f"{key}={value}" for key, value in asdict(each).items()), flush=True)
    return rounds


def _ports(door: dict[str, str]) -> dict[int, str]:
    """Whose each port is, as `aybiza node ports` tells."""
    command = [sys.executable, "-m", "aybiza.console", "node", "ports", "--json"]
    told = subprocess.run(command, env={**os.environ, **door}, capture_output=True, check=True)
    rows = json.loads(told.stdout)["ports"]
    return {row["port"]: f"{row['process']}: {row['purpose']}" for row in rows}


async def _besieged(each: Round, node: _Node, connections: int, seconds: float) -> None:
    port = each.port.split()[0]
    if port == "none":
        await asyncio.sleep(seconds)
        return
    kind = "media" if port == str(urlsplit(node.media).port) else "http"
    kind = kind if port in node.http or kind == "media" else "other"
    what = ["--besiege", port, each.kind, kind]
    much = ["--connections", str(connections), "--seconds", str(seconds)]
    command = ["nice", "-n", str(NICE), sys.executable, "-m", "aybiza.benchmarks.siege"]
    strangers = await asyncio.create_subprocess_exec(
        *command, *what, *much, stdout=asyncio.subprocess.PIPE
    )
    told = asyncio.create_task(strangers.communicate())
    while not told.done():
        try:
            answer = await asyncio.to_thread(_get, f"{node.http}/readyz")
        except OSError:
            answer = ""
        each.ready += answer == "ready\n"
        each.not_ready += answer != "ready\n"
        await asyncio.sleep(PAUSE_SECONDS)
    each.sent = (await told)[0].decode().strip()
    await asyncio.sleep(SETTLE_SECONDS)


def _phone(http: str, number: int) -> Phone:
    steps: list[dict[str, Any]] = [
        {"text": f"What are your opening hours on turn number {turn}?", "after_quiet_ms": 400}
        for turn in range(400)
    ]
    script = parse({"title": "Asks", "steps": steps, "limit_s": 3000}, Path("siege.toml"), "text")
    caller = f"+1415555{number:04}"
    return Phone(script=script, http=http, auth_token=TOKEN, from_number=caller)


def besiege(port: int, kind: str, door: str, connections: int, seconds: float) -> str:
    """The strangers' side of a round; tells what was sent."""
    until = time.monotonic() + seconds
    if kind == "connections":
        held = [_stranger(port, number) for number in range(connections)]
        time.sleep(max(0.0, min(2.0, until - time.monotonic())))
        opened = sum(each is not None for each in held)
        for each in held:
            if each is not None:
                each.close()
        return f"{opened} connections"
    if kind == "slow":
        return _slowly(port, door, until)
    return _flood(port, kind, door, until)


def _stranger(port: int, number: int) -> socket.socket | None:
    stranger = socket.socket()
    stranger.setblocking(False)
    try:
        stranger.bind((f"127.0.1.{1 + number % 200}", 0))
        stranger.connect_ex(("127.0.0.1", port))
    except OSError:
        stranger.close()
        return None
    return stranger


def _slowly(port: int, door: str, until: float) -> str:
    text = _opening(port) if door == "media" else _REQUEST
    held = [each for each in (_stranger(port, n) for n in range(SLOW)) if each is not None]
    sent = 0
    while time.monotonic() < until:
        for at, each in enumerate(held):
            with contextlib.suppress(OSError):
                sent += each.send(text[sent // len(held) % len(text) :][:1] or bytes([at % 256]))
        time.sleep(PAUSE_SECONDS)
    for each in held:
        each.close()
    return f"{sent} bytes on {len(held)} connections"


def _flood(port: int, kind: str, door: str, until: float) -> str:
    opening = {"media": _opening(port), "http": _REQUEST}.get(door, b"")
    piece = _PIECE[kind]
    most = EVENTS * len(_EVENT) if kind == "events" else PING_BYTES
    sent = made = 0
    held = selectors.DefaultSelector()
    while sent < most and time.monotonic() < until:
        while len(held.get_map()) < AT_ONCE and (new := _stranger(port, made)) is not None:
            made += 1
            held.register(new, selectors.EVENT_WRITE, opening)
        for key, _ in held.select(PAUSE_SECONDS):
            each: Any = key.fileobj
            try:
                if key.data:
                    each.send(key.data)
                    held.modify(each, selectors.EVENT_WRITE, b"")
                else:
                    sent += each.send(piece)
            except BlockingIOError:
                continue
            except OSError:
                held.unregister(each)
                each.close()
    for key in list(held.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]
    told = f"{sent // len(_EVENT)} events" if kind == "events" else f"{sent / 1e6:.0f} MB"
    return f"{told} on {made} connections"


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
    options.add_argument("--json", action="store_true", help="print one JSON object at the end")
    options.add_argument("--besiege", nargs=3, help=argparse.SUPPRESS)
    given = options.parse_args(argv)
    if given.besiege:
        port, kind, door = given.besiege
        print(besiege(int(port), kind, door, given.connections, given.seconds))
        return 0
    rounds = asyncio.run(measured(given.calls, given.connections, given.seconds))
    if given.json:
        print(json.dumps([asdict(each) for each in rounds]))
    good = all(
        each.calls == given.calls and each.growth <= MOST_GROWTH_MB and not each.not_ready
        for each in rounds
    )
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
