"""The strangers of `aybiza.benchmarks.siege`: a process that pushes at one port, or only burns.

    python -m aybiza.benchmarks.besiegers PORT KIND DOOR --connections 10000 --seconds 10

KIND is one of `KINDS`: connections that say nothing, events that nobody knows, pings, what is cheap
to send in small parts and dear to read (empty pings and parts of a message of a byte, a form in
chunks of a byte), forms of 64 KB of escapes, handshakes after which nothing is said or read, or
bytes four times a second; with "busy" nothing is sent and no port is opened: what a core has is
burnt. DOOR is what is behind the port: "media", "http" or "other". The process gives way to others
by itself (nice). The strangers come from addresses of their own, of which each is one of many.
Prints one line: what was sent.
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

KINDS: Final = ("connections", "events", "pings", "parts", "escapes", "handshakes", "slow")
BUSY: Final = "busy"
EVENTS: Final = 100_000
PING_BYTES: Final = 1_000_000_000
AT_ONCE: Final = 64
SLOW: Final = 256
PAUSE_SECONDS: Final = 0.25
NICE: Final = 10
_EVENT: Final = _frame(0x1, b'{"event":"whatever","streamSid":"MZ1"}')
_PING: Final = _frame(0x9, bytes(125))
_PARTS: Final = (_frame(0x9, b"") + bytes((0x01, 0x81, 0, 0, 0, 0, 0x61))) * 5_000
_FORM: Final = b"a=" + b"%41" * 21_000
_HEAD: Final = b"POST /incoming HTTP/1.1\r\nHost: node\r\nContent-Type: "
_HEAD_OF_A_FORM: Final = _HEAD + b"application/x-www-form-urlencoded\r\n"
_WHOLE: Final = _HEAD_OF_A_FORM + b"Content-Length: %d\r\n\r\n" % len(_FORM) + _FORM
_CHUNKED: Final = _HEAD_OF_A_FORM + b"Transfer-Encoding: chunked\r\n\r\n"
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
    if kind == "handshakes":
        return _unanswered(port, door, connections, until)
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


def _unanswered(port: int, door: str, connections: int, until: float) -> str:
    """Handshakes and whole requests; nobody reads the answers, or says anything more."""
    text = {"media": _opening(port), "http": b"GET /healthz HTTP/1.1\r\nHost: node\r\n\r\n" * 16}
    held: list[socket.socket] = []
    while len(held) < connections and time.monotonic() < until:
        new = [_stranger(port, len(held) + number) for number in range(AT_ONCE)]
        held += [each for each in new if each is not None]
        time.sleep(PAUSE_SECONDS / 10)
        for each in held[-AT_ONCE:]:
            with contextlib.suppress(OSError):
                each.send(text.get(door, bytes(48)))
    for each in held:
        each.close()
    return f"{len(held)} handshakes"


def _of_the_kind(port: int, kind: str, door: str) -> tuple[bytes, bytes, int]:
    """What a connection begins with, what it goes on with, and how many bytes are sent in all."""
    opening = {"media": _opening(port), "http": _REQUEST}.get(door, b"")
    match kind, door:
        case "events", _:
            return opening, _EVENT * 500, EVENTS * len(_EVENT)
        case "parts", "http":
            return _CHUNKED, b"1\r\na\r\n" * 10_000, PING_BYTES
        case "parts", _:
            return opening, _PARTS, PING_BYTES
        case "escapes", _:
            return b"", _WHOLE, PING_BYTES
    return opening, _PING * 500, PING_BYTES


def _flood(port: int, kind: str, door: str, until: float) -> str:
    opening, piece, most = _of_the_kind(port, kind, door)
    sent = made = 0
    held = selectors.DefaultSelector()
    while sent < most and time.monotonic() < until:
        while len(held.get_map()) < AT_ONCE and (new := _stranger(port, made)) is not None:
            made += 1
            held.register(new, selectors.EVENT_WRITE, opening)
        for key, _ in held.select(PAUSE_SECONDS):
            each: Any = key.fileobj
            rest = key.data or piece
            try:
                count = each.send(rest)
            except BlockingIOError:
                continue
            except OSError:
                held.unregister(each)
                each.close()
            else:
                sent += count
                held.modify(each, selectors.EVENT_WRITE, rest[count:])
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
