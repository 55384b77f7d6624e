"""`TimeLimit`: one timer for all calls that may wait equally long; `TimeLimits`: a VM's clock.

Almost every call is answered long before its limit, and to make and cancel a timer costs as much
as a sixth of a call. Those with the same limit come due in the order in which they began, so one
timer, set for the oldest, serves them all. `TimeLimits` has one for each limit that is asked for,
on the loop that is the clock. Whatever is asked of it raises `VMClosed` while there is none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from numbers import Real
from typing import Any, NoReturn

from aybiza.actors.runtime.errors import VMClosed
from aybiza.actors.runtime.teaching import not_open

Act = Callable[[Any, Any], None]

# What is to take longer is to take for ever.
LONGEST_SECONDS = 100 * 366 * 86_400.0

# So many limits keep their timer for those who come later; the others are made for one.
KEPT = 32


def seconds_of(limit: Any) -> float:
    """A limit in seconds, checked: one below zero is over at once, no number is too large.

    Raises `TypeError` for what is no number and `ValueError` for NaN, which would leave the timers
    of the whole loop without an order.
    """
    if isinstance(limit, bool) or not isinstance(limit, Real):
        raise TypeError(f"a time limit is a number of seconds or None, not {limit!r}")
    seconds: Any = limit
    if seconds != seconds:
        raise ValueError("a time limit is a number of seconds or None, not NaN")
    return float(min(max(seconds, 0.0), LONGEST_SECONDS))


class _NoLoop:
    """Stands for the loop while there is none."""

    def __getattr__(self, name: str) -> NoReturn:
        raise VMClosed(not_open())


NO_LOOP: Any = _NoLoop()


class TimeLimits:
    """The limits of the running loop, by their seconds."""

    __slots__ = ("_kept", "loop")

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop = NO_LOOP
        self._kept: dict[float, TimeLimit] = {}

    @property
    def running(self) -> bool:
        """Whether there is a loop."""
        return self.loop is not NO_LOOP

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run on `loop`."""
        self.loop = loop

    def now(self) -> float:
        """Monotonic seconds of the clock."""
        return self.loop.time()

    def of(self, seconds: float) -> TimeLimit:
        """The limit of `seconds`, to which who waits is added; raises as `seconds_of`."""
        if type(seconds) is float and (limit := self._kept.get(seconds)) is not None:
            return limit
        if self.loop is NO_LOOP:
            raise VMClosed(not_open())
        seconds = seconds_of(seconds)
        limit = self._kept.get(seconds)
        if limit is None:
            kept = len(self._kept) < KEPT
            limit = TimeLimit(self.loop, seconds, kept=kept)
            if kept:
                self._kept[seconds] = limit
        return limit

    def close(self) -> None:
        """Forget everyone, and the loop."""
        for limit in self._kept.values():
            limit.close()
        self._kept.clear()
        self.loop = NO_LOOP


class TimeLimit:
    """The limit of `seconds` for everyone who is added and not discarded in time.

    One that is not `kept` leaves no timer behind when nobody waits any more. `waiting` are those
    who were added.
    """

    __slots__ = ("_kept", "_loop", "_next", "_timer", "seconds", "waiting")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, seconds: float, *, kept: bool = True
    ) -> None:
        self.seconds = seconds
        self._kept = kept
        self._loop = loop
        self.waiting: dict[Any, tuple[float, Act, Any]] = {}
        self._timer: asyncio.Handle | None = None
        self._next = 0.0

    def add(self, who: Any, act: Act, argument: Any) -> None:
        """Call `act(who, argument)` when the time is over."""
        due = self._loop.time() + self.seconds
        self.waiting[who] = (due, act, argument)
        if self._timer is None:
            self._wait(due)

    def discard(self, who: Any) -> None:
        """`who` waits no longer."""
        self.waiting.pop(who, None)
        if not self._kept and not self.waiting:
            self.close()

    def close(self) -> None:
        """Forget everyone."""
        self.waiting.clear()
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _wait(self, due: float) -> None:
        # Kept here, because uvloop's handle of what is due at once has no time.
        self._next = due
        self._timer = self._loop.call_at(due, self._come_due)

    def _come_due(self) -> None:
        assert self._timer is not None
        now = max(self._next, self._loop.time())
        self._timer = None
        over: list[tuple[Any, Act, Any]] = []
        for who, (due, act, argument) in self.waiting.items():
            if due > now:
                self._wait(due)
                break
            over.append((who, act, argument))
        for who, act, argument in over:
            del self.waiting[who]
            act(who, argument)
