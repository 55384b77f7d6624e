"""How many bytes a media connection may bring: few before `start`, then at a bounded rate.

Speech has some 20 KB a second on every wire. What comes in much larger amounts is something else,
such as events without a meaning. Pings, and messages in parts, have a bound of their own: carriers
send a ping now and then and no parts, and each is answered or put by before anybody sees it, at the
price of a whole message for six bytes.

Contract: `take` is told of bytes as they come, `odd` of each frame that is no whole message; they
say whether it may. Pure but for the clock, which is looked at only when a burst's room is used up:
so a burst may have room for two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aybiza.config import clocks

EARLY_BYTES: Final = 128 * 1024
"""Room for a frame of the largest size, so that it is refused for what it is."""
BURST_BYTES: Final = 4 * 1024 * 1024
BYTES_A_SECOND: Final = 512 * 1024
ODD_EARLY: Final = 16
ODD_A_SECOND: Final = 400
"""Frames that are no whole message: of those before `start`, and later."""


class Flow:
    """See the module. `timer`: monotonic, in seconds."""

    __slots__ = ("_early", "_odd", "_room", "_second", "_seen", "_timer")

    def __init__(self, timer: Callable[[], float] = clocks.monotonic) -> None:
        self._timer = timer
        self._early = 0
        self._odd = 0
        self._second = timer()
        self._room = float(BURST_BYTES)
        self._seen = timer()

    def take(self, count: int, *, started: bool) -> bool:
        """Whether so many more bytes may come, the stream having started or not."""
        if not started:
            self._early += count
            return self._early <= EARLY_BYTES
        self._room -= count
        if self._room < 0:
            now = self._timer()
            refilled = self._room + (now - self._seen) * BYTES_A_SECOND
            self._room, self._seen = min(refilled, BURST_BYTES - count), now
        return self._room >= 0

    def odd(self, *, started: bool) -> bool:
        """Whether one more frame may come that is no whole message."""
        now = self._timer()
        if started and now - self._second >= 1.0:
            self._second, self._odd = now, 0
        self._odd += 1
        return self._odd <= (ODD_A_SECOND if started else ODD_EARLY)
