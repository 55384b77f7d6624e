"""The codes of carriers' lines: each against the emulated carriers', which are written apart."""

from __future__ import annotations

import struct
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.config.door_settings import StreamCodec
from aybiza.emulators.phone.line_audio import line_audio
from aybiza.gateway.carriers.codec import Media, ProtocolError
from aybiza.gateway.carriers.line_formats import (
    NAMES,
    LineFormat,
    format_told,
    heard,
    line_format,
    named,
    stream_attributes,
    whole,
)
from aybiza.gateway.carriers.paths import CARRIERS
from aybiza.speech import mulaw
from tests.cases import each


def made(name: str, *, swapped: bool = False) -> LineFormat:
    form = line_format(*named(name), swapped=swapped)
    assert form is not None
    return form


def tone(hertz: float, seconds: float = 0.5) -> bytes:
    at = np.arange(round(seconds * mulaw.SAMPLE_RATE)) / mulaw.SAMPLE_RATE
    return mulaw.encode((8000 * np.sin(2 * np.pi * hertz * at)).astype(np.int16))


def likeness(one: bytes, other: bytes) -> float:
    """The correlation of two sounds where they fit best within 4 ms."""
    size = min(len(one), len(other)) - 32
    first = mulaw.decode(one)[16 : 16 + size].astype(float)
    fits = []
    for shift in range(32):
        second = mulaw.decode(other)[shift : shift + size].astype(float)
        fits.append(float(np.corrcoef(first, second)[0, 1]))
    return max(fits)


def test_the_setting_names_the_rows_of_the_table() -> None:
    assert get_args(StreamCodec) == NAMES


@each([("G722", 8000), ("PCMA", 16_000), ("L16", 44_100), ("", 8000), ("pcmu", 8000)])
def test_what_is_not_in_the_table_is_no_format(code: str, rate: int) -> None:
    assert line_format(code, rate) is None


@each([(name, swapped) for name in NAMES for swapped in (False, True)])
def test_a_sound_comes_through_to_the_carrier_and_back(name: str, swapped: bool) -> None:
    form, far = made(name, swapped=swapped), line_audio(name, "<" if swapped else ">")
    for hertz in (300.0, 1000.0, 2500.0):
        said = tone(hertz)
        pieces = [said[at : at + 160] for at in range(0, len(said), 160)]
        to_carrier = b"".join(far.taken(form.said(piece)) for piece in pieces)
        to_us = b"".join(form.heard(far.sent(piece)) for piece in pieces)
        assert len(to_carrier) == len(said) and len(said) - 32 <= len(to_us) <= len(said)
        assert likeness(said, to_carrier) > 0.95 and likeness(said, to_us) > 0.95
    assert form.bytes_a_ms == far.bytes_a_ms


@given(st.binary(max_size=700))
def test_linear_audio_of_the_lines_own_rate_is_the_same_bytes_again(said: bytes) -> None:
    form = made("L16")
    assert mulaw.decode(form.heard(form.said(said))).tolist() == mulaw.decode(said).tolist()


def test_the_order_of_bytes_is_the_networks_unless_the_carriers_is_swapped() -> None:
    said = mulaw.encode(np.array([1000], dtype=np.int16))
    sample = int(mulaw.decode(said)[0])
    assert made("L16").said(said) == struct.pack(">h", sample)
    assert made("L16", swapped=True).said(said) == struct.pack("<h", sample)


def test_silence_for_what_is_missing_is_as_long_as_it_was() -> None:
    gap = Media(b"", 20, 0, "inbound", lasts_ms=40)
    for name in NAMES:
        (filled,) = heard(made(name), [gap])
        assert isinstance(filled, Media) and filled.payload == mulaw.silence(0.04)


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(ProtocolError) as refusal:
        whole(made("L16"), b"\0\0\0")
    assert refusal.value.close_code == 1007
    whole(made("PCMA"), b"\0\0\0")


@each([("G722", 8000, 1), ("PCMA", 16_000, 1), ("PCMU", 8000, 2), ("x" * 99, 8000, 1)])
def test_a_format_that_is_not_taken_is_refused_with_those_that_are(
    encoding: str, rate: int, channels: int
) -> None:
    with pytest.raises(ProtocolError) as refusal:
        format_told(encoding, rate, channels, {"PCMU": "PCMU", "PCMA": "PCMA"})
    assert refusal.value.close_code == 1003
    assert refusal.value.reason.endswith("taken: PCMU, PCMA, x1")


def test_carriers_are_asked_for_a_code_in_their_own_words() -> None:
    assert stream_attributes(CARRIERS["twilio"], "PCMA") == {}
    assert stream_attributes(CARRIERS["signalwire"], "PCMU") == {}
    assert stream_attributes(CARRIERS["signalwire"], "L16@16000") == {"codec": "L16@16000h"}
    assert stream_attributes(CARRIERS["telnyx"], "PCMA") == {
        **CARRIERS["telnyx"].stream,
        "codec": "PCMA",
        "bidirectionalCodec": "PCMA",
    }
