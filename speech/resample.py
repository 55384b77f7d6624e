"""Changing the sample rate of speech, piece by piece; how it is cut into pieces changes nothing.

`Upsampler` brings 8000 Hz to a multiple of it, 16,000 Hz by default, by two-tap linear
interpolation: the images that it leaves above 4 kHz suit wide-band recognisers better than a clean
cut. `Downsampler` brings any higher rate
down to 8000 Hz through a windowed-sinc low pass, so that nothing above 4 kHz folds back. Both take
and give 16-bit mono samples; a `Downsampler` for a lower rate than 8000 Hz is a `ValueError`.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, gcd

import numpy as np
from numpy.typing import NDArray

from aybiza.speech.mulaw import SAMPLE_RATE, Pcm

_ZERO_CROSSINGS = 12
# Output samples that are computed at a time, so that a long text needs little memory.
_BLOCK = 4096

Floats = NDArray[np.float64]


class Upsampler:
    """8000 Hz to `times` 8000 Hz."""

    def __init__(self, times: int = 2) -> None:
        self._times = times
        self._last = 0

    def feed(self, pcm: Pcm) -> Pcm:
        """`times` as many samples: each behind those between it and the one before."""
        if not len(pcm) or self._times == 1:
            return pcm
        times = self._times
        before = np.empty(len(pcm), dtype=np.int32)
        before[0], before[1:] = self._last, pcm[:-1]
        self._last = int(pcm[-1])
        raised = np.empty(times * len(pcm), dtype=np.int16)
        for step in range(1, times):
            raised[step - 1 :: times] = (before * (times - step) + pcm * np.int32(step)) // times
        raised[times - 1 :: times] = pcm
        return raised


class Downsampler:
    """`rate` Hz (8000 or more) to 8000 Hz: n samples become ceil(n · 8000 / rate)."""

    def __init__(self, rate: int) -> None:
        if rate < SAMPLE_RATE:
            raise ValueError(f"a rate of {rate} Hz is below the line's {SAMPLE_RATE} Hz")
        common = gcd(rate, SAMPLE_RATE)
        # An output sample comes every `_step` positions, an input sample every `_grain`: whole
        # numbers, so that no rounding adds up.
        self._step, self._grain = rate // common, SAMPLE_RATE // common
        self._half = ceil(_ZERO_CROSSINGS * rate / SAMPLE_RATE)
        self._held: Floats = np.zeros(self._half)
        self._next = self._half * self._grain

    def feed(self, pcm: Pcm) -> Pcm:
        """The output samples whose whole neighbourhood has come."""
        if self._step == self._grain:
            return pcm
        self._held = np.concatenate([self._held, pcm])
        end = (len(self._held) - self._half) * self._grain
        positions = np.arange(self._next, end, self._step)
        blocks = [self._at(positions[at : at + _BLOCK]) for at in range(0, len(positions), _BLOCK)]
        self._next += self._step * len(positions)
        used = self._next // self._grain - self._half
        self._held = self._held[used:]
        self._next -= used * self._grain
        return np.concatenate(blocks) if blocks else np.zeros(0, dtype=np.int16)

    def flush(self) -> Pcm:
        """The samples at the end, whose neighbourhood is silence; nothing may be fed after it."""
        if self._step == self._grain:
            return np.zeros(0, dtype=np.int16)
        return self.feed(np.zeros(self._half, dtype=np.int16))

    def _at(self, positions: NDArray[np.int64]) -> Pcm:
        whole, phases = np.divmod(positions, self._grain)
        weights = _weights(self._step, self._grain, self._half)
        neighbours = self._held[whole[:, None] + np.arange(1 - self._half, self._half + 1)]
        values = np.einsum("nt,nt->n", neighbours, weights[phases])
        samples: Pcm = np.clip(np.rint(values), -32768, 32767).astype(np.int16)
        return samples


@lru_cache(maxsize=4)
def _weights(step: int, grain: int, half: int) -> Floats:
    """What each neighbour counts, a row for each place between two input samples."""
    places = np.arange(grain)[:, None] / grain
    distance = (np.arange(1 - half, half + 1)[None, :] - places) * grain / step
    window = np.cos(np.pi * np.clip(distance / (_ZERO_CROSSINGS + 1), -0.5, 0.5)) ** 2
    weights: Floats = np.sinc(distance) * window
    weights /= weights.sum(axis=1, keepdims=True)
    return weights
