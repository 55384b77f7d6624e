"""What listens on this machine for a set of processes, read from /proc. Linux only.

Processes of other users show nothing to those who may not look into them.
"""

import contextlib
import os
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

LISTEN = "0A"
"""The state of a listening socket in /proc/net/tcp."""


class Listener(NamedTuple):
    """A listening TCP socket and the process that has it."""

    address: str
    port: int
    pid: int


def listeners(pids: Iterable[int], proc: Path = Path("/proc")) -> list[Listener]:
    """The sockets of these processes, each once: for the first of those that have it."""
    sockets = dict(_sockets(proc))
    found: dict[str, Listener] = {}
    for pid in pids:
        for inode in _inodes(proc / str(pid) / "fd"):
            if inode in sockets:
                found.setdefault(inode, Listener(*sockets[inode], pid))
    return sorted(found.values(), key=lambda each: (each.port, each.address))


def owner(port: int, address: str | None = None, proc: Path = Path("/proc")) -> int | None:
    """The process that listens on this port, at this address if it is given; of several that
    share it, the oldest."""
    pids = sorted(int(each.name) for each in proc.iterdir() if each.name.isdigit())
    for each in listeners(pids, proc):
        if each.port == port and address in (None, each.address):
            return each.pid
    return None


def _sockets(proc: Path) -> Iterator[tuple[str, tuple[str, int]]]:
    for name in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / name).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == LISTEN:
                host, _, port = fields[1].partition(":")
                yield fields[9], (_address(host), int(port, 16))


def _address(text: str) -> str:
    # Each four bytes stand there as a number of this machine.
    words = [text[i : i + 8] for i in range(0, len(text), 8)]
    packed = b"".join(bytes.fromhex(word)[::-1] for word in words)
    family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
    return socket.inet_ntop(family, packed)


def _inodes(folder: Path) -> Iterator[str]:
    with contextlib.suppress(OSError):  # it has ended, or is another user's
        for name in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):  # closed since
                target = os.readlink(folder / name)
                if target.startswith("socket:["):
                    yield target[len("socket:[") : -1]
