"""In what codes a carrier's audio comes and goes: one table. Above it all audio is mu-law, 8000 Hz.

    form = line_format("PCMA", 8000)      None for what is not in the table
    form.heard(payload)                   the caller's audio as mu-law
    form.said(mulaw)                      the agent's audio as the carrier takes it
    format_told(…)                        the format that a start message tells, or a refusal
    heard(form, events)                   events of a stream with their audio as mu-law

    PCMU   8000 Hz                        as it is
    PCMA   8000 Hz                        a table each way: 5 µs for a frame of 20 ms, or less
    L16    8000, 16,000 or 24,000 Hz      16-bit linear, brought down to 8000 Hz and up again

A format holds the state of one stream in one direction each: rates are changed by filters that
look at what went before. A format of a higher rate takes more of the network and brings nothing:
what is above 4 kHz is not heard here. L16 is in network byte order where its payload is that of RTP
(RFC 3551, Telnyx), and little-endian at `swapped` carriers (SignalWire).

Contract: a payload has whole samples, of `sample_bytes` each; codecs check it (`whole`).
Errors: `ProtocolError` from `format_told` and `whole`; else none.

Source: ITU-T G.711; RFC 3551, section 4.5.11; Telnyx, "TeXML: Stream"; SignalWire, "cXML:
<Stream>".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

import numpy as np

from aybiza.gateway.carriers.carrier import Carrier
from aybiza.gateway.carriers.codec import (
    CLOSE_INVALID_DATA,
    CLOSE_UNSUPPORTED_DATA,
    Event,
    Media,
    ProtocolError,
)
from aybiza.gateway.carriers.json_frames import printable
from aybiza.speech import alaw, mulaw
from aybiza.speech.resample import Downsampler, Upsampler

PCMU: Final = "PCMU"
CODEC_PARAMETER: Final = "Codec"
"""The custom parameter of a stream that says in which format the agent's audio is taken."""

RATES: Final = (8000, 16_000, 24_000)


class LineFormat(Protocol):
    """One stream's code; see the module. `bytes_a_ms`, `sample_bytes`: of a payload."""

    bytes_a_ms: int
    sample_bytes: int

    def heard(self, payload: bytes) -> bytes:
        """The caller's audio as mu-law."""

    def said(self, audio: bytes) -> bytes:
        """The agent's audio, given as mu-law, as the carrier takes it."""


class Mulaw:
    """PCMU."""

    bytes_a_ms = 8
    sample_bytes = 1

    def heard(self, payload: bytes) -> bytes:
        """As it is."""
        return payload

    def said(self, audio: bytes) -> bytes:
        """As it is."""
        return audio


class Alaw:
    """PCMA."""

    bytes_a_ms = 8
    sample_bytes = 1

    def heard(self, payload: bytes) -> bytes:
        """A byte for a byte."""
        return alaw.to_mulaw(payload)

    def said(self, audio: bytes) -> bytes:
        """A byte for a byte."""
        return alaw.from_mulaw(audio)


class Linear:
    """L16 of a rate that is a multiple of 8000 Hz. `order`: ">" or "<", as numpy has it."""

    sample_bytes = 2

    def __init__(self, rate: int, order: str) -> None:
        self.bytes_a_ms = rate // 1000 * self.sample_bytes
        self._kind = f"{order}i2"
        self._down = Downsampler(rate)
        self._up = Upsampler(rate // mulaw.SAMPLE_RATE)

    def heard(self, payload: bytes) -> bytes:
        """See the module."""
        samples = np.frombuffer(payload, dtype=self._kind).astype(np.int16)
        return mulaw.encode(self._down.feed(samples))

    def said(self, audio: bytes) -> bytes:
        """See the module."""
        return self._up.feed(mulaw.decode(audio)).astype(self._kind).tobytes()


_TABLE: Final[Mapping[str, tuple[tuple[int, ...], Callable[[int, str], LineFormat]]]] = {
    PCMU: ((8000,), lambda rate, order: Mulaw()),
    "PCMA": ((8000,), lambda rate, order: Alaw()),
    "L16": (RATES, Linear),
}

NAMES: Final = tuple(
    name if rate == mulaw.SAMPLE_RATE else f"{name}@{rate}"
    for name, (rates, _) in _TABLE.items()
    for rate in rates
)
"""All formats, as `named` reads them and the setting `AYBIZA_STREAM_CODEC` takes them."""


def line_format(name: str, rate: int, *, swapped: bool = False) -> LineFormat | None:
    """A new stream's format; None for what is not in the table."""
    rates, made = _TABLE.get(name, ((), Linear))
    return made(rate, "<" if swapped else ">") if rate in rates else None


def format_told(
    encoding: str, rate: int, channels: int, codes: Mapping[str, str], *, swapped: bool = False
) -> LineFormat:
    """The format of a stream by what its carrier tells; `codes`: the carrier's words for them."""
    form = line_format(codes.get(encoding, ""), rate, swapped=swapped) if channels == 1 else None
    if form is None:
        taken = ", ".join(name for name in NAMES if name.partition("@")[0] in codes.values())
        raise ProtocolError(
            CLOSE_UNSUPPORTED_DATA,
            f"media format {printable(encoding)[:16]} {rate} Hz x{channels}; taken: {taken}, x1",
        )
    return form


def whole(form: LineFormat, payload: bytes) -> None:
    """Refuse a payload with half a sample."""
    if len(payload) % form.sample_bytes:
        raise ProtocolError(CLOSE_INVALID_DATA, "audio with half a sample")


def heard(form: LineFormat, events: Sequence[Event]) -> Sequence[Event]:
    """The same events; audio, and silence for what is missing, is mu-law in them."""
    return [_as_mulaw(form, event) if isinstance(event, Media) else event for event in events]


def _as_mulaw(form: LineFormat, media: Media) -> Media:
    if media.lasts_ms:
        return replace(media, payload=mulaw.silence(media.lasts_ms / 1000))
    audio = form.heard(media.payload)
    return media if audio is media.payload else replace(media, payload=audio)


def stream_attributes(carrier: Carrier, name: str) -> Mapping[str, str]:
    """What `<Stream>` needs at this carrier for audio in the format of this name."""
    return carrier.stream if name == PCMU else {**carrier.stream, **carrier.asked(*named(name))}


def named(name: str) -> tuple[str, int]:
    """The code and the rate of one of `NAMES`; ("", 0) for any other word."""
    if name not in NAMES:
        return "", 0
    code, _, rate = name.partition("@")
    return code, int(rate or mulaw.SAMPLE_RATE)
