"""`Tally`: how often something was done for somebody within a time. Bounded, without I/O.

Whoever reaches an agent's tools can have them used again and again, in a call and in the next one.
A tally counts by any key (a call, a caller's number) and forgets a count when its time is over, and
the oldest ones when there are too many.

Errors: none.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

from aybiza.config import clocks

REMEMBERED: Final = 10_000
DAY_SECONDS: Final = 86_400.0

IDENTIFYING_A_CALL: Final = 3
"""Times that a call may say wrongly who the caller is."""
IDENTIFYING_A_CALLER: Final = 10
"""The same of a caller's number, within a day."""
WRITES_A_CALLER: Final = 30
"""Runs of one write for a caller's number within a day, unless its tool says otherwise."""


class Tally:
    """At most `most` of a key within `seconds`, counted from the first one.

    >>> wrong = Tally(2, clock=lambda: 0.0)
    >>> [wrong.add("CA1"), wrong.add("CA1"), wrong.full("CA1"), wrong.full("CA2")]
    [1, 2, True, False]
    """

    def __init__(
        self,
        most: int,
        seconds: float = DAY_SECONDS,
        clock: Callable[[], float] = clocks.monotonic,
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._counts: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def full(self, key: Hashable, most: int | None = None) -> bool:
        """Whether there is none left for the key."""
        return self._count(key)[1] >= (self._most if most is None else most)

    def add(self, key: Hashable) -> int:
        """Count one; how many there are now."""
        since, count = self._count(key)
        self._counts[key] = (since, count + 1)
        self._counts.move_to_end(key)
        if len(self._counts) > REMEMBERED:
            self._counts.popitem(last=False)
        return count + 1

    def take_back(self, key: Hashable) -> None:
        """One that was counted was none."""
        since, count = self._count(key)
        if count:
            self._counts[key] = (since, count - 1)

    def _count(self, key: Hashable) -> tuple[float, int]:
        since, count = self._counts.get(key, (self._clock(), 0))
        if self._clock() - since >= self._seconds:
            return self._clock(), 0
        return since, count


class Identifying:
    """Wrong answers to the question who the caller is: so many a call, so many a caller's number.

    Who has given too many is not listened to any more, so that nobody can try out names.
    """

    def __init__(self, clock: Callable[[], float] = clocks.monotonic) -> None:
        self._calls = Tally(IDENTIFYING_A_CALL, clock=clock)
        self._callers = Tally(IDENTIFYING_A_CALLER, clock=clock)

    def over(self, call_id: str, caller: str) -> bool:
        """Whether this call, or this number, has guessed too often."""
        return self._calls.full(call_id) or bool(caller and self._callers.full(caller))

    def failed(self, call_id: str, caller: str) -> None:
        """The caller is not who was said."""
        self._calls.add(call_id)
        if caller:
            self._callers.add(caller)
