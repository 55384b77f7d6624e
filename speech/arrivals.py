"""How the caller's audio comes in: jitter, and what is missing. Pure; the clock is handed in.

    arrivals.took(now, timestamp_ms, size)     for each frame, of `size` bytes of mu-law
    arrivals.jitter_ms, arrivals.lost

`timestamp_ms` is the frame's own time, as the carrier has stamped it. Jitter is the mean deviation
of the times between arrivals from those between stamps. What is missing between two stamps is lost,
if it is less than `LONGEST_HOLE_MS`; a longer one is a carrier that sends no silence. Where a
carrier stamps nothing, nothing is told.

Errors: none. Source: RFC 3550, section 6.4.1 (the deviation D).
"""

from __future__ import annotations

from typing import Final

BYTES_A_MS: Final = 8
LONGEST_HOLE_MS: Final = 1_000.0


class Arrivals:
    """See the module. `frames`: how many have been compared with the one before; `lost`: the share
    of audio that is missing, 0 to 1."""

    __slots__ = ("_at", "_deviation", "_ends", "_lost_ms", "_stamp", "_took_ms", "frames")

    def __init__(self) -> None:
        self.frames = 0
        self._at = self._stamp = self._ends = 0.0
        self._deviation = self._lost_ms = self._took_ms = 0.0

    def took(self, at: float, timestamp_ms: float, size: int) -> None:
        """See the module. `at`: seconds."""
        length = size / BYTES_A_MS
        self._took_ms += length
        apart = timestamp_ms - self._stamp
        hole = timestamp_ms - self._ends
        if self._at and apart > 0 and hole < LONGEST_HOLE_MS:
            self.frames += 1
            self._deviation += abs((at - self._at) * 1000.0 - apart)
            self._lost_ms += max(0.0, hole)
        self._at, self._stamp, self._ends = at, timestamp_ms, timestamp_ms + length

    @property
    def jitter_ms(self) -> float:
        """See the module."""
        return self._deviation / self.frames if self.frames else 0.0

    @property
    def lost(self) -> float:
        """See the class."""
        return self._lost_ms / (self._lost_ms + self._took_ms) if self._took_ms else 0.0
