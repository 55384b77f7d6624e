"""The beep of an answering machine: one steady tone in telephone audio. Pure.

    watch = BeepWatch()
    watch.feed(mulaw)              the tones that have ended in it, such as [Beep(1000, 0.4)]

A block of 20 ms is of a tone where nearly all of its power is at one frequency between `LOWEST` and
`HIGHEST`. So many of them in a row, at the same frequency and loudness, are a beep when they end;
what goes on for longer than `LONGEST` is none (a line that hums, a fax machine). A voice has other
frequencies beside, and moves.

Contract: any bytes are taken, cut anywhere; costs some 50 µs a block. Errors: none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aybiza.speech import mulaw as codec

BLOCK: Final = 160
BLOCK_SECONDS: Final = BLOCK / codec.SAMPLE_RATE
LOWEST: Final = 390.0
HIGHEST: Final = 2_010.0
SHORTEST: Final = 0.18
"""The whole blocks that a tone of 0.2 s has at least."""
LONGEST: Final = 3.0
AUDIBLE: Final = 100.0
"""Root mean square below which nothing counts, of 32,768."""
PURE: Final = 0.9
"""Share of the power that a tone has."""
APART_HERTZ: Final = 25.0
LOUDER: Final = 1.6
"""A block that is so much louder or softer than the tone before is not of it."""

_SIZE: Final = 256
_STEP: Final = codec.SAMPLE_RATE / _SIZE
_WINDOW: Final = np.hanning(BLOCK)
_BESIDE: Final = 4
"""Bins at each side that a tone has its power in."""


@dataclass(frozen=True, slots=True)
class Beep:
    """A tone that is over."""

    hertz: int
    seconds: float


class BeepWatch:
    """See the module."""

    def __init__(self) -> None:
        self._rest = b""
        self._blocks = 0
        self._hertz = self._loud = 0.0
        self._missed = False

    def feed(self, mulaw: bytes) -> list[Beep]:
        """See the module."""
        data = self._rest + mulaw
        whole = len(data) - len(data) % BLOCK
        self._rest = data[whole:]
        found: list[Beep] = []
        for start in range(0, whole, BLOCK):
            beep = self._block(data[start : start + BLOCK])
            if beep is not None:
                found.append(beep)
        return found

    def _block(self, mulaw: bytes) -> Beep | None:
        tone = _tone_of(codec.decode(mulaw).astype(np.float64))
        if tone is not None and self._goes_on(*tone):
            self._missed = False
            self._blocks += 1
            hertz, loud = tone
            self._hertz += (hertz - self._hertz) / self._blocks
            self._loud = loud
            return None
        if self._blocks and not self._missed and tone is None:
            # A click in it is no end.
            self._missed = True
            return None
        seconds = self._blocks * BLOCK_SECONDS
        beep = Beep(round(self._hertz), round(seconds, 2))
        self._missed, self._blocks = False, 0
        if tone is not None:
            self._blocks = 1
            self._hertz, self._loud = tone
        return beep if SHORTEST <= seconds <= LONGEST else None

    def _goes_on(self, hertz: float, loud: float) -> bool:
        if not self._blocks:
            return True
        near = abs(hertz - self._hertz) <= APART_HERTZ
        return near and self._loud / LOUDER <= loud <= self._loud * LOUDER


def _tone_of(samples: NDArray[np.float64]) -> tuple[float, float] | None:
    """The frequency and the loudness of a block that is one tone; None for any other."""
    samples = samples - samples.mean()
    loud = float(np.sqrt(np.mean(samples * samples)))
    if loud < AUDIBLE:
        return None
    power = np.abs(np.fft.rfft(samples * _WINDOW, _SIZE)) ** 2
    peak = int(power.argmax())
    near = power[max(0, peak - _BESIDE) : peak + _BESIDE + 1].sum()
    if near < PURE * power.sum() or not 1 <= peak < len(power) - 1:
        return None
    left, mid, right = np.log(power[peak - 1 : peak + 2] + 1e-9)
    bend = left - 2 * mid + right
    hertz = (peak + (0.5 * (left - right) / bend if bend else 0.0)) * _STEP
    return (float(hertz), loud) if LOWEST <= hertz <= HIGHEST else None
