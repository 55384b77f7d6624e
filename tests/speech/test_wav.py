"""WAV files of any rate and width are read as the line carries sound."""

import os
import tracemalloc
import wave
from pathlib import Path

import numpy as np
import pytest

from aybiza.speech.mulaw import SAMPLE_RATE, Pcm
from aybiza.speech.wav import AudioError, read_wav

TONE_HZ = 440.0
TONE_LEVEL = 10_000.0


def write_tone(
    path: Path, rate: int, width: int = 2, channels: int = 1, hz: float = TONE_HZ
) -> None:
    """Half a second of a tone."""
    wave_form = TONE_LEVEL * np.sin(2 * np.pi * hz * np.arange(rate // 2) / rate)
    scaled = np.repeat(wave_form * 256.0 ** (width - 2), channels)
    if width == 1:
        data = (np.round(scaled) + 128).astype(np.uint8).tobytes()
    else:
        data = np.round(scaled).astype("<i4").view(np.uint8).reshape(-1, 4)[:, :width].tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(data)


def tone_level(pcm: Pcm, hz: float) -> float:
    """The amplitude of `hz` in the middle of the recording."""
    middle = pcm[len(pcm) // 4 : -len(pcm) // 4].astype(np.float64)
    turns = np.exp(-2j * np.pi * hz * np.arange(len(middle)) / SAMPLE_RATE)
    return float(2 * abs(np.mean(middle * turns)))


class TestReadWav:
    @pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 22_050, 44_100, 48_000])
    def test_any_rate_becomes_8000_hz_with_the_tone_unchanged(
        self, rate: int, tmp_path: Path
    ) -> None:
        write_tone(tmp_path / "tone.wav", rate)
        pcm = read_wav(tmp_path / "tone.wav")
        assert abs(len(pcm) - SAMPLE_RATE / 2) <= 1
        assert tone_level(pcm, TONE_HZ) == pytest.approx(TONE_LEVEL, rel=0.02)

    @pytest.mark.parametrize("width", [1, 2, 3, 4])
    def test_any_sample_width_has_the_same_level(self, width: int, tmp_path: Path) -> None:
        write_tone(tmp_path / "tone.wav", 8000, width)
        level = tone_level(read_wav(tmp_path / "tone.wav"), TONE_HZ)
        assert level == pytest.approx(TONE_LEVEL, rel=0.02)

    @pytest.mark.parametrize(
        ("rate", "width", "why"),
        [
            (4_000, 2, "4000 samples a second, but the line carries 8000"),
            (200_000, 2, "200000 samples a second"),
        ],
    )
    def test_what_the_line_cannot_carry_is_refused(
        self, rate: int, width: int, why: str, tmp_path: Path
    ) -> None:
        write_tone(tmp_path / "tone.wav", rate, width)
        with pytest.raises(AudioError, match=why):
            read_wav(tmp_path / "tone.wav")

    def test_channels_are_averaged(self, tmp_path: Path) -> None:
        write_tone(tmp_path / "tone.wav", 8000, channels=2)
        pcm = read_wav(tmp_path / "tone.wav")
        assert len(pcm) == SAMPLE_RATE // 2
        assert tone_level(pcm, TONE_HZ) == pytest.approx(TONE_LEVEL, rel=0.02)

    @pytest.mark.parametrize("hz", [5000.0, 7000.0, 9000.0])
    def test_what_the_telephone_cannot_carry_does_not_fold_back(
        self, hz: float, tmp_path: Path
    ) -> None:
        write_tone(tmp_path / "tone.wav", 22_050, hz=hz)
        pcm = read_wav(tmp_path / "tone.wav")
        assert np.abs(pcm[400:-400].astype(np.int32)).max() < TONE_LEVEL / 100

    @pytest.mark.parametrize("data", [b"", b"RIFF", b"hello, I am no WAV file at all, I am text"])
    def test_another_file_is_named_with_what_is_wrong(self, data: bytes, tmp_path: Path) -> None:
        (tmp_path / "odd.wav").write_bytes(data)
        with pytest.raises(AudioError, match=r"odd\.wav: not a PCM WAV file"):
            read_wav(tmp_path / "odd.wav")

    @pytest.mark.parametrize("rate", [8_001, 44_101, 191_999])
    def test_a_rate_that_nothing_has_is_refused_ahead_of_its_filter(
        self, rate: int, tmp_path: Path
    ) -> None:
        write_tone(tmp_path / "odd.wav", rate)
        with pytest.raises(AudioError, match=f"{rate} samples a second: convert it to 8000"):
            read_wav(tmp_path / "odd.wav")

    def test_a_header_makes_nobody_hold_what_it_declares(self, tmp_path: Path) -> None:
        write_tone(tmp_path / "huge.wav", 8000)
        with (tmp_path / "huge.wav").open("r+b") as file:
            for at in (4, 40):
                file.seek(at)
                file.write(b"\xff\xff\xff\x7f")
            file.truncate(2**31)
        tracemalloc.start()
        with pytest.raises(AudioError, match="is longer than 120 s"):
            read_wav(tmp_path / "huge.wav", 120)
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert held < 16 * 2**20

    def test_hundreds_of_channels_are_refused(self, tmp_path: Path) -> None:
        write_tone(tmp_path / "wide.wav", 8000, channels=17)
        with pytest.raises(AudioError, match="17 channels, and 16 are the most"):
            read_wav(tmp_path / "wide.wav")

    def test_what_is_no_file_is_not_opened(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.wav")
        with pytest.raises(AudioError, match=r"pipe\.wav: is no file"):
            read_wav(tmp_path / "pipe.wav")

    def test_a_rate_below_the_lines_is_refused(self, tmp_path: Path) -> None:
        write_tone(tmp_path / "low.wav", 6000)
        with pytest.raises(AudioError, match=r"low\.wav: 6000 samples a second"):
            read_wav(tmp_path / "low.wav")

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(AudioError, match=r"none\.wav: No such file"):
            read_wav(tmp_path / "none.wav")
