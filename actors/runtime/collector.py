"""`Collector`: garbage collection in pieces that no call notices, and memory given back.

A full collection looks at every object there is, and the loop waits: with 10,000 processes that
is a fifth of a second. Processes leave no cycles when they end, so what has survived two young
collections is not worth another look: the interpreter's own full collections are put off for ever.
Cycles that others leave among the old are looked for when it has become `quiet` and something has
grown old since. Where it never is quiet, they are looked for when `MOST_GROWN` objects have grown
old: one long look costs less than memory that grows for ever.

What a node has had from its start is frozen, and left out of these looks too. Most of it is its
keeper's as well, and to look at an object is to write to it: each would have a copy of its own.

With each look goes back to the system what is free. malloc keeps pages that hold nothing any more:
what calls have had lies scattered between what lasts, and glibc gives back by itself only what lies
at the end.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
from collections.abc import Callable
from typing import Any

LOOK_SECONDS = 2.0
"""From one question whether it is quiet to the next. It is so when two answers say so: by then the
connections of the last call are closed."""
FULL_SECONDS = 60.0
"""From one count of what has grown old to the next, where it is not quiet."""
MOST_GROWN = 300_000
"""Objects: what some hundred calls leave behind, most of it connections and timers that refer to
each other."""

# The last generation but one: what survives it is old.
_YOUNG = 1
_OLD = 2
_NEVER = 2**31 - 1


class Collector:
    """See the module. `quiet` says whether nobody would notice that the loop waits."""

    def __init__(self, quiet: Callable[[], bool] = lambda: False) -> None:
        self._quiet = quiet
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thresholds = gc.get_threshold()
        self._aged = False
        self._was_quiet = False
        self._counted_at = 0.0
        self._old = 0

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Freeze what lives, after a full collection; what grows old from now on is let be."""
        self._loop = loop
        freeze()
        self._thresholds = gc.get_threshold()
        young, middle, _ = self._thresholds
        gc.set_threshold(young, middle, _NEVER)
        gc.callbacks.append(self._collected)
        self._counted_at = loop.time()
        self._set_timer()

    def stop(self) -> None:
        """Leave the collector of the OS process as it was."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            gc.callbacks.remove(self._collected)
            gc.set_threshold(*self._thresholds)
            gc.unfreeze()

    def _collected(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "stop" and info["generation"] == _YOUNG:
            self._aged = True

    def _set_timer(self) -> None:
        assert self._loop is not None
        self._timer = self._loop.call_later(LOOK_SECONDS, self._come_due)

    def _come_due(self) -> None:
        before, self._was_quiet = self._was_quiet, self._quiet()
        if self._aged and ((before and self._was_quiet) or self._much_has_grown()):
            self._look()
        self._set_timer()

    def _much_has_grown(self) -> bool:
        assert self._loop is not None
        if self._loop.time() < self._counted_at + FULL_SECONDS:
            return False
        self._counted_at = self._loop.time()
        return old() - self._old > MOST_GROWN

    def _look(self) -> None:
        self._aged = False
        gc.collect()
        self._old = old()
        give_back()


def freeze() -> None:
    """Take what lives now out of the collector's sight, after a full collection."""
    gc.collect()
    gc.freeze()


def old() -> int:
    """How many objects have grown old and are not frozen."""
    return len(gc.get_objects(_OLD))


def give_back() -> None:
    """Give the system back the pages that nothing lies on, of all threads; 1 ms for 40 MB.

    Without effect where the C library cannot (musl's has no need to).
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
