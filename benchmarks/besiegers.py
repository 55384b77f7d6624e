"""The strangers of `aybiza.benchmarks.siege`: a process that pushes at one port, or only burns.

    python -m aybiza.benchmarks.besiegers PORT KIND DOOR --connections 10000 --seconds 10

KIND is one of `KINDS`: connections that say nothing, events that nobody knows, pings, or bytes four
times a second; with "busy" nothing is sent and no port is opened: what a core has is burnt. DOOR is
what is behind the port: "media", "http" or "other". The process gives way to others by itself
(nice). The strangers come from addresses of their own, of which each is one of many. Prints one
line: what was sent.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import selectors
import socket
import sys
import time
from typing import Any, Final

from aybiza.benchmarks.doors import _frame, _opening

KINDS: Final = ("connections", "events", "pings", "slow")
BUSY: Final = "busy"
EVENTS: Final = 100_000
PING_BYTES: Final = 1_000_000_000
AT_ONCE: Final = 64
SLOW: Final = 256
PAUSE_SECONDS: Final = 0.25
NICE: Final = 10
_EVENT: Final = _frame(0x1, b'{"event":"whatever","streamSid":"MZ1"}')
_PING: Final = _frame(0x9, bytes(125))
_PIECE: Final = {"events": _EVENT * 500, "pings": _PING * 500}
_REQUEST: Final = b"POST /nobody HTTP/1.1\r\nHost: node\r\nContent-Length: 1000000000\r\n\r\n"


def besiege(port: int, kind: str, door: str, connections: int, seconds: float) -> str:
    """The strangers' side of a round; tells what was sent."""
    until = time.monotonic() + seconds
    if kind == BUSY:
        while time.monotonic() < until:
            sum(range(1000))
        return "nothing, at full speed"
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
    options = argparse.ArgumentParser(prog="python -m aybiza.benchmarks.besiegers")
    options.add_argument("port", type=int)
    options.add_argument("kind", choices=(*KINDS, BUSY))
    options.add_argument("door", choices=("media", "http", "other"))
    options.add_argument("--connections", type=int, default=10_000)
    options.add_argument("--seconds", type=float, default=10.0)
    given = options.parse_args(argv)
    os.nice(NICE)
    print(besiege(given.port, given.kind, given.door, given.connections, given.seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
