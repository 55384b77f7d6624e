"""mu-law, the code of the telephone line: 8 bits a sample, 8000 samples a second.

`decode` gives 16-bit linear samples in native byte order, `encode` takes them; both are tables, so
a 20 ms frame costs some microseconds. Encoding what was decoded gives the same bytes, but for the
two codes of zero.

Source: ITU-T G.711; Twilio, Media Streams, `audio/x-mulaw`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]

SAMPLE_RATE = 8000
SILENCE = 0xFF

_BIAS = 0x84
_CLIP = 32635


def _decoded(code: int) -> int:
    inverted = ~code & 0xFF
    exponent, mantissa = (inverted >> 4) & 7, inverted & 0x0F
    magnitude = (((mantissa << 3) + _BIAS) << exponent) - _BIAS
    return -magnitude if inverted & 0x80 else magnitude


def _encode_table() -> NDArray[np.uint8]:
    samples = np.arange(-32768, 32768, dtype=np.int32)
    magnitude = np.minimum(np.abs(samples), _CLIP) + _BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    sign = np.where(samples < 0, 0x80, 0)
    codes: NDArray[np.uint8] = (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8)
    return codes


_DECODE = np.array([_decoded(code) for code in range(256)], dtype=np.int16)
# Indexed by the sample's bits as an unsigned number, so that no sample has to be shifted first.
_ENCODE = np.roll(_encode_table(), 32768)


def decode(mulaw: bytes) -> Pcm:
    """The linear samples of `mulaw`."""
    return _DECODE[np.frombuffer(mulaw, dtype=np.uint8)]


def encode(pcm: Pcm | bytes) -> bytes:
    """The mu-law code of linear samples; of bytes, each two are a sample in native order."""
    samples = np.frombuffer(pcm, dtype=np.int16) if isinstance(pcm, bytes) else pcm
    return _ENCODE[samples.astype(np.int16, copy=False).view(np.uint16)].tobytes()


def silence(seconds: float) -> bytes:
    """`seconds` of silence."""
    return bytes([SILENCE]) * round(seconds * SAMPLE_RATE)
