"""Restart intensity: more than `max_restarts` restarts in `max_seconds` seconds are too many.

OTP compares whole seconds of a monotonic clock, so a restart counts for at least `max_seconds`
and for less than one second more. A supervisor's restarts are all in one window, whichever
child they were for; failed attempts count.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any

from aybiza.supervisors.errors import SupervisorError


class Intensity:
    """The window of one supervisor. Raises `SupervisorError` for limits that are none."""

    __slots__ = ("_times", "max_restarts", "max_seconds", "total")

    def __init__(self, max_restarts: Any, max_seconds: Any) -> None:
        if type(max_restarts) is not int or max_restarts < 0:
            raise SupervisorError(("invalid_intensity", max_restarts))
        if type(max_seconds) is not int or max_seconds <= 0:
            raise SupervisorError(("invalid_period", max_seconds))
        self.max_restarts = max_restarts
        self.max_seconds = max_seconds
        self.total = 0
        self._times: deque[int] = deque()

    def allows(self, now: float) -> bool:
        """Count a restart at `now` (monotonic seconds); whether it is within the limit."""
        second = math.floor(now)
        while self._times and self._times[0] < second - self.max_seconds:
            self._times.popleft()
        self._times.append(second)
        self.total += 1
        return len(self._times) <= self.max_restarts

    def left(self, now: float) -> int:
        """How many restarts at `now` would still be within the limit."""
        first = math.floor(now) - self.max_seconds
        return max(0, self.max_restarts - sum(second >= first for second in self._times))
