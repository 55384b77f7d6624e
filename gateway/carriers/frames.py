"""How many events a stream may bring that are no audio.

Before `start` a carrier sends one, `connected`. Later come marks, keys, `stop`: some in a second,
and at once all marks that a `clear` drops. Events that nobody knows are passed over, for carriers
add some now and then, but nobody sends them by the thousand.

Contract: `count` raises `ProtocolError` (1008) for the one that is too many. `now`: monotonic, in
seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aybiza.gateway.carriers.codec import (
    CLOSE_POLICY_VIOLATION,
    Event,
    Ignored,
    ProtocolError,
    Start,
    Unknown,
)

BEFORE_START: Final = 8
A_SECOND: Final = 1000
UNKNOWN: Final = 1000


class Frames:
    """The events of one stream; see the module."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._early = 0
        self._unknown = 0
        self._second = now()
        self._in_second = 0

    def count(self, event: Event, *, started: bool) -> None:
        """One more, the stream having started or not."""
        if not started and type(event) is not Start:
            self._early += 1
            if self._early > BEFORE_START:
                _refuse(f"more than {BEFORE_START} events before start")
        if type(event) is Unknown:
            self._unknown += 1
            if self._unknown > UNKNOWN:
                _refuse(f"more than {UNKNOWN} events that nobody knows")
        # Audio of the other track is no use, and comes as often as that of the caller.
        if type(event) is not Ignored:
            self._at_a_time()

    def _at_a_time(self) -> None:
        now = self._now()
        if now - self._second >= 1.0:
            self._second, self._in_second = now, 0
        self._in_second += 1
        if self._in_second > A_SECOND:
            _refuse(f"more than {A_SECOND} events in a second")


def _refuse(why: str) -> None:
    raise ProtocolError(CLOSE_POLICY_VIOLATION, why)
