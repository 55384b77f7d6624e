"""What Thespian need not do at every step of its loop.

Thespian 4.0.1 makes a selector anew for each step and registers every socket that it has open, one
a peer: with epoll a system call and some Python each. It asks each idle socket whether its twenty
minutes are over by way of three objects, and puts each message into words for a log that is off,
a megabyte of bytes included. With a dozen peers that is a quarter of what a message costs. Here a
`Poller` hands the kernel a list in one call, and the rest is said in a line each.

A closed descriptor raises OSError (EBADF) in `Poller.select`, upon which Thespian looks for it.

Contract: `use_lean_transport()` before the process's first ActorSystem; forks inherit it.
Source: poll(2); thespian.system.transport.TCPTransport.
"""

import errno
import math
import select
import selectors
from types import SimpleNamespace
from typing import Any, NamedTuple

import aybiza.actors.node.binding  # noqa: F401 - first: see there

# isort: split
from thespian.system import transport as transport_base
from thespian.system.timing import currentTime
from thespian.system.transport import TCPTransport as tcp
from thespian.system.transport.IPBase import IPActorAddress

_READ = select.POLLIN
_WRITE = select.POLLOUT
# An error or a hang-up wakes whoever waits, for whatever.
_ENDED = select.POLLERR | select.POLLHUP


class Ready(NamedTuple):
    """A descriptor that need not be waited for; stands for a `selectors.SelectorKey`."""

    fd: int


class Poller:
    """See the module."""

    def __init__(self) -> None:
        self._wanted: dict[int, int] = {}

    def register(self, fd: int, events: int) -> None:
        """Wait for `EVENT_READ` or `EVENT_WRITE` of a descriptor, or for both."""
        if fd < 0:
            raise ValueError(f"{fd} is no descriptor")
        wanted = _READ if events & selectors.EVENT_READ else 0
        wanted |= _WRITE if events & selectors.EVENT_WRITE else 0
        self._wanted[fd] = self._wanted.get(fd, 0) | wanted

    def select(self, timeout: float | None = None) -> list[tuple[Ready, int]]:
        """What is ready within `timeout` seconds; None: when something is."""
        poll = select.poll()
        for fd, wanted in self._wanted.items():
            poll.register(fd, wanted)
        wait = None if timeout is None else max(0, math.ceil(timeout * 1000))
        found = []
        for fd, seen in poll.poll(wait):
            if seen & select.POLLNVAL:
                raise OSError(errno.EBADF, f"descriptor {fd} is closed")
            wanted = self._wanted[fd]
            events = selectors.EVENT_READ if seen & (_READ | _ENDED) and wanted & _READ else 0
            if seen & (_WRITE | _ENDED) and wanted & _WRITE:
                events |= selectors.EVENT_WRITE
            found.append((Ready(fd), events))
        return found

    def close(self) -> None:
        """Nothing is open."""


def use_lean_transport() -> None:
    """Have every Thespian transport of this process and of its forks do less."""
    tcp.selectors = SimpleNamespace(
        DefaultSelector=Poller,
        EVENT_READ=selectors.EVENT_READ,
        EVENT_WRITE=selectors.EVENT_WRITE,
    )
    tcp.IdleSocket.expired = _expired
    transport_base.TransmitIntent.identify = _identify
    IPActorAddress.__hash__ = _hash


def _expired(self: Any) -> bool:
    return bool(currentTime() >= self.validity._time_to_quit)


def _identify(self: Any) -> str:
    return f"{type(self.message).__name__} to {self.targetAddr}"


def _hash(self: Any) -> int:
    return hash(self.sockname)
