"""The recordings: complete, in the telephone's format, and made by flite alone."""

import shutil
import wave
from pathlib import Path

import numpy as np
import pytest

from aybiza.emulators.phone.audio import SOUND_LEVEL
from aybiza.emulators.phone.make_recordings import (
    LEAD_MS,
    TAIL_MS,
    Recording,
    RecordingError,
    main,
    recordings,
)
from aybiza.emulators.phone.script import SCRIPTS
from aybiza.speech.wav import read_wav

ALL = recordings(sorted(SCRIPTS.glob("*.toml")))
needs_flite = pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")

SCRIPT = """
voice = "awb"
[[steps]]
say = "{say}"
text = "{text}"
"""


@pytest.mark.parametrize("recording", ALL, ids=lambda recording: recording.path.stem)
def test_every_recording_is_8000_hz_16_bit_mono_with_short_silent_ends(
    recording: Recording,
) -> None:
    with wave.open(str(recording.path)) as file:
        assert file.getparams()[:3] == (1, 2, 8000)
    loud = np.flatnonzero(np.abs(read_wav(recording.path).astype(np.int32)) >= SOUND_LEVEL)
    lead, tail = loud[0] / 8, (len(read_wav(recording.path)) - loud[-1]) / 8
    assert lead <= LEAD_MS and tail <= TAIL_MS + 1


@pytest.mark.parametrize("recording", ALL, ids=lambda recording: recording.path.stem)
def test_no_recording_pauses_so_long_that_it_sounds_finished(recording: Recording) -> None:
    loud = np.flatnonzero(np.abs(read_wav(recording.path).astype(np.int32)) >= SOUND_LEVEL)
    assert np.diff(loud).max() / 8 < 250


def test_there_is_no_recording_that_no_script_uses() -> None:
    stored = {path.resolve() for path in SCRIPTS.parent.glob("recordings/*.wav")}
    assert stored == {recording.path for recording in ALL}


def test_two_speakers_call() -> None:
    assert {recording.voice for recording in ALL} == {"rms", "awb"}


def test_one_file_with_two_texts_is_refused(tmp_path: Path) -> None:
    for name, text in [("a", "Hello."), ("b", "Goodbye.")]:
        (tmp_path / f"{name}.toml").write_text(SCRIPT.format(say="x.wav", text=text))
    with pytest.raises(RecordingError, match=r"x\.wav is 'Goodbye\.' .* and 'Hello\.'"):
        recordings([tmp_path / "a.toml", tmp_path / "b.toml"])


@needs_flite
def test_making_a_recording_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(SCRIPT.format(say="x.wav", text="Hello."))
    assert main([str(tmp_path / "a.toml")]) == 0
    first = (tmp_path / "x.wav").read_bytes()
    assert main([str(tmp_path / "a.toml")]) == 0
    assert (tmp_path / "x.wav").read_bytes() == first


def test_without_flite_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.toml").write_text(SCRIPT.format(say="x.wav", text="Hello."))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main([str(tmp_path / "a.toml")]) == 1
    assert "apt-get install flite" in capsys.readouterr().err


def test_a_broken_script_exits_1_with_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.toml").write_text("[[steps]]\nsey = 1")
    assert main([str(tmp_path / "a.toml")]) == 1
    assert "a.toml" in capsys.readouterr().err
