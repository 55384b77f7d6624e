"""WAV files for tests, in every code that is read."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from aybiza.console.diagnosis.wav import read
from aybiza.speech import mulaw


def riff(code: int, bits: int, body: bytes, channels: int = 1, rate: int = 8000) -> bytes:
    """A file with a chunk of odd length before its data."""
    kind = struct.pack("<HHIIHH", code, channels, rate, 0, 0, bits)
    chunks = [(b"fmt ", kind), (b"LIST", b"odd"), (b"data", body)]
    told = b"".join(n + struct.pack("<I", len(b)) + b + b"\0" * (len(b) % 2) for n, b in chunks)
    return b"RIFF" + struct.pack("<I", len(told) + 4) + b"WAVE" + told


TONE: NDArray[np.float64] = 0.5 * np.sin(np.arange(800) / 5.0)


def alaw_of(pcm: NDArray[np.int16]) -> bytes:
    """A-law by search: the nearest of its 256 values."""
    table = read(riff(6, 8, bytes(range(256)))).channels[0]
    return bytes(int(np.abs(table - sample / 32768).argmin()) for sample in pcm)


PCM16 = (TONE * 32767).astype("<i2")
PCM24 = (PCM16.astype("<i4") << 8).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
CODED = {
    "PCM 8": (1, 8, (TONE * 127 + 128).astype(np.uint8).tobytes(), 0.02),
    "PCM 16": (1, 16, PCM16.tobytes(), 1e-4),
    "PCM 24": (
        1,
        24,
        PCM24,
        1e-4,
    ),
    "PCM 32": (1, 32, (PCM16.astype("<i4") << 16).tobytes(), 1e-4),
    "float 32": (3, 32, TONE.astype("<f4").tobytes(), 1e-6),
    "float 64": (3, 64, TONE.astype("<f8").tobytes(), 1e-6),
    "mu-law": (7, 8, mulaw.encode(PCM16), 0.02),
    "A-law": (6, 8, alaw_of(PCM16), 0.02),
}
