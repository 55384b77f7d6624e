"""Changing the sample rate of speech, piece by piece; how it is cut into pieces changes nothing.

`Upsampler` doubles 8000 Hz to 16,000 Hz by two-tap linear interpolation: the images that it leaves
above 4 kHz suit wide-band recognisers better than a clean cut. `Downsampler` brings any higher rate
down to 8000 Hz through a windowed-sinc low pass, so that nothing above 4 kHz folds back.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from speech.mulaw import SAMPLE_RATE, Pcm

_ZERO_CROSSINGS = 12


class Upsampler:
    """8000 Hz to 16,000 Hz."""

    def __init__(self) -> None:
        self._last = 0

    def feed(self, pcm: Pcm) -> Pcm:
        """Twice as many samples: each behind the mean of it and the one before."""
        if not len(pcm):
            return pcm
        before = np.empty(len(pcm), dtype=np.int32)
        before[0], before[1:] = self._last, pcm[:-1]
        self._last = int(pcm[-1])
        doubled = np.empty(2 * len(pcm), dtype=np.int16)
        doubled[0::2] = (before + pcm) >> 1
        doubled[1::2] = pcm
        return doubled


class Downsampler:
    """`rate` Hz (8000 or more) to 8000 Hz."""

    def __init__(self, rate: int) -> None:
        if rate < SAMPLE_RATE:
            raise ValueError(f"a rate of {rate} Hz is below the line's {SAMPLE_RATE} Hz")
        self._step = rate / SAMPLE_RATE
        self._half = int(np.ceil(_ZERO_CROSSINGS * self._step))
        self._held: NDArray[np.float64] = np.zeros(self._half)
        # The position of the next output sample, in input samples from the start of what is held.
        self._next = float(self._half)

    def feed(self, pcm: Pcm) -> Pcm:
        """The output samples whose whole neighbourhood has come."""
        if self._step == 1.0:
            return pcm
        self._held = np.concatenate([self._held, pcm.astype(np.float64)])
        last = len(self._held) - self._half - 1
        count = int(np.floor((last - self._next) / self._step)) + 1
        if count <= 0:
            return np.zeros(0, dtype=np.int16)
        out = self._at(self._next + self._step * np.arange(count))
        self._next += self._step * count
        # Whole samples are dropped only, so that positions stay what they were.
        used = int(self._next) - self._half
        if used > 0:
            self._held = self._held[used:]
            self._next -= used
        return out

    def flush(self) -> Pcm:
        """The samples at the end, whose neighbourhood is silence."""
        return self.feed(np.zeros(self._half, dtype=np.int16))

    def _at(self, positions: NDArray[np.floating[Any]]) -> Pcm:
        whole = np.floor(positions).astype(np.int64)
        offsets = np.arange(-self._half + 1, self._half + 1)
        neighbours = whole[:, None] + offsets[None, :]
        distance = (neighbours - positions[:, None]) / self._step
        window = np.cos(np.pi * np.clip(distance / (_ZERO_CROSSINGS + 1), -0.5, 0.5)) ** 2
        weights = np.sinc(distance) * window
        weights /= weights.sum(axis=1, keepdims=True)
        values = (self._held[neighbours] * weights).sum(axis=1)
        samples: Pcm = np.clip(np.rint(values), -32768, 32767).astype(np.int16)
        return samples
