"""Recordings in WAV files, as the telephone line carries sound. For whole files, outside of calls.

Errors: `AudioError` names the file and says what is wrong with it.
"""

from __future__ import annotations

import wave
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


class AudioError(Exception):
    """A file that cannot be used as audio."""


def read_wav(path: Path) -> Pcm:
    """A PCM WAV file of any rate and width as 8000 Hz 16-bit mono; channels are averaged."""
    try:
        with wave.open(str(path), "rb") as file:
            rate, width = file.getframerate(), file.getsampwidth()
            channels = file.getnchannels()
            data = file.readframes(file.getnframes())
    except OSError as error:
        raise AudioError(f"{path}: {error.strerror or error}") from error
    # A chunk that ends before its header says so is a RuntimeError of the library's.
    except (wave.Error, EOFError, RuntimeError) as error:
        raise AudioError(f"{path}: not a PCM WAV file ({error or 'it ends too early'})") from error
    data = data[: len(data) // (width * channels) * width * channels]
    if rate < SAMPLE_RATE:
        raise AudioError(f"{path}: {rate} samples a second, but the line carries {SAMPLE_RATE}")
    if width > MOST_WIDTH:
        raise AudioError(f"{path}: {width} bytes a sample, and {MOST_WIDTH} are the most")
    if rate > MOST_RATE:
        raise AudioError(f"{path}: {rate} samples a second, and {MOST_RATE} are the most")
    samples = np.rint(_samples(data, width).reshape(-1, channels).mean(axis=1))
    return _to_line_rate(np.clip(samples, -32768, 32767).astype(np.int16), rate)


def _to_line_rate(samples: Pcm, rate: int) -> Pcm:
    """A whole recording at 8000 Hz, converted second by second."""
    down = Downsampler(rate)
    pieces = [down.feed(samples[at : at + rate]) for at in range(0, len(samples), rate)]
    length = round(len(samples) * SAMPLE_RATE / rate)
    return np.concatenate([*pieces, down.flush()])[:length]


def _samples(data: bytes, width: int) -> NDArray[np.float64]:
    """PCM bytes as numbers on the 16-bit scale."""
    if width == 1:
        return (np.frombuffer(data, np.uint8).astype(np.float64) - 128.0) * 256.0
    raw = np.frombuffer(data, np.uint8).reshape(-1, width)
    top = np.zeros((len(raw), 4), np.uint8)
    top[:, 4 - width :] = raw
    return top.view("<i4").reshape(-1).astype(np.float64) / 65536.0
