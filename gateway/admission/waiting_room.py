"""The waiting room: connections whose request is not there yet, of both doors of a node.

Whoever connects and does not go on costs memory and a file descriptor, and many of them would keep
the others out. So a connection that still owes its request (TLS handshake, headers, body, and for a
media stream its `start`) is in here, for `seconds` at most, beside at most `of_address` others of
its address, of IPv6 its network (`callers.limited_as`), and `in_all` of anybody. When there is no
room it is the oldest that goes, not the newest: an honest request is whole within milliseconds, a
held one only grows old. Connections that are kept alive between two requests are in here too.

Contract: `enter` when a connection begins to owe, `leave` when it no longer does or is lost; a
connection that has to go is aborted. All of it on the loop; nothing waits, nothing is raised.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aybiza.gateway.admission.callers import limited_as

SECONDS: Final = 10.0
OF_ADDRESS: Final = 64
IN_ALL: Final = 256


@dataclass(eq=False, slots=True)
class Guest:
    """One connection in the room; `place`: whom its address counts for."""

    door: str
    address: str
    place: str
    transport: asyncio.Transport
    until: float


class WaitingRoom:
    """See the module. `refused(door, reason, address)` is told who had to go, and why.

    `exempt`: addresses that are not one peer's, as those of proxies; only the bound in all holds
    for them.
    """

    def __init__(
        self,
        refused: Callable[[str, str, str], None],
        exempt: Callable[[str], bool] = lambda address: False,
        *,
        seconds: float = SECONDS,
        of_address: int = OF_ADDRESS,
        in_all: int = IN_ALL,
    ) -> None:
        self.seconds = seconds
        self._refused = refused
        self._exempt = exempt
        self._of_address = of_address
        self._in_all = in_all
        # Oldest first, as they came in.
        self._guests: dict[Guest, None] = {}
        self._by_address: dict[str, dict[Guest, None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._guests)

    def enter(self, door: str, address: str, transport: asyncio.Transport) -> Guest:
        """Let a connection in; the oldest goes if there is no room."""
        place = limited_as(address)
        same = self._by_address.get(place)
        if same is not None and len(same) >= self._of_address and not self._exempt(address):
            self._turn_out(next(iter(same)), "connections_of_address")
        if len(self._guests) >= self._in_all:
            self._turn_out(next(iter(self._guests)), "connections")
        loop = asyncio.get_running_loop()
        guest = Guest(door, address, place, transport, loop.time() + self.seconds)
        self._guests[guest] = None
        self._by_address.setdefault(place, {})[guest] = None
        if self._timer is None:
            self._timer = loop.call_at(guest.until, self._expire)
        return guest

    def leave(self, guest: Guest) -> None:
        """The connection owes nothing any more; without effect if it has gone already."""
        if guest not in self._guests:
            return
        del self._guests[guest]
        same = self._by_address[guest.place]
        del same[guest]
        if not same:
            del self._by_address[guest.place]

    def _turn_out(self, guest: Guest, reason: str) -> None:
        self.leave(guest)
        self._refused(guest.door, reason, guest.address)
        guest.transport.abort()

    def _expire(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self._guests:
            oldest = next(iter(self._guests))
            if oldest.until > now:
                self._timer = loop.call_at(oldest.until, self._expire)
                return
            self._turn_out(oldest, "slow")
