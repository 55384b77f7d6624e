"""Loudness: how loud both sides of a line are to be heard, for who looks at a call.

    peaks(mulaw)                    the loudest of each `STEP_SECONDS`, 0 to 100, the newest last
    said = Loudness(now)            while somebody looks; put down by `Line.play` and `Line.clear`
    said.agent(mulaw, starts)       audio that the caller begins to hear at `starts`
    said.cleared(now)               what has not been heard by now never will be
    said.take(now)                  the steps up to now that were not taken yet

The figures are roots of the amplitude, which is how loud it looks. Pure; times are seconds of the
clock that the owner hands in. Bounded: what is said is at most `MOST_SECONDS` ahead, and what
nobody takes for so long is forgotten.
Errors: none.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from aybiza.speech.mulaw import decode
from aybiza.speech.playout import BYTES_A_SECOND

STEP_SECONDS: Final = 0.05
STEP_BYTES: Final = round(STEP_SECONDS * BYTES_A_SECOND)
MOST_SECONDS: Final = 60.0

_MOST: Final = round(MOST_SECONDS / STEP_SECONDS)
_FULL: Final = 32768.0
_LEVELS: Final = np.array(
    [round(100 * math.sqrt(abs(int(decode(bytes([code]))[0])) / _FULL)) for code in range(256)],
    dtype=np.uint8,
)


def peaks(mulaw: bytes) -> list[int]:
    """See the module; the first step may be a short one.

    >>> peaks(bytes([0xFF]) * 400 + bytes([0x00]) * 400)
    [0, 99]
    """
    if not mulaw:
        return []
    levels = _LEVELS[np.frombuffer(mulaw, dtype=np.uint8)]
    first = len(mulaw) % STEP_BYTES
    edges = [*([0] if first else []), *range(first, len(mulaw), STEP_BYTES)]
    return [int(level) for level in np.maximum.reduceat(levels, edges)]


class Loudness:
    """See the module."""

    def __init__(self, now: float) -> None:
        self._steps: dict[int, int] = {}
        self._taken = _step(now)

    def agent(self, mulaw: bytes, starts: float) -> None:
        """See the module."""
        first = _step(starts)
        for at, level in enumerate(peaks(mulaw), first):
            if len(self._steps) < _MOST or at in self._steps:
                self._steps[at] = max(level, self._steps.get(at, 0))

    def cleared(self, now: float) -> None:
        """See the module."""
        for at in [at for at in self._steps if at >= _step(now)]:
            del self._steps[at]

    def take(self, now: float) -> list[int]:
        """See the module."""
        first, self._taken = max(self._taken, _step(now) - _MOST), _step(now)
        told = [self._steps.get(at, 0) for at in range(first, self._taken)]
        for at in [at for at in self._steps if at < self._taken]:
            del self._steps[at]
        return told


def _step(at: float) -> int:
    return math.floor(at / STEP_SECONDS + 1e-6)
