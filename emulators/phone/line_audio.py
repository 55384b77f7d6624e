"""In what code a telephone's carrier sends audio and takes it: the other end of a node's formats.

    audio = line_audio("L16@16000", ">")
    audio.sent(mulaw)      what the caller says, as the carrier sends it
    audio.taken(payload)   what the agent says, as mu-law

It is written without the node's own tables and filters, so that a mistake in these is heard. The
rates are changed in the plainest way: a sample is held, or the middle one of several taken.

Errors: `ValueError` for a name that is none; `AgentError` for half a sample.
Source: ITU-T G.711; RFC 3551, section 4.5.11.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from aybiza.emulators.phone.messages import AgentError
from aybiza.speech import mulaw as g711


class LineAudio(Protocol):
    """See the module. `bytes_a_ms`: of what is sent and taken."""

    bytes_a_ms: int

    def sent(self, mulaw: bytes) -> bytes:
        """The caller's audio as the carrier sends it."""

    def taken(self, payload: bytes) -> bytes:
        """The agent's audio as mu-law."""


class _Mulaw:
    bytes_a_ms = 8

    def sent(self, mulaw: bytes) -> bytes:
        return mulaw

    def taken(self, payload: bytes) -> bytes:
        return payload


class _Alaw:
    bytes_a_ms = 8

    def sent(self, mulaw: bytes) -> bytes:
        return bytes(_code(int(sample)) for sample in g711.decode(mulaw))

    def taken(self, payload: bytes) -> bytes:
        return g711.encode(np.array([_sample(code) for code in payload], dtype=np.int16))


class LinearAudio:
    """16-bit linear; `order`: ">" or "<"."""

    def __init__(self, rate: int, order: str) -> None:
        self.bytes_a_ms = rate // 1000 * 2
        self._times = rate // g711.SAMPLE_RATE
        self._kind = f"{order}i2"

    def sent(self, mulaw: bytes) -> bytes:
        """See the module."""
        return np.repeat(g711.decode(mulaw), self._times).astype(self._kind).tobytes()

    def taken(self, payload: bytes) -> bytes:
        """See the module."""
        if len(payload) % 2:
            raise AgentError("the agent sent audio with half a sample")
        samples = np.frombuffer(payload, dtype=self._kind).astype(np.int16)
        return g711.encode(samples[self._times - 1 :: self._times])


def line_audio(name: str, order: str) -> LineAudio:
    """See the module."""
    code, _, rate = name.partition("@")
    match code:
        case "PCMU":
            return _Mulaw()
        case "PCMA":
            return _Alaw()
        case "L16":
            return LinearAudio(int(rate or g711.SAMPLE_RATE), order)
    raise ValueError(f"no code of a line is called {name!r}")


def _code(sample: int) -> int:
    """The A-law code of a sample, by the segments of its magnitude in 13 bits."""
    magnitude = (-sample - 1 if sample < 0 else sample) >> 4
    segment = max(0, magnitude.bit_length() - 4)
    step = (magnitude >> (segment - 1) if segment > 1 else magnitude) & 0x0F
    return ((0x80 if sample >= 0 else 0) | min(segment, 7) << 4 | step) ^ 0x55


def _sample(code: int) -> int:
    bits = code ^ 0x55
    segment, step = bits >> 4 & 7, bits & 0x0F
    half_steps = (2 * step + 1) if segment == 0 else (2 * step + 33) << (segment - 1)
    return half_steps * 8 if bits & 0x80 else -half_steps * 8
