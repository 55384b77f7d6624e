"""Where the caller's voice ended: the last audible sample of telephone audio. Pure.

A recogniser's times of words are estimates; what is measured from the end of the caller's speech is
measured from the sound itself.
"""

from __future__ import annotations

from aybiza.speech import mulaw as codec

BLOCK_BYTES = 160
# Of 32,768: about 40 dB below a loud voice, above the noise of a quiet line.
AUDIBLE_PEAK = 500
# Within a word there are such gaps.
GAP_BLOCKS = 5

_LOUD = 1
_MARKS = bytes(
    _LOUD if abs(int(sample)) >= AUDIBLE_PEAK else 0 for sample in codec.decode(bytes(range(256)))
)
"""For each code whether it is loud: a few looks at bytes take less than setting numpy to work."""


def last_audible(mulaw: bytes, start: int | None = None) -> int | None:
    """The offset behind the last audible sample of `mulaw`, to a block of 20 ms.

    With `start`, where a word is thought to end: of the sound that goes on over it, or else of the
    last one before it. None if there is no sound.
    """
    sounds = _loud_blocks(mulaw)
    if not sounds:
        return None
    if start is None:
        return _behind(sounds[-1], mulaw)
    here = min(max(start, 0), len(mulaw) - 1) // BLOCK_BYTES
    last = max((block for block in sounds if block <= here), default=here - GAP_BLOCKS - 1)
    for block in sounds:
        if block <= here:
            continue
        if block - max(last, here) > GAP_BLOCKS:
            break
        last = block
    return _behind(last, mulaw) if last in sounds else None


def _behind(block: int, mulaw: bytes) -> int:
    return min((block + 1) * BLOCK_BYTES, len(mulaw))


def _loud_blocks(mulaw: bytes) -> list[int]:
    marks, blocks = mulaw.translate(_MARKS), list[int]()
    at = marks.find(_LOUD)
    while at >= 0:
        blocks.append(at // BLOCK_BYTES)
        at = marks.find(_LOUD, (blocks[-1] + 1) * BLOCK_BYTES)
    return blocks
