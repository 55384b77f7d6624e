"""Audio of the telephone: WAV files in and out, utterances cut into frames.

A frame is what Twilio sends at a time: 20 ms, 160 bytes of mu-law at 8000 Hz. Everything here
works on whole files before or after a call; during a call there is nothing left to compute.
Errors: `AudioError` names the file and says what is wrong with it.
"""

import binascii
import wave
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from aybiza.emulators import textaudio
from aybiza.speech import mulaw
from aybiza.speech.mulaw import SAMPLE_RATE, Pcm
from aybiza.speech.wav import AudioError, read_wav

FRAME_BYTES: Final = 160
FRAME_MS: Final = 20
SILENCE: Final = bytes([mulaw.SILENCE]) * FRAME_BYTES
"""A frame of silence."""

SOUND_LEVEL: Final = 256
"""A 16-bit sample at least this far from zero is sound: 42 dB below full scale."""

_FADE: Final = SAMPLE_RATE // 50


def _quiet_codes() -> bytes:
    codes = bytes(range(256))
    levels = np.abs(mulaw.decode(codes).astype(np.int32))
    return bytes(code for code in codes if levels[code] < SOUND_LEVEL)


QUIET_CODES: Final = _quiet_codes()
"""The mu-law bytes below `SOUND_LEVEL`: what speech leaves as silence."""

SILENCE_CODES: Final = bytes(sorted(textaudio.SILENCE_CODES))
"""In text mode a byte is a piece of a letter, and only zero is silence."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something to say, cut into frames ready to be sent.

    `first` and `last` are the indices of the frames where sound begins and ends.
    """

    frames: tuple[bytes, ...]
    payloads: tuple[str, ...]
    first: int
    last: int

    @classmethod
    def of(cls, audio: bytes, silent: bytes = QUIET_CODES) -> "Utterance":
        """Cut mu-law `audio`; `silent` are the bytes that are not sound."""
        padded = audio + SILENCE[: -len(audio) % FRAME_BYTES]
        frames = tuple(padded[at : at + FRAME_BYTES] for at in range(0, len(padded), FRAME_BYTES))
        sounding = [n for n, frame in enumerate(frames) if frame.translate(None, silent)]
        if not sounding:
            raise AudioError("holds no sound")
        return cls(frames, tuple(map(payload_of, frames)), sounding[0], sounding[-1])


def payload_of(frame: bytes) -> str:
    """The frame as `media.payload` carries it."""
    return binascii.b2a_base64(frame, newline=False).decode("ascii")


def utterance_of_wav(path: Path) -> Utterance:
    """A recording ready to be said."""
    try:
        return Utterance.of(mulaw.encode(read_wav(path)))
    except AudioError as error:
        raise error if str(path) in str(error) else AudioError(f"{path}: {error}") from error


def trim(pcm: Pcm, lead_ms: int, tail_ms: int) -> Pcm:
    """Cut silence off both ends but for `lead_ms` and `tail_ms`, faded so that nothing clicks."""
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) >= SOUND_LEVEL)
    if not len(loud):
        raise AudioError("holds no sound")
    start = max(0, int(loud[0]) - lead_ms * SAMPLE_RATE // 1000)
    end = int(loud[-1]) + 1 + tail_ms * SAMPLE_RATE // 1000
    out = pcm[start:end].astype(np.float64)
    fade = min(_FADE, len(out))
    ramp = np.linspace(0.0, 1.0, fade)
    out[:fade] *= ramp
    out[len(out) - fade :] *= ramp[::-1]
    return np.round(out).astype(np.int16)


def write_wav(path: Path, channels: list[Pcm]) -> None:
    """Write 8000 Hz 16-bit PCM; shorter channels are filled up with silence."""
    length = max(len(channel) for channel in channels)
    table = np.zeros((length, len(channels)), dtype="<i2")
    for column, channel in enumerate(channels):
        table[: len(channel), column] = channel
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(table.tobytes())


def timeline(segments: Iterable[tuple[int, bytes]]) -> Pcm:
    """Mu-law pieces, each with the sample where it starts, laid out on one track."""
    pieces = sorted(segments, key=lambda piece: piece[0])
    if not pieces:
        return np.zeros(0, np.int16)
    out = bytearray()
    for (start, piece), (following, _) in pairwise([*pieces, (pieces[-1][0] + 2**31, b"")]):
        out += SILENCE[:1] * (start - len(out))
        out += piece[: following - start]
    return mulaw.decode(bytes(out))
