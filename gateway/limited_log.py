"""Lines of the log that strangers can cause: so many of a kind a minute, then their number.

    told(vm, "media_refused", call_id=…)

The next line of that kind after its minute has `unlogged`, how many were not written.

Contract: `told` never raises and never waits; what it keeps is a number for each kind, and kinds
are words of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import structlog

from aybiza.actors.runtime import VM

LINES: Final = 60
SECONDS: Final = 60.0

TABLE: Final = "limited_log"

log = structlog.get_logger(__name__)


class Limits:
    """The lines of each kind, and when its minute ends. `now`: monotonic, in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._kinds: dict[str, tuple[float, int]] = {}

    def may(self, kind: str) -> int | None:
        """How many lines of this kind were left out before this one; None if this one is too."""
        now = self._now()
        until, lines = self._kinds.get(kind, (now + SECONDS, 0))
        left_out = 0
        if until <= now:
            left_out, until, lines = max(0, lines - LINES), now + SECONDS, 0
        self._kinds[kind] = until, lines + 1
        return left_out if lines < LINES else None


def told(vm: VM, event: str, level: str = "warning", **values: Any) -> None:
    """Write the line, if there is room for one of its kind."""
    limits: Limits = vm.tables.setdefault(TABLE, Limits(vm.now))
    left_out = limits.may(event)
    if left_out is not None:
        more = {"unlogged": left_out} if left_out else {}
        log.log(_LEVELS[level], event, **values, **more)


_LEVELS: Final = {"info": 20, "warning": 30}
