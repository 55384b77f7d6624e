"""The beep of an answering machine is told from everything else on a telephone line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aybiza.speech import mulaw
from aybiza.speech.beep import BLOCK, Beep, BeepWatch
from aybiza.speech.wav import read_wav
from tests.cases import each

RECORDINGS = sorted(Path("emulators/phone/recordings").glob("*.wav"))


def tone(*hertz: float, seconds: float, loud: float = 6_000.0, noise: float = 0.0) -> bytes:
    at = np.arange(round(8_000 * seconds)) / 8_000
    wave = sum(loud * np.sin(2 * np.pi * one * at) for one in hertz)
    wave = wave + np.random.default_rng(1).normal(0.0, noise, len(at))
    return mulaw.encode(np.clip(wave, -32_000, 32_000).astype(np.int16))


def heard(audio: bytes) -> list[Beep]:
    return BeepWatch().feed(audio + mulaw.silence(0.3))


@each(
    (hertz, seconds) for hertz in (400, 425, 800, 1_000, 1_400, 2_000) for seconds in (0.2, 0.5, 2)
)
def test_a_steady_tone_is_a_beep_when_it_is_over(hertz: int, seconds: float) -> None:
    (beep,) = heard(mulaw.silence(0.5) + tone(hertz, seconds=seconds, noise=100))
    assert abs(beep.hertz - hertz) <= 5
    assert abs(beep.seconds - seconds) <= 0.04
    assert BeepWatch().feed(tone(hertz, seconds=seconds)) == []


@each(
    [
        ("too short", tone(1_000, seconds=0.1)),
        ("a line that hums", tone(1_000, seconds=4)),
        ("too low", tone(300, seconds=0.5)),
        ("a fax machine", tone(2_100, seconds=0.5)),
        ("a key", tone(697, 1_209, seconds=0.5)),
        ("it rings", tone(440, 480, seconds=1)),
        ("a dial tone", tone(350, 440, seconds=1)),
        ("noise", tone(seconds=1, noise=4_000)),
        ("too soft to count", tone(1_000, seconds=0.5, loud=60)),
        ("silence", mulaw.silence(1)),
    ]
)
def test_what_else_is_on_a_line_is_none(_: str, audio: bytes) -> None:
    assert heard(audio) == []


def test_no_voice_is_taken_for_one() -> None:
    assert RECORDINGS
    for path in RECORDINGS:
        assert heard(mulaw.encode(read_wav(path))) == [], path.name


@pytest.mark.parametrize("loud", [300.0, 1_500.0, 20_000.0])
def test_it_is_heard_through_a_bad_line(loud: float) -> None:
    audio = bytearray(tone(1_000, seconds=0.6, loud=loud, noise=loud / 10))
    # A packet is missing.
    audio[1_600 : 1_600 + BLOCK] = mulaw.silence(0.02)
    assert [beep.hertz for beep in heard(bytes(audio))] == [1_000]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 700), max_size=40))
def test_it_does_not_matter_how_the_audio_is_cut(cuts: list[int]) -> None:
    audio = mulaw.silence(0.1) + tone(1_000, seconds=0.4) + mulaw.silence(0.2)
    watch, found, at = BeepWatch(), [], 0
    for size in [*cuts, len(audio)]:
        found += watch.feed(audio[at : at + size])
        at += size
    assert found == BeepWatch().feed(audio)
    assert len(found) == 1


@given(st.binary(max_size=2_000))
def test_any_bytes_are_taken(audio: bytes) -> None:
    BeepWatch().feed(audio)
