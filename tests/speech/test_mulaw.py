"""mu-law against the facts of G.711."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.speech import mulaw

CODES = bytes(range(256))
NEGATIVE_ZERO = 0x7F

samples = st.lists(st.integers(-32768, 32767), max_size=400)


def pcm(values: list[int]) -> mulaw.Pcm:
    return np.array(values, dtype=np.int16)


# G.711, table 2a: the decoder's output values of some codes, times four on the 16-bit scale.
@pytest.mark.parametrize(
    ("code", "value"),
    [
        (0x80, 8031 * 4),
        (0x8F, 4191 * 4),
        (0x9F, 2079 * 4),
        (0xAF, 1023 * 4),
        (0xBF, 495 * 4),
        (0xCF, 231 * 4),
        (0xDF, 99 * 4),
        (0xEF, 33 * 4),
        (0xFE, 2 * 4),
        (0xFF, 0),
        (0x00, -8031 * 4),
        (0x7E, -2 * 4),
        (0x7F, 0),
    ],
)
def test_a_code_has_the_value_of_the_recommendation(code: int, value: int) -> None:
    assert mulaw.decode(bytes([code])).tolist() == [value]


def test_codes_rise_with_their_values() -> None:
    # Codes are inverted: 0xFF to 0x80 are the positive values, rising.
    positive = mulaw.decode(bytes(range(0xFF, 0x7F, -1)))
    assert np.all(np.diff(positive.astype(int)) > 0)
    assert np.array_equal(mulaw.decode(bytes(range(0x7F, -1, -1))), -positive)


def test_encoding_what_was_decoded_gives_the_same_codes_but_for_negative_zero() -> None:
    again = mulaw.encode(mulaw.decode(CODES))
    changed = {code: new for code, new in zip(CODES, again, strict=True) if code != new}
    assert changed == {NEGATIVE_ZERO: mulaw.SILENCE}


@given(samples)
def test_a_sample_is_coded_as_one_of_the_nearest_values(values: list[int]) -> None:
    table = np.unique(mulaw.decode(CODES)).astype(int)
    again = mulaw.decode(mulaw.encode(pcm(values))).astype(int)
    for value, decoded in zip(values, again, strict=True):
        step = np.diff(table)[np.clip(np.searchsorted(table, value) - 1, 0, len(table) - 2)]
        assert abs(value - decoded) <= max(step, 32768 - 32124)


@given(samples, st.integers(0, 400))
def test_how_audio_is_cut_changes_nothing(values: list[int], at: int) -> None:
    whole = mulaw.encode(pcm(values))
    assert mulaw.encode(pcm(values[:at])) + mulaw.encode(pcm(values[at:])) == whole
    parts = [mulaw.decode(whole[:at]), mulaw.decode(whole[at:])]
    assert np.array_equal(np.concatenate(parts), mulaw.decode(whole))


@given(samples)
def test_bytes_and_samples_are_coded_alike(values: list[int]) -> None:
    assert mulaw.encode(pcm(values).tobytes()) == mulaw.encode(pcm(values))


def test_a_view_with_gaps_is_coded_like_a_copy() -> None:
    every = np.arange(-1000, 1000, 7, dtype=np.int16)
    assert mulaw.encode(every[::3]) == mulaw.encode(every[::3].copy())


@pytest.mark.parametrize(("seconds", "length"), [(0, 0), (0.02, 160), (1.5, 12_000)])
def test_silence_has_its_length_and_no_sound(seconds: float, length: int) -> None:
    silence = mulaw.silence(seconds)
    assert len(silence) == length
    assert not mulaw.decode(silence).any()
