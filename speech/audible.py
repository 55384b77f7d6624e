"""Where the caller's voice ended: the last audible sample of telephone audio. Pure.

A recogniser's times of words are estimates; what is measured from the end of the caller's speech is
measured from the sound itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aybiza.speech import mulaw as codec

BLOCK_BYTES = 160
# Of 32,768: about 40 dB below a loud voice, above the noise of a quiet line.
AUDIBLE_PEAK = 500
# Within a word there are such gaps.
GAP_BLOCKS = 5


def last_audible(mulaw: bytes, start: int | None = None) -> int | None:
    """The offset behind the last audible sample of `mulaw`, to a block of 20 ms.

    With `start`, where a word is thought to end: of the sound that goes on over it, or else of the
    last one before it. None if there is no sound.
    """
    loud = _loud_blocks(mulaw)
    if not loud.any():
        return None
    if start is None:
        return _behind(int(np.flatnonzero(loud)[-1]), mulaw)
    here = min(max(start, 0) // BLOCK_BYTES, len(loud) - 1)
    before = np.flatnonzero(loud[: here + 1])
    last = int(before[-1]) if len(before) else here - GAP_BLOCKS - 1
    for block in np.flatnonzero(loud[here + 1 :]) + here + 1:
        if block - max(last, here) > GAP_BLOCKS:
            break
        last = int(block)
    return _behind(last, mulaw) if last >= 0 and loud[last] else None


def _behind(block: int, mulaw: bytes) -> int:
    return min((block + 1) * BLOCK_BYTES, len(mulaw))


def _loud_blocks(mulaw: bytes) -> NDArray[np.bool_]:
    padded = mulaw + bytes([codec.SILENCE]) * (-len(mulaw) % BLOCK_BYTES)
    samples = codec.decode(padded).astype(np.int32)
    peaks = np.abs(samples).reshape(-1, BLOCK_BYTES).max(axis=1, initial=0)
    return np.asarray(peaks >= AUDIBLE_PEAK)
