"""SpeakBudget: what a speak socket still takes in this minute, in flushes and in characters.

Deepgram ignores the 21st `Flush` within a minute and closes at the 2401st character. Some flushes
are kept for those that a caller waits for. Pure: the clock, in seconds, is handed in.

Source: Deepgram, speak v1, limits.
"""

from __future__ import annotations

from collections import deque

FLUSHES_A_WINDOW = 20
CHARACTERS_A_WINDOW = 2400
# A second more than Deepgram's minute: on their way two flushes may come closer together.
WINDOW_SECONDS = 61.0
# Kept for what a caller waits for.
RESERVE = 8


class SpeakBudget:
    """The flushes of one socket, with the characters of each."""

    def __init__(self) -> None:
        self._spent: deque[tuple[float, int]] = deque()

    def left(self, now: float) -> int:
        """How many flushes the window still takes."""
        self._forget(now)
        return FLUSHES_A_WINDOW - len(self._spent)

    def characters_left(self, now: float) -> int:
        """How many characters the window still takes."""
        self._forget(now)
        return CHARACTERS_A_WINDOW - sum(characters for _, characters in self._spent)

    def may_flush_early(self, now: float) -> bool:
        """Whether something that nobody waits for yet is affordable."""
        enough = self.characters_left(now) > CHARACTERS_A_WINDOW // 2
        return enough and self.left(now) > RESERVE

    def takes(self, characters: int, now: float) -> bool:
        """Whether so many characters can be said now."""
        return self.left(now) > 0 and self.characters_left(now) >= characters

    def spend(self, characters: int, now: float) -> None:
        """So many characters were sent, and flushed."""
        self._spent.append((now, characters))

    def _forget(self, now: float) -> None:
        while self._spent and now - self._spent[0][0] >= WINDOW_SECONDS:
            self._spent.popleft()
