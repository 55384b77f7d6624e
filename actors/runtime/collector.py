"""`Collector`: garbage collection in pieces that no call notices.

A full collection looks at every object there is, and the loop waits: with 10,000 processes that
is a fifth of a second. Processes leave no cycles when they end, so what has survived two young
collections is not worth another look: it is frozen, which costs nothing, however much it is. Each
collection then sees only what is younger than a few thousand objects. Cycles that others leave
among the frozen are looked for in a full collection, every `FULL_SECONDS` while it is `quiet`.
Where it never is, they are looked for when `MOST_GROWN` objects have been frozen: one long look
costs less than memory that grows for ever.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

FULL_SECONDS = 60.0
GROWN = 5_000
"""Objects; some 2 MB at most."""
MOST_GROWN = 300_000
"""Objects: what some hundred calls leave behind, most of it connections and timers that refer to
each other."""

# The last generation but one: what survives it is old.
_YOUNG = 1


class Collector:
    """See the module. `quiet` says whether nobody would notice that the loop waits."""

    def __init__(self, quiet: Callable[[], bool] = lambda: False) -> None:
        self._quiet = quiet
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looked_at = 0

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Freeze what lives, after a full collection, and from now on what grows old."""
        self._loop = loop
        freeze()
        self._looked_at = gc.get_freeze_count()
        gc.callbacks.append(self._collected)
        self._set_timer()

    def stop(self) -> None:
        """Leave the collector of the OS process as it was."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            gc.callbacks.remove(self._collected)
            gc.unfreeze()

    def _collected(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "stop" and info["generation"] == _YOUNG:
            gc.freeze()

    def _set_timer(self) -> None:
        assert self._loop is not None
        self._timer = self._loop.call_later(FULL_SECONDS, self._come_due)

    def _come_due(self) -> None:
        grown = gc.get_freeze_count() - self._looked_at
        if grown > MOST_GROWN or (grown > GROWN and self._quiet()):
            gc.unfreeze()
            freeze()
            self._looked_at = gc.get_freeze_count()
        self._set_timer()


def freeze() -> None:
    """Take what lives now out of the collector's sight, after a full collection."""
    gc.collect()
    gc.freeze()
