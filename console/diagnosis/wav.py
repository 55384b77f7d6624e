"""A WAV file of a telephone: PCM, IEEE float, mu-law or A-law, as samples. Pure.

    sound = read(path.read_bytes())
    sound.rate, sound.channels            8000, one array of float32 in -1…1 a channel

Python's own module reads PCM alone, and recordings of switches and carriers are mu-law as often. A
file that was cut off is read as far as it goes; `cut` says so.

Errors: `WavError`, for people, for what is no WAV file or holds a code that is none of these.
Source: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0" (RIFF WAVE);
ITU-T G.711.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aybiza.speech import mulaw

MOST_CHANNELS: Final = 8
RATES: Final = (4_000, 192_000)

Samples = NDArray[np.float32]

_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_WIDTHS: Final = {
    _PCM: (8, 16, 24, 32),
    _FLOAT: (32, 64),
    _ALAW: (8,),
    _MULAW: (8,),
}
_OTHERS: Final = {
    0x02: "ADPCM",
    0x11: "ADPCM",
    0x31: "GSM (wav49)",
    0x55: "MP3",
    0x65: "G.722",
    0x83: "G.729",
}
"""What recordings are coded in, too, and is not read."""

_FORMATS: Final = {
    b"RF64": "RF64",
    b"RIFX": "RIFX",
    b".snd": "a Sun audio file",
    b"fLaC": "FLAC",
    b"OggS": "Ogg",
    b"ID3": "MP3",
}
"""How files begin that are audio and no WAV."""

_CONVERT: Final = "convert it: ffmpeg -i FILE -c:a pcm_s16le call.wav"
_RAW: Final = "if it is raw audio of a switch: sox -t ul -r 8000 -c 1 FILE call.wav (ul, al or sw)"
_UNWRITTEN: Final = 0xFFFFFFFF
"""The length of data that a program writes which does not know it yet."""

_NAMES: Final = {_PCM: "PCM", _FLOAT: "float", _ALAW: "A-law", _MULAW: "mu-law"}


class WavError(Exception):
    """These bytes cannot be read as audio."""


@dataclass(frozen=True, slots=True)
class Sound:
    """See the module. code: PCM, float, A-law or mu-law; bits: of a sample."""

    rate: int
    code: str
    bits: int
    channels: tuple[Samples, ...]
    cut: bool = False

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.channels[0]) / self.rate


def read(data: bytes) -> Sound:
    """The samples of a file. Raises WavError."""
    if not data:
        raise WavError("it is empty")
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        other = next((name for how, name in _FORMATS.items() if data.startswith(how)), None)
        if other is not None:
            raise WavError(f"not a WAV file but {other}; {_CONVERT}")
        raise WavError(f"not a WAV file: it does not begin with RIFF … WAVE; {_RAW}")
    kind: tuple[int, int, int, int] | None = None
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + size]
        if name == b"fmt ":
            kind = _kind(body)
        elif name == b"data":
            if kind is None:
                raise WavError("its data stand before their format")
            if not size:
                # Who wrote it ended before it knew the length: all that follows is audio.
                return _sound(kind, data[at + 8 :], cut=True)
            return _sound(kind, body, cut=len(body) < size != _UNWRITTEN)
        at += 8 + size + size % 2
    raise WavError("it holds no audio")


def _kind(body: bytes) -> tuple[int, int, int, int]:
    """Code, channels, rate and bits a sample."""
    if len(body) < 16:
        raise WavError("its format is cut off")
    code, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body[:16])
    if code == _EXTENSIBLE and len(body) >= 26:
        (code,) = struct.unpack("<H", body[24:26])
    if bits not in _WIDTHS.get(code, ()):
        name = _OTHERS.get(code, f"{code:#x} with {bits} bits")
        raise WavError(f"it is coded as {name}; PCM, mu-law or A-law is read: {_CONVERT}")
    if not 1 <= channels <= MOST_CHANNELS:
        raise WavError(f"it has {channels} channels; 1 to {MOST_CHANNELS} are read")
    if not RATES[0] <= rate <= RATES[1]:
        raise WavError(f"it has {rate} samples a second")
    return code, channels, rate, bits


def _sound(kind: tuple[int, int, int, int], body: bytes, *, cut: bool) -> Sound:
    code, channels, rate, bits = kind
    whole = len(body) // (channels * bits // 8) * (channels * bits // 8)
    samples = _decoded(code, bits, body[:whole]).reshape(-1, channels)
    if not len(samples):
        raise WavError("it holds no audio")
    parts = tuple(np.ascontiguousarray(samples[:, number]) for number in range(channels))
    return Sound(rate, _NAMES[code], bits, parts, cut or whole < len(body))


def _decoded(code: int, bits: int, body: bytes) -> Samples:
    samples: NDArray[Any]
    match code, bits:
        case 7, _:
            samples = mulaw.decode(body).astype(np.float32) / 32768
        case 6, _:
            samples = _ALAW_TABLE[np.frombuffer(body, np.uint8)]
        case 3, _:
            given = np.frombuffer(body, f"<f{bits // 8}")
            samples = np.clip(np.nan_to_num(given, posinf=1.0, neginf=-1.0), -1.0, 1.0)
        case _, 8:
            samples = (np.frombuffer(body, np.uint8).astype(np.float32) - 128) / 128
        case _, 16:
            samples = np.frombuffer(body, "<i2").astype(np.float32) / 32768
        case _, 24:
            wide = np.zeros((len(body) // 3, 4), np.uint8)
            wide[:, 1:] = np.frombuffer(body, np.uint8).reshape(-1, 3)
            samples = wide.view("<i4").reshape(-1).astype(np.float32) / 2147483648
        case _:
            samples = np.frombuffer(body, "<i4").astype(np.float32) / 2147483648
    return samples.astype(np.float32, copy=False)


def _alaw(code: int) -> float:
    inverted = code ^ 0x55
    exponent, mantissa = (inverted >> 4) & 7, inverted & 0x0F
    magnitude = (mantissa << 4) + 8
    if exponent:
        magnitude = (magnitude + 0x100) << (exponent - 1)
    return (magnitude if inverted & 0x80 else -magnitude) / 32768


_ALAW_TABLE: Final = np.array([_alaw(code) for code in range(256)], np.float32)
