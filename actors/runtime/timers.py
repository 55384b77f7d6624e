"""Timers: messages in the future, as `Process.send_after` and `Process.cancel_timer`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class Timer:
    """A message that is to be sent; made by `VM.send_after`."""

    __slots__ = ("_handle", "_loop", "fired")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, seconds: float, act: Callable[..., None], *args: Any
    ) -> None:
        self._loop = loop
        self.fired = False
        self._handle = loop.call_later(max(0.0, seconds), self._fire, act, args)

    def _fire(self, act: Callable[..., None], args: tuple[Any, ...]) -> None:
        self.fired = True
        act(*args)

    def cancel(self) -> float | None:
        """Stop the timer. Returns the seconds that were left, None when it had fired already.

        A message that was sent already stays in the mailbox.
        """
        if self.fired or self._handle.cancelled():
            return None
        self._handle.cancel()
        return max(0.0, self._handle.when() - self._loop.time())
