"""What the tests of the acoustic engine share: recordings of callers, and noises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aybiza.emulators.deepgram.engine import BLOCK_BYTES
from aybiza.speech import mulaw
from aybiza.speech.wav import read_wav

RECORDINGS = Path(__file__).parents[3] / "emulators" / "phone" / "recordings"

# Recordings of two speakers and their words.
SAID = {
    "booking_day": "hello i would like an appointment on tuesday morning",
    "booking_time": "the first one please my name is mary smith",
    "balance_number": "my account number is four seven two one five",
    "interrupt_price": "sorry what does a cleaning cost",
    "moving_ask": "good morning i would like to move my appointment",
    "moving_day": "next thursday afternoon please",
    "moving_yes": "yes please that is right",
    "bye_awb": "great thank you goodbye",
}

Floats = NDArray[np.float64]


@cache
def recording(name: str, level_db: float = 0.0) -> bytes:
    """The mu-law audio of a recording, made so much louder."""
    pcm = read_wav(RECORDINGS / f"{name}.wav") * 10 ** (level_db / 20)
    return mulaw.encode(np.clip(pcm, -32768, 32767).astype(np.int16))


def call(*parts: bytes) -> bytes:
    """Parts of a call with half a second of silence before and a second behind each."""
    return b"".join(mulaw.silence(0.5) + part + mulaw.silence(1.0) for part in parts)


def blocks(audio: bytes) -> Iterator[bytes]:
    """Whole blocks of 20 ms."""
    for at in range(0, len(audio) - BLOCK_BYTES + 1, BLOCK_BYTES):
        yield audio[at : at + BLOCK_BYTES]


def amplitude(level_db: float) -> float:
    """The amplitude of a level below full scale."""
    return float(32768 * 10 ** (level_db / 20))


def noise(level_db: float, seconds: float = 8.0, low: float = 0.0, high: float = 4000.0) -> Floats:
    """Steady noise between two frequencies."""
    count = int(seconds * mulaw.SAMPLE_RATE)
    spectrum = np.fft.rfft(np.random.default_rng(1).normal(size=count))
    hertz = np.fft.rfftfreq(count, 1 / mulaw.SAMPLE_RATE)
    spectrum[(hertz < low) | (hertz > high)] = 0
    samples = np.fft.irfft(spectrum, count)
    scaled: Floats = samples / samples.std() * amplitude(level_db)
    return scaled


def tones(level_db: float, *hertz: float, seconds: float = 0.3) -> Floats:
    """Tones at a time, as of a key."""
    times = np.arange(int(seconds * mulaw.SAMPLE_RATE)) / mulaw.SAMPLE_RATE
    summed: Floats = np.sum([np.sin(2 * np.pi * f * times) for f in hertz], axis=0)
    return summed * amplitude(level_db)


def repeated(sound: Callable[[int], Floats], times: int = 8, pause: float = 0.6) -> Floats:
    """A sound now and then over faint noise of the line."""
    found = []
    for number in range(times):
        made = sound(number)
        found += [np.zeros(int(pause * mulaw.SAMPLE_RATE)), made]
    joined = np.concatenate(found)
    return joined + noise(-72.0, len(joined) / mulaw.SAMPLE_RATE)[: len(joined)]


def coded(samples: Floats) -> bytes:
    """The mu-law audio of samples."""
    return mulaw.encode(np.clip(np.rint(samples), -32768, 32767).astype(np.int16))
