"""Sample rates: what is kept, what is cut off, and that cutting into pieces changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.speech.mulaw import SAMPLE_RATE, Pcm
from aybiza.speech.resample import Downsampler, Upsampler

RATES = [8000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000]

samples = st.lists(st.integers(-32768, 32767), max_size=600)
sizes = st.lists(st.integers(0, 200), max_size=8)


def tone(hertz: float, rate: int, seconds: float = 0.5) -> Pcm:
    times = np.arange(int(rate * seconds)) / rate
    samples: Pcm = np.rint(12_000 * np.sin(2 * np.pi * hertz * times)).astype(np.int16)
    return samples


def pieces(pcm: Pcm, cuts: Sequence[int]) -> list[Pcm]:
    return np.split(pcm, np.cumsum(cuts))


def down(pcm: Pcm, rate: int, cuts: Sequence[int] = ()) -> Pcm:
    sampler = Downsampler(rate)
    fed = [sampler.feed(piece) for piece in pieces(pcm, cuts)]
    return np.concatenate([*fed, sampler.flush()])


@given(samples, sizes)
def test_how_speech_is_cut_changes_nothing_when_it_is_doubled(
    values: list[int], cuts: list[int]
) -> None:
    pcm, sampler = np.array(values, dtype=np.int16), Upsampler()
    fed = np.concatenate([sampler.feed(piece) for piece in pieces(pcm, cuts)])
    assert np.array_equal(fed, Upsampler().feed(pcm))


@given(samples)
def test_doubled_speech_holds_the_samples_and_their_means(values: list[int]) -> None:
    pcm = np.array(values, dtype=np.int16)
    doubled = Upsampler().feed(pcm)
    assert np.array_equal(doubled[1::2], pcm)
    before = np.array([0, *values[:-1]], dtype=int)[: len(values)]
    assert np.array_equal(doubled[0::2], (before + pcm) // 2)


@given(st.sampled_from([*RATES, 44_101]), samples, sizes)
def test_how_speech_is_cut_changes_nothing_when_its_rate_is_lowered(
    rate: int, values: list[int], cuts: list[int]
) -> None:
    pcm = np.array(values, dtype=np.int16)
    assert np.array_equal(down(pcm, rate, cuts), down(pcm, rate))


def test_a_long_piece_is_the_same_as_many_short_ones() -> None:
    pcm = np.random.default_rng(1).integers(-9000, 9000, 60_000).astype(np.int16)
    assert np.array_equal(down(pcm, 22_050), down(pcm, 22_050, [441] * 130))


@given(st.sampled_from(RATES), st.integers(0, 3000))
def test_speech_keeps_its_length(rate: int, count: int) -> None:
    assert len(down(np.zeros(count, dtype=np.int16), rate)) == ceil(count * SAMPLE_RATE / rate)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("hertz", [300, 1000, 3000])
def test_what_the_line_carries_is_kept(rate: int, hertz: int) -> None:
    lowered = down(tone(hertz, rate), rate)
    difference = lowered.astype(int) - tone(hertz, SAMPLE_RATE)[: len(lowered)]
    # But for the ends, whose neighbourhood is missing.
    assert np.abs(difference[100:-100]).max() <= 12_000 * 0.003


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 48_000])
def test_what_the_line_does_not_carry_does_not_fold_back(rate: int) -> None:
    lowered = down(tone(5000, rate), rate)
    assert np.abs(lowered[100:-100].astype(int)).max() < 12_000 / 200


def test_the_loudest_sound_does_not_wrap_round() -> None:
    square = np.repeat(np.array([32767, -32768] * 50, dtype=np.int16), 40)
    lowered = down(square, 16_000).astype(int)
    assert lowered.max() == 32767
    assert lowered.min() == -32768


def test_a_rate_below_the_lines_is_refused() -> None:
    with pytest.raises(ValueError, match="7999 Hz is below"):
        Downsampler(7999)


def test_each_sample_is_doubled_behind_the_mean_with_the_one_before() -> None:
    up = Upsampler()
    assert up.feed(np.array([100, 200], dtype=np.int16)).tolist() == [50, 100, 150, 200]
    assert up.feed(np.array([], dtype=np.int16)).tolist() == []
    assert up.feed(np.array([400], dtype=np.int16)).tolist() == [300, 400]
