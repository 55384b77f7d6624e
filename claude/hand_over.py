"""From many threads to one event loop, at one wake-up for all that comes together.

Purpose: a wake-up of the loop costs as much as the event that it is for. Contract: `post` may be
called from any thread; callbacks are called on the loop, in the order in which one thread posted
them. One that raises is logged and harms no other.
Errors: none; `post` is False when the loop is closed and nobody is left to be told.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

Callback = Callable[[], object]


class HandOver:
    """See the module. Made on the loop that it is for."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._posted: deque[Callback] = deque()
        self._awake = False

    def post(self, callback: Callback) -> bool:
        """Have `callback` called on the loop, soon."""
        self._posted.append(callback)
        if self._awake:
            return not self._loop.is_closed()
        self._awake = True
        try:
            self._loop.call_soon_threadsafe(self._take)
        except RuntimeError:
            return False
        return True

    def _take(self) -> None:
        # Before the first is taken: who posts from now on wakes the loop, at worst for nothing.
        self._awake = False
        for _ in range(len(self._posted)):
            callback = self._posted.popleft()
            try:
                callback()
            except Exception:
                log.exception("hand_over_failed")
