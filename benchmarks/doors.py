"""What ten thousand strangers at the doors do to a node and to the call that is going on.

    python -m aybiza.benchmarks.doors                          10,000 connections
    python -m aybiza.benchmarks.doors --connections 2000 --json

A node of its own process has a call from a telephone of this process, first undisturbed, then while
a third process opens connections to both doors as fast as it can, says nothing, half a request, or
nonsense on them, floods signed websockets with pings and with events that nobody knows, and holds
them until they are closed. Told are the node's memory before, at its
most and after; the longest that the caller waited for an answer and the gaps in what they heard,
without strangers and with them; and what the node counted and logged.

Exit codes: 0; 1 if a call did not go to its end, or the node did not stay up; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import resource
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from aybiza.benchmarks.turn import emulators
from aybiza.config.children import end
from aybiza.config.ports import free_port
from aybiza.emulators.phone import Phone
from aybiza.emulators.phone.script import parse
from aybiza.emulators.phone.webhook import signature

TOKEN: Final = "a-token-of-this-benchmark"
TURNS: Final = 6
HOLD_SECONDS: Final = 12.0
STOP_SECONDS: Final = 10.0
SAMPLE_SECONDS: Final = 0.05

SAYINGS: Final = (
    b"",
    b"GET /media HTTP/1.1\r\nHost: node\r\nX-Long:",
    b"POST /incoming HTTP/1.1\r\nHost: node\r\nContent-Length: 100\r\n\r\nCallSid=",
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"GET /media HTTP/1.1\r\nX-Long: " + b"x" * 20_000,
)

FLOOD_FRAMES: Final = 2_000


def _frame(kind: int, payload: bytes) -> bytes:
    """A websocket frame of a client's, masked with zeros."""
    return bytes((0x80 | kind, 0x80 | len(payload))) + bytes(4) + payload


FLOODS: Final = (
    _frame(0x9, bytes(125)) * FLOOD_FRAMES,
    _frame(0x1, b'{"event":"whatever","streamSid":"MZ1"}') * FLOOD_FRAMES,
)
"""What is sent on a websocket once it is open."""


@dataclass(frozen=True, slots=True)
class CallFigures:
    """One call: whether it went to its end, and the worst that the caller met, in ms."""

    ok: bool
    failure: str
    longest_response_ms: float
    gaps: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured; memory in MB."""

    connections: int
    seconds: float
    memory_before: float
    memory_most: float
    memory_after: float
    alone: CallFigures
    besieged: CallFigures
    refused: dict[str, float]
    log_lines: int
    alive: bool


def run(connections: int) -> Figures:
    """Measure with so many connections."""
    with (
        tempfile.TemporaryDirectory(prefix="aybiza-doors-") as folder,
        emulators() as urls,
        _node(urls, Path(folder)) as node,
    ):
        alone = asyncio.run(_call(node.http))
        before = _memory(node.pid)
        with _Memory(node.pid) as memory:
            began = time.monotonic()
            flood = _flood(node, connections)
            besieged = asyncio.run(_call(node.http))
            flood.communicate(timeout=120)
            seconds = time.monotonic() - began
            time.sleep(1.0)
        lines = node.log.read_text().splitlines()
        return Figures(
            connections=connections,
            seconds=round(seconds, 1),
            memory_before=before,
            memory_most=memory.most,
            memory_after=_memory(node.pid),
            alone=alone,
            besieged=besieged,
            refused=_refused(node.http),
            log_lines=sum("door_refused" in line for line in lines),
            alive=_get(f"{node.http}/readyz") == "ready\n",
        )


@dataclass(frozen=True, slots=True)
class _Node:
    media: str
    http: str
    pid: int
    log: Path
    command: int


@contextlib.contextmanager
def _node(urls: dict[str, str], folder: Path, **more: str) -> Iterator[_Node]:
    environment = {
        **os.environ,
        **urls,
        "AWS_ACCESS_KEY_ID": "EMULATED",
        "AWS_SECRET_ACCESS_KEY": "emulated",
        "AWS_EC2_METADATA_DISABLED": "true",
        "DEEPGRAM_API_KEY": "emulated",
        "TWILIO_AUTH_TOKEN": TOKEN,
        "AYBIZA_HTTP_PORT": "0",
        "AYBIZA_MEDIA_PORT": "0",
        "AYBIZA_CLUSTER_PORT": str(free_port()),
        "AYBIZA_MEMORY_PATH": str(folder / "memory.sqlite3"),
        "AYBIZA_COOKIE_FILE": str(folder / "cookie"),
        "AYBIZA_LOG_LEVEL": "warning",
        **more,
    }
    log = folder / "log"
    command = [sys.executable, "-m", "aybiza.console", "run", "--json"]
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the node ended before it was ready:\n{log.read_text()}")
        doors = json.loads(line)
        yield _Node(doors["media"], doors["http"], doors["pid"], log, process.pid)
    finally:
        end(process, STOP_SECONDS)


async def _call(http: str) -> CallFigures:
    steps: list[dict[str, Any]] = [
        {"text": f"What are your opening hours on turn number {turn}?", "after_quiet_ms": 400}
        for turn in range(TURNS)
    ]
    steps.append({"hangup": True, "after_quiet_ms": 400})
    script = parse({"title": "Asks", "steps": steps, "limit_s": 120}, Path("doors.toml"), "text")
    async with Phone(script=script, http=http, auth_token=TOKEN) as phone:
        report = await phone.run()
    longest = max(report.response_times_ms, default=0.0)
    return CallFigures(report.ok, report.failure, round(longest, 1), len(report.gaps))


def _flood(node: _Node, connections: int) -> subprocess.Popen[bytes]:
    addresses = [str(urlsplit(url).port) for url in (node.media, node.http)]
    command = [sys.executable, "-m", "aybiza.benchmarks.doors", "--besiege", *addresses]
    return subprocess.Popen([*command, "--connections", str(connections)])


def besiege(ports: tuple[int, int], connections: int) -> None:
    """Open the connections, say something, and hold them until the node closes them."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    held = selectors.DefaultSelector()
    floods = _opening(ports[0])
    for number in range(connections):
        stranger = socket.socket()
        stranger.setblocking(False)
        with contextlib.suppress(OSError):
            stranger.connect_ex(("127.0.0.1", ports[number % 2]))
            turn = number // 2 % (len(SAYINGS) + len(FLOODS))
            flood = turn - len(SAYINGS)
            if number % 2 == 0 and flood >= 0:
                said = (floods, FLOODS[flood])
            else:
                said = (SAYINGS[turn % len(SAYINGS)], b"")
            held.register(stranger, selectors.EVENT_WRITE, said)
        if number % 64 == 0:
            _attend(held, 0.001)
    until = time.monotonic() + HOLD_SECONDS
    while held.get_map() and time.monotonic() < until:
        _attend(held, 0.2)
    for key in list(held.get_map().values()):
        _socket(key).close()


def _opening(port: int) -> bytes:
    """The handshake of a media websocket, signed as the carrier would."""
    host = f"127.0.0.1:{port}"
    lines = (
        "GET /media HTTP/1.1",
        f"Host: {host}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        f"X-Twilio-Signature: {signature(TOKEN, f'ws://{host}/media')}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _attend(held: selectors.BaseSelector, seconds: float) -> None:
    for key, ready in held.select(seconds):
        stranger = _socket(key)
        try:
            if ready & selectors.EVENT_WRITE:
                said, next_said = key.data
                if said:
                    stranger.send(said)
                held.modify(stranger, selectors.EVENT_READ, (next_said, b""))
                continue
            over = not stranger.recv(4096)
            if not over and key.data[0]:
                held.modify(stranger, selectors.EVENT_WRITE, key.data)
        except BlockingIOError:
            continue
        except OSError:
            over = True
        if over:
            held.unregister(stranger)
            stranger.close()


def _socket(key: selectors.SelectorKey) -> socket.socket:
    assert isinstance(key.fileobj, socket.socket)
    return key.fileobj


class _Memory:
    """The most memory that a process had while this was open."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.most = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            self.most = max(self.most, _memory(self._pid))


def _memory(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return round(int(line.split()[1]) / 1024, 1)
    raise RuntimeError(f"there is no process {pid}")


def _refused(http: str) -> dict[str, float]:
    found = {}
    for line in _get(f"{http}/metrics").splitlines():
        if line.startswith("aybiza_refused_total{"):
            labels, _, value = line.partition(" ")
            words = labels.split('"')
            found[f"{words[1]}/{words[3]}"] = float(value)
    return found


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(answer.read().decode())


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    options = argparse.ArgumentParser(
        prog="python -m aybiza.benchmarks.doors",
        description="What many strangers at the doors do to a node and its call.",
        epilog="example: python -m aybiza.benchmarks.doors --connections 2000",
    )
    options.add_argument("--connections", type=int, default=10_000)
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--besiege", type=int, nargs=2, help=argparse.SUPPRESS)
    given = options.parse_args(argv)
    if given.besiege:
        besiege(tuple(given.besiege), given.connections)
        return 0
    figures = run(given.connections)
    if given.json:
        print(json.dumps(asdict(figures), indent=2))
    else:
        for name, value in asdict(figures).items():
            print(f"{name:14} {value}")
    return 0 if figures.alone.ok and figures.besieged.ok and figures.alive else 1


if __name__ == "__main__":
    sys.exit(main())
