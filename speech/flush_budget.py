"""FlushBudget: Deepgram takes 20 `Flush` messages a minute on a speak socket and ignores more.

A sentence is flushed the moment it is given, so that it is spoken early, while enough of the budget
is left; then only the end of a turn is. Pure: the clock, in seconds, is handed in.

Source: Deepgram, speak v1, limits.
"""

from __future__ import annotations

from collections import deque

FLUSHES_A_WINDOW = 20
# A second more than Deepgram's minute: on their way two flushes may come closer together.
WINDOW_SECONDS = 61.0
# Kept for the ends of turns, without which the last words would wait for ever.
RESERVE = 8


class FlushBudget:
    """The flushes of one socket."""

    def __init__(self) -> None:
        self._spent: deque[float] = deque()

    def left(self, now: float) -> int:
        """How many flushes the window still takes."""
        while self._spent and now - self._spent[0] >= WINDOW_SECONDS:
            self._spent.popleft()
        return FLUSHES_A_WINDOW - len(self._spent)

    def may_flush(self, now: float) -> bool:
        """Whether a flush in the middle of a turn is affordable."""
        return self.left(now) > RESERVE

    def flushed(self, now: float) -> None:
        """A flush was sent."""
        self._spent.append(now)
