"""Where a caller's speech begins: at a voice, and at nothing else that comes over a line."""

from __future__ import annotations

import numpy as np
import pytest

from aybiza.emulators.deepgram.voice_activity import VoiceActivity
from aybiza.speech import mulaw
from tests.emulators.deepgram.kit import (
    SAID,
    Floats,
    amplitude,
    blocks,
    call,
    coded,
    noise,
    recording,
    repeated,
    tones,
)

KEYS = [(697, 1209), (770, 1336), (852, 1477), (941, 1336)]
BLOCK_SECONDS = 0.02
# The recordings' lead-in.
LEAD_SECONDS = 0.12


def onsets(audio: bytes, activity: VoiceActivity | None = None) -> list[float]:
    """When speech began, in seconds; each time 400 ms of silence end it."""
    ears, found, quiet = activity or VoiceActivity(), [], 0
    for number, block in enumerate(blocks(audio)):
        was_speaking = ears.speaking
        speech = ears.feed(block)
        if ears.speaking and not was_speaking:
            found.append(number * BLOCK_SECONDS)
        quiet = 0 if speech else quiet + 1
        if quiet >= 20:
            ears.rest()
    return found


def click(milliseconds: int) -> Floats:
    count = 8 * milliseconds
    burst = np.random.default_rng(milliseconds).normal(size=count)
    decay: Floats = burst * np.exp(-np.arange(count) * 3 / count) * amplitude(-12)
    return decay


def breath(level_db: float) -> Floats:
    made = noise(level_db, 0.5, 400, 3000)
    shaped: Floats = made * np.hanning(len(made)) * 1.6
    return shaped


@pytest.mark.parametrize("name", SAID)
def test_a_caller_is_noticed_at_once_and_once(name: str) -> None:
    (at,) = onsets(call(recording(name)))
    assert 0.5 <= at <= 0.5 + LEAD_SECONDS + 0.25


@pytest.mark.parametrize("name", SAID)
def test_a_caller_who_is_hardly_heard_is_noticed(name: str) -> None:
    (at,) = onsets(call(recording(name, -24.0)))
    assert at <= 0.5 + LEAD_SECONDS + 0.3


@pytest.mark.parametrize("name", ["booking_day", "moving_ask"])
@pytest.mark.parametrize("level_db", [-52.0, -42.0])
def test_a_caller_in_noise_is_noticed_once(name: str, level_db: float) -> None:
    audio = call(recording(name))
    samples = mulaw.decode(audio) + noise(level_db, len(audio) / mulaw.SAMPLE_RATE)[: len(audio)]
    (at,) = onsets(coded(samples))
    assert at <= 0.5 + LEAD_SECONDS + 0.3


def test_each_utterance_is_noticed() -> None:
    audio = call(recording("booking_day"), recording("booking_time"), recording("moving_yes"))
    assert len(onsets(audio)) == 3


@pytest.mark.parametrize("code", [0xFF, 0x7F])
def test_silence_is_no_onset(code: int) -> None:
    assert onsets(bytes([code]) * 80_000) == []


@pytest.mark.parametrize("level_db", [-70, -60, -50, -40, -30])
def test_steady_noise_is_no_onset(level_db: float) -> None:
    assert onsets(coded(noise(level_db))) == []


@pytest.mark.parametrize("level_db", [-50, -40, -30])
def test_rumble_and_hum_are_no_onset(level_db: float) -> None:
    assert onsets(coded(noise(level_db, 8.0, 20, 140))) == []
    hum = np.sum([tones(level_db, 50.0 * n, seconds=6.0) / n for n in range(1, 5)], axis=0)
    assert onsets(coded(hum)) == []


@pytest.mark.parametrize("milliseconds", [1, 5, 20, 60])
def test_clicks_are_no_onset(milliseconds: int) -> None:
    assert onsets(coded(repeated(lambda _: click(milliseconds)))) == []


@pytest.mark.parametrize("level_db", [-45, -35, -30])
def test_breaths_are_no_onset(level_db: float) -> None:
    assert onsets(coded(repeated(lambda _: breath(level_db)))) == []


@pytest.mark.parametrize("level_db", [-30, -20, -12])
@pytest.mark.parametrize("seconds", [0.1, 0.4])
def test_key_tones_and_beeps_are_no_onset(level_db: float, seconds: float) -> None:
    keys = repeated(lambda n: tones(level_db, *KEYS[n % len(KEYS)], seconds=seconds))
    assert onsets(coded(keys)) == []
    assert onsets(coded(repeated(lambda _: tones(level_db, 440, seconds=seconds)))) == []


def test_a_caller_who_speaks_after_noise_is_noticed() -> None:
    audio = coded(noise(-35.0, 4.0)) + call(recording("booking_day"))
    assert len(onsets(audio)) == 1


def test_while_a_caller_speaks_pauses_are_told_from_speech() -> None:
    ears = VoiceActivity()
    flags = [ears.feed(block) for block in blocks(call(recording("booking_day")))]
    first, last = flags.index(True), len(flags) - flags[::-1].index(True)
    assert sum(flags[first:last]) > 0.7 * (last - first)
    assert not any(flags[last:])
    assert len(flags) - last >= 40
    assert ears.speaking
    ears.rest()
    assert not ears.speaking
