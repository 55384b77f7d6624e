"""WAV files become frames, whatever their rate and width; recordings are trimmed and laid out."""

import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators.phone.audio import (
    FRAME_BYTES,
    SILENCE,
    Utterance,
    timeline,
    trim,
    utterance_of_wav,
    write_wav,
)
from aybiza.speech import mulaw
from aybiza.speech.mulaw import SAMPLE_RATE
from aybiza.speech.wav import AudioError


class TestUtterance:
    def test_is_cut_into_full_frames_padded_with_silence(self) -> None:
        utterance = Utterance.of(b"\x10" * (FRAME_BYTES + 1))
        assert [len(frame) for frame in utterance.frames] == [FRAME_BYTES, FRAME_BYTES]
        assert utterance.frames[1] == b"\x10" + SILENCE[1:]

    def test_knows_where_sound_begins_and_ends(self) -> None:
        utterance = Utterance.of(SILENCE * 2 + b"\x10" * FRAME_BYTES * 3 + SILENCE * 4)
        assert (utterance.first, utterance.last, len(utterance.frames)) == (2, 4, 9)

    def test_a_silent_recording_is_refused_by_name(self, tmp_path: Path) -> None:
        write_wav(tmp_path / "still.wav", [np.zeros(800, np.int16)])
        with pytest.raises(AudioError, match=r"still\.wav: holds no sound"):
            utterance_of_wav(tmp_path / "still.wav")


class TestTrim:
    def test_leaves_the_lead_and_the_tail_asked_for(self) -> None:
        silence = np.zeros(4000, np.int16)
        pcm = np.concatenate([silence, np.full(800, 5000, np.int16), silence])
        trimmed = trim(pcm, lead_ms=100, tail_ms=50)
        assert len(trimmed) == 800 + 800 + 400
        assert trimmed[800] == 5000 and trimmed[799] == 0

    def test_ends_fade_so_that_nothing_clicks(self) -> None:
        trimmed = trim(np.full(1600, 5000, np.int16), lead_ms=100, tail_ms=50)
        assert (trimmed[0], trimmed[-1], trimmed[800]) == (0, 0, 5000)


class TestTimeline:
    @given(st.lists(st.tuples(st.integers(0, 400), st.binary(min_size=1, max_size=60)), max_size=6))
    def test_every_piece_starts_at_its_sample_with_silence_between(
        self, steps: list[tuple[int, bytes]]
    ) -> None:
        segments, expected = [], b""
        for gap, piece in steps:
            expected += b"\xff" * gap
            segments.append((len(expected), piece))
            expected += piece
        track = timeline(segments)
        assert track.tobytes() == mulaw.decode(expected).tobytes()

    def test_the_recording_is_stereo_with_both_channels_in_place(self, tmp_path: Path) -> None:
        left, right = np.array([1, 2, 3], np.int16), np.array([9], np.int16)
        write_wav(tmp_path / "call.wav", [left, right])
        with wave.open(str(tmp_path / "call.wav")) as file:
            assert file.getparams()[:4] == (2, 2, SAMPLE_RATE, 3)
            table = np.frombuffer(file.readframes(3), "<i2").reshape(-1, 2)
        assert table.tolist() == [[1, 9], [2, 0], [3, 0]]
