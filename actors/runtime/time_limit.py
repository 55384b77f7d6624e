"""`TimeLimit`: one timer for all calls that may wait equally long.

Almost every call is answered long before its limit, and to make and cancel a timer costs as much
as a sixth of a call. Those with the same limit come due in the order in which they began, so one
timer, set for the oldest, serves them all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

Act = Callable[[Any, Any], None]


class TimeLimit:
    """The limit of `seconds` for everyone who is added and not discarded in time."""

    __slots__ = ("_loop", "_timer", "_waiting", "seconds")

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self.seconds = seconds
        self._loop = loop
        self._waiting: dict[Any, tuple[float, Act, Any]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, who: Any, act: Act, argument: Any) -> None:
        """Call `act(who, argument)` when the time is over."""
        due = self._loop.time() + self.seconds
        self._waiting[who] = (due, act, argument)
        if self._timer is None:
            self._timer = self._loop.call_at(due, self._come_due)

    def discard(self, who: Any) -> None:
        """`who` waits no longer."""
        self._waiting.pop(who, None)

    def close(self) -> None:
        """Forget everyone."""
        self._waiting.clear()
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _come_due(self) -> None:
        assert self._timer is not None
        now = max(self._timer.when(), self._loop.time())
        self._timer = None
        over: list[tuple[Any, Act, Any]] = []
        for who, (due, act, argument) in self._waiting.items():
            if due > now:
                self._timer = self._loop.call_at(due, self._come_due)
                break
            over.append((who, act, argument))
        for who, act, argument in over:
            del self._waiting[who]
            act(who, argument)
