"""Wrong tokens of the console, counted by address: nobody tries many.

    guesses.add("203.0.113.9")      a token from there was wrong
    guesses.full("203.0.113.9")     whether the next one is not looked at, be it right or wrong

`MOST` in a minute that begins with the first. Behind a proxy that is not named
(`AYBIZA_TRUSTED_PROXIES`) all come from one address, so whoever guesses there keeps the operator
out for as long.

Pure but for the clock; bounded by `ADDRESSES`, of which the oldest is forgotten first. No errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aybiza.config import clocks

MOST: Final = 10
MINUTE: Final = 60
ADDRESSES: Final = 20_000


class Guesses:
    """See the module. `timer`: monotonic, in seconds."""

    def __init__(self, timer: Callable[[], float] = clocks.monotonic) -> None:
        self._timer = timer
        # Wrong tokens, and when they are forgotten; the oldest first.
        self._wrong: dict[str, tuple[int, float]] = {}

    def add(self, address: str) -> None:
        """See the module."""
        now = self._timer()
        count, until = self._wrong.get(address, (0, 0.0))
        if until <= now:
            self._wrong.pop(address, None)
            count, until = 0, now + MINUTE
            if len(self._wrong) >= ADDRESSES:
                del self._wrong[next(iter(self._wrong))]
        self._wrong[address] = count + 1, until

    def full(self, address: str) -> bool:
        """See the module."""
        count, until = self._wrong.get(address, (0, 0.0))
        return count >= MOST and until > self._timer()
