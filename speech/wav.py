"""Recordings in WAV files, as the telephone line carries sound. For whole files, outside of calls.

Errors: `AudioError` names the file and says what is wrong with it.
"""

from __future__ import annotations

import wave
from math import gcd
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aybiza.speech.mulaw import SAMPLE_RATE, Pcm
from aybiza.speech.resample import Downsampler

MOST_WIDTH: Final = 4
"""Bytes of a sample."""
MOST_RATE: Final = 192_000
"""Samples a second that recordings have; a header may say anything."""
MOST_PHASES: Final = 320
"""Of 11,025 samples a second, the oddest rate in use: one such as 191,999 has a filter of 37 MB,
which takes seconds to make."""
MOST_CHANNELS: Final = 16
MOST_SECONDS: Final = 600


class AudioError(Exception):
    """A file that cannot be used as audio."""


def read_wav(path: Path, most_seconds: int = MOST_SECONDS) -> Pcm:
    """A PCM WAV file of any usual rate and width as 8000 Hz 16-bit mono; channels are averaged.

    Of a file that is not refused by its header a second is held at a time.
    """
    try:
        if path.exists() and not path.is_file():
            raise AudioError(f"{path}: is no file")
        with wave.open(str(path), "rb") as file:
            _check(path, file)
            return _read(path, file, most_seconds)
    except OSError as error:
        raise AudioError(f"{path}: {error.strerror or error}") from error
    # A chunk that ends before its header says so is a RuntimeError of the library's.
    except (wave.Error, EOFError, RuntimeError) as error:
        raise AudioError(f"{path}: not a PCM WAV file ({error or 'it ends too early'})") from error


def _check(path: Path, file: wave.Wave_read) -> None:
    rate, width, channels = file.getframerate(), file.getsampwidth(), file.getnchannels()
    if rate < SAMPLE_RATE:
        raise AudioError(f"{path}: {rate} samples a second, but the line carries {SAMPLE_RATE}")
    if rate > MOST_RATE:
        raise AudioError(f"{path}: {rate} samples a second, and {MOST_RATE} are the most")
    if SAMPLE_RATE // gcd(rate, SAMPLE_RATE) > MOST_PHASES:
        raise AudioError(f"{path}: {rate} samples a second: convert it to 8000, 16000 or 48000")
    if width > MOST_WIDTH:
        raise AudioError(f"{path}: {width} bytes a sample, and {MOST_WIDTH} are the most")
    if channels > MOST_CHANNELS:
        raise AudioError(f"{path}: {channels} channels, and {MOST_CHANNELS} are the most")


def _read(path: Path, file: wave.Wave_read, most_seconds: int) -> Pcm:
    rate, width, channels = file.getframerate(), file.getsampwidth(), file.getnchannels()
    down, pieces, count = Downsampler(rate), [], 0
    # How many there are stands in the header, where anything may stand.
    while data := file.readframes(rate):
        data = data[: len(data) // (width * channels) * width * channels]
        samples = np.rint(_samples(data, width).reshape(-1, channels).mean(axis=1))
        count += len(samples)
        if count > most_seconds * rate:
            raise AudioError(f"{path}: is longer than {most_seconds} s")
        pieces.append(down.feed(np.clip(samples, -32768, 32767).astype(np.int16)))
    length = round(count * SAMPLE_RATE / rate)
    return np.concatenate([*pieces, down.flush()])[:length]


def _samples(data: bytes, width: int) -> NDArray[np.float64]:
    """PCM bytes as numbers on the 16-bit scale."""
    if width == 1:
        return (np.frombuffer(data, np.uint8).astype(np.float64) - 128.0) * 256.0
    raw = np.frombuffer(data, np.uint8).reshape(-1, width)
    top = np.zeros((len(raw), 4), np.uint8)
    top[:, 4 - width :] = raw
    return top.view("<i4").reshape(-1).astype(np.float64) / 65536.0
