"""WAV files of every code that telephones record in."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from aybiza.console.diagnosis.wav import WavError, read
from tests.console.diagnosis.wav_kit import CODED, PCM16, TONE, riff


@pytest.mark.parametrize("name", CODED)
def test_each_code_gives_the_same_samples(name: str) -> None:
    code, bits, body, near = CODED[name]
    sound = read(riff(code, bits, body))
    assert (sound.code, sound.bits, sound.rate) == (name.split(maxsplit=1)[0], bits, 8000)
    assert float(np.abs(sound.channels[0] - TONE).max()) < near
    assert sound.seconds == 0.1 and not sound.cut


def test_the_values_of_a_law_are_those_of_the_standard() -> None:
    table = read(riff(6, 8, bytes([0xD5, 0x55, 0xAA, 0x2A]))).channels[0] * 32768
    assert table.tolist() == [8.0, -8.0, 32256.0, -32256.0]


def test_channels_are_told_apart_and_the_extensible_form_is_read() -> None:
    both = np.stack([PCM16, np.zeros_like(PCM16)], axis=1).tobytes()
    plain = read(riff(1, 16, both, channels=2))
    assert len(plain.channels) == 2 and not plain.channels[1].any()
    kind = struct.pack("<HHIIHHHHIH", 0xFFFE, 2, 8000, 0, 0, 16, 22, 16, 3, 1) + b"\0" * 14
    data = b"fmt " + struct.pack("<I", 40) + kind + b"data" + struct.pack("<I", len(both)) + both
    wide = read(b"RIFF" + struct.pack("<I", len(data) + 4) + b"WAVE" + data)
    assert np.array_equal(wide.channels[0], plain.channels[0])


def test_a_file_that_was_cut_off_is_read_as_far_as_it_goes() -> None:
    sound = read(riff(1, 16, PCM16.tobytes())[:-101])
    assert sound.cut and len(sound.channels[0]) == 749


@pytest.mark.parametrize(("length", "cut"), [(0, True), (0xFFFFFFFF, False)])
def test_a_file_whose_length_was_never_written_is_read_to_its_end(length: int, cut: bool) -> None:
    whole = riff(1, 16, PCM16.tobytes())
    size = struct.pack("<I", 2 * len(PCM16))
    sound = read(whole.replace(b"data" + size, b"data" + struct.pack("<I", length)))
    assert (len(sound.channels[0]), sound.cut) == (len(PCM16), cut)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "it is empty"),
        (b"\x7f\x7e raw mu-law", "does not begin with RIFF.*sox -t ul -r 8000"),
        (b"ID3\x03 an mp3 file", "not a WAV file but MP3; convert it: ffmpeg"),
        (b"RF64\xff\xff\xff\xffWAVEds64", "but RF64; convert it"),
        (b"RIFF\0\0\0\0WAVE", "holds no audio"),
        (riff(1, 16, b""), "holds no audio"),
        (riff(0x31, 0, b"1234"), r"coded as GSM \(wav49\).*ffmpeg"),
        (riff(0x77, 16, b"1234"), "coded as 0x77 with 16 bits"),
        (riff(1, 16, b"1234", channels=0), "0 channels"),
        (riff(1, 16, b"1234", rate=0), "0 samples a second"),
        (b"RIFF\0\0\0\0WAVEfmt \x04\0\0\0abcd", "its format is cut off"),
        (b"RIFF\0\0\0\0WAVEdata\x04\0\0\0abcd", "before their format"),
    ],
)
def test_what_cannot_be_read_is_told(data: bytes, told: str) -> None:
    with pytest.raises(WavError, match=told):
        read(data)
