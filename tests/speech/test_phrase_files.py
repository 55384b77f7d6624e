"""Phrases on disk: for their owner alone, whole or not there, and not too many."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aybiza.speech import phrase_files
from aybiza.speech.phrases import PHRASE_BYTES, Phrase, file_name

HELLO = Phrase("asteria", "Hello.")


def test_what_is_written_is_read_and_is_nobody_else_s(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "phrases"
    phrase_files.write(folder, HELLO, b"first")
    phrase_files.write(folder, HELLO, b"audio")
    assert phrase_files.read(folder) == [(HELLO, b"audio")]
    [path] = folder.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_what_is_damaged_too_large_or_no_file_is_passed_over(tmp_path: Path) -> None:
    phrase_files.write(tmp_path, HELLO, b"audio")
    whole = (tmp_path / file_name(HELLO)).read_bytes()
    (tmp_path / "cut.mulaw").write_bytes(whole[:-1])
    (tmp_path / "nothing.mulaw").write_bytes(b"")
    (tmp_path / "large.mulaw").write_bytes(bytes(PHRASE_BYTES * 4))
    (tmp_path / "link.mulaw").symlink_to(tmp_path / file_name(HELLO))
    (tmp_path / "folder.mulaw").mkdir()
    os.mkfifo(tmp_path / "pipe.mulaw")
    assert phrase_files.read(tmp_path) == [(HELLO, b"audio")]
    assert phrase_files.read(tmp_path / "nowhere") == []


def test_of_too_many_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phrase_files, "PHRASES", 3)
    for number in range(5):
        phrase = Phrase("asteria", str(number))
        phrase_files.write(tmp_path, phrase, b"audio")
        os.utime(tmp_path / file_name(phrase), (number + 1, number + 1))
    kept = [phrase.text for phrase, _ in phrase_files.read(tmp_path)]
    assert kept == ["2", "3", "4"]
