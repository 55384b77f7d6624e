"""The measure of treatments for noise: how it counts words, its noises, what treatments do."""

from __future__ import annotations

import numpy as np

from aybiza.benchmarks.noise import (
    FRAME,
    LOUD,
    NOISES,
    QUIET,
    Spoken,
    errors,
    gain,
    gate,
    lines,
    nothing,
    spoken,
)
from aybiza.speech import mulaw
from tests.cases import each


@each(
    [
        ("a b c", "a b c", 0),
        ("a b c", "a c", 1),
        ("a b c", "a x b c", 1),
        ("a b c", "a x c", 1),
        ("a b c", "", 3),
        ("", "a b", 2),
        ("a b", "b a", 2),
    ]
)
def test_words_wrong_are_the_least_that_have_to_be_changed(
    said: str, heard: str, wrong: int
) -> None:
    assert errors(said.split(), heard.split()) == wrong


def level(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples.astype(float) ** 2)))


def test_lines_have_the_ratio_of_speech_to_noise_that_they_say() -> None:
    callers = spoken(3)
    assert all(caller.words for caller in callers)
    found = dict(lines(callers, [10]))
    assert list(found) == ["clean", "quiet", *(f"{name} 10 dB" for name in NOISES)]
    for name in NOISES:
        for (line, words), caller in zip(found[f"{name} 10 dB"], callers, strict=True):
            assert words == caller.words
            ratio = 20 * np.log10(level(caller.samples) / level(line - caller.samples))
            assert abs(ratio - 10) < 0.1
    assert level(found["quiet"][0][0]) < 1.01 * QUIET


def tone(loud: float, seconds: float = 2.0) -> bytes:
    at = np.arange(round(seconds * 8000)) / 8000
    return mulaw.encode((loud * np.sqrt(2) * np.sin(2 * np.pi * 440 * at)).astype(np.int16))


def treated(treat: object, codes: bytes) -> np.ndarray:
    assert callable(treat)
    frames = [treat(codes[at : at + FRAME]) for at in range(0, len(codes), FRAME)]
    assert all(len(frame) == FRAME for frame in frames)
    return mulaw.decode(b"".join(frames))


def test_gain_raises_what_is_quiet_a_gate_lowers_what_is_noise_and_nothing_does_nothing() -> None:
    quiet, loud = tone(QUIET, 8.0), tone(LOUD)
    assert np.array_equal(treated(nothing(), quiet), mulaw.decode(quiet))
    assert level(treated(gain(), quiet)[-8000:]) > 3 * QUIET
    assert abs(level(treated(gain(), loud)) - LOUD) < 0.1 * LOUD
    assert level(treated(gate(), tone(100.0))[-4000:]) < 20.0
    assert level(treated(gate(), tone(100.0) + tone(LOUD, 0.3))[-2400:]) > 0.8 * LOUD


def test_recordings_are_as_loud_as_most_callers() -> None:
    assert all(isinstance(one, Spoken) and abs(level(one.samples) - LOUD) < 1 for one in spoken(2))
