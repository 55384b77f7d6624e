"""A-law, the code of the telephone line in most countries outside America: one byte for mu-law's.

`to_mulaw` and `from_mulaw` are tables: a frame of 20 ms costs less than a microsecond. A-law has
finer steps for quiet sounds than mu-law and coarser ones in between, so a code there and back may
be one step away; digital silence stays silence.

Errors: none. Source: ITU-T G.711, tables 1a, 1b and 3.
"""

from __future__ import annotations

import numpy as np

from aybiza.speech import mulaw

SILENCE = 0xD5

# Every second bit is turned over on the line.
_TURNED = 0x55


def _decoded(code: int) -> int:
    bits = code ^ _TURNED
    segment, step = (bits >> 4) & 7, bits & 0x0F
    magnitude = (step << 4) + 8
    if segment:
        magnitude = (magnitude + 0x100) << (segment - 1)
    return magnitude if bits & 0x80 else -magnitude


LINEAR = np.array([_decoded(code) for code in range(256)], dtype=np.int16)
"""The linear sample of each code."""


def _nearest(sample: int) -> int:
    """The code whose sample is nearest, of two the one of the smaller sound."""
    away = np.abs(LINEAR.astype(np.int32) - sample)
    return min(range(256), key=lambda code: (int(away[code]), abs(int(LINEAR[code]))))


_TO_MULAW = bytes(
    mulaw.SILENCE if code == SILENCE else heard for code, heard in enumerate(mulaw.encode(LINEAR))
)
_FROM_MULAW = bytes(
    _nearest(int(sample)) if sample else SILENCE for sample in mulaw.decode(bytes(range(256)))
)


def to_mulaw(codes: bytes) -> bytes:
    """The same sound in mu-law."""
    return codes.translate(_TO_MULAW)


def from_mulaw(codes: bytes) -> bytes:
    """The same sound of mu-law codes."""
    return codes.translate(_FROM_MULAW)
