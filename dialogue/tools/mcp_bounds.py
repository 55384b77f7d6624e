"""What a server of the Model Context Protocol may do to us: how much it may say, and how often it
is started again. Pure; the clock is handed in.

    meter.took(now, size)      of a message, or a piece of an answer; raises Flood
    pause(ends, lived)         seconds before it is started again

Errors: `Flood`.
"""

from __future__ import annotations

from typing import Final

MESSAGE_BYTES: Final = 1_000_000
"""The longest message."""
WINDOW_SECONDS: Final = 10.0
WINDOW_BYTES: Final = 8_000_000
WINDOW_MESSAGES: Final = 2_000
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 60.0
STEADY_SECONDS: Final = 60.0
"""A server that has lived so long has made up for the ends before."""


class Flood(Exception):
    """It says more than it may."""


class Meter:
    """See the module: so many bytes and messages in any window."""

    def __init__(self) -> None:
        self._began = 0.0
        self._bytes = self._messages = 0

    def took(self, now: float, size: int) -> None:
        """See the module."""
        if now - self._began >= WINDOW_SECONDS:
            self._began, self._bytes, self._messages = now, 0, 0
        self._bytes += size
        self._messages += 1
        if self._bytes > WINDOW_BYTES or self._messages > WINDOW_MESSAGES:
            raise Flood(f"it says more than {WINDOW_BYTES} bytes or {WINDOW_MESSAGES} messages")


def pause(ends: int, lived: float) -> tuple[int, float]:
    """How many ends count by now, and how long to wait. `ends`: before this one; `lived`: seconds.

    >>> [pause(ends, 1.0) for ends in (0, 1, 9)], pause(9, 100.0)
    ([(1, 0.5), (2, 1.0), (10, 60.0)], (1, 0.5))
    """
    ends = 1 if lived >= STEADY_SECONDS else ends + 1
    return ends, min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(ends - 1, 20))
