"""How much one caller may have in an hour: so many calls, so many minutes.

A caller is the number that the carrier tells (From). Those who withhold it share a window of
`WITHHELD` times as much. A call counts once, however often it comes back by its redirect; minutes
are those of its streams, the ones that are under way included. A window begins with a caller's
first call. Callers are counted by each node for itself.

Pure but for the clock; bounded by `MOST` callers, of whom the one with the oldest window is
forgotten first, and by the calls of each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from aybiza.config import clocks
from aybiza.config.caller_number import told

WINDOW_SECONDS: Final = 3600.0
WITHHELD: Final = 10
MOST: Final = 20_000


@dataclass(slots=True)
class _Window:
    until: float
    calls: set[str] = field(default_factory=set)
    seconds: float = 0.0
    begun: dict[str, float] = field(default_factory=dict)

    def minutes(self, now: float) -> float:
        return (self.seconds + sum(now - since for since in self.begun.values())) / 60.0


class CallerLimits:
    """See the module. `calls`, `minutes`: in an hour; 0: any number. `timer`: monotonic."""

    def __init__(
        self, calls: int = 0, minutes: int = 0, timer: Callable[[], float] = clocks.monotonic
    ) -> None:
        self._calls = calls
        self._minutes = minutes
        self._timer = timer
        # The oldest window first.
        self._windows: dict[str, _Window] = {}

    def admit(self, number: str, call_id: str) -> bool:
        """Whether the caller may have this call; if so, it is counted."""
        if not (self._calls or self._minutes):
            return True
        caller, now = _caller(number), self._timer()
        window = self._window(caller, now)
        if call_id in window.calls:
            return True
        factor = 1 if caller else WITHHELD
        if self._calls and len(window.calls) >= self._calls * factor:
            return False
        if self._minutes and window.minutes(now) >= self._minutes * factor:
            return False
        window.calls.add(call_id)
        return True

    def begin(self, number: str, call_id: str) -> None:
        """A stream of the call has started."""
        if self._minutes:
            now = self._timer()
            self._window(_caller(number), now).begun.setdefault(call_id, now)

    def end(self, number: str, call_id: str) -> None:
        """A stream of the call has ended."""
        window = self._windows.get(_caller(number))
        since = window.begun.pop(call_id, None) if window is not None else None
        if window is not None and since is not None:
            window.seconds += self._timer() - since

    def _window(self, caller: str, now: float) -> _Window:
        window = self._windows.get(caller)
        if window is None or window.until <= now:
            # Calls that are under way go on into the next hour, from now on.
            begun = dict.fromkeys(window.begun, now) if window is not None else {}
            self._windows.pop(caller, None)
            if len(self._windows) >= MOST:
                del self._windows[next(iter(self._windows))]
            window = self._windows[caller] = _Window(now + WINDOW_SECONDS, begun=begun)
        return window


def _caller(number: str) -> str:
    return told(number).lower()
