"""A text file is read in one way, and what cannot be read is said in one way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aybiza.config import text_file
from aybiza.config.text_file import text_of


class Wrong(ValueError):
    pass


@pytest.mark.parametrize(
    "written", ["two\nlines\n", "\ufefftwo\nlines\n", "two\r\nlines\r\n", "two\rlines\r"]
)
def test_a_mark_and_the_line_ends_of_other_systems_are_no_part_of_it(
    tmp_path: Path, written: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(written.encode())
    assert text_of(path, Wrong) == "two\nlines\n"


def test_what_cannot_be_read_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    for name, told in (
        ("none", "cannot be read: No such file or directory"),
        ("", "cannot be read: Is a directory"),
        ("bytes", "is not UTF-8 text, in line 1: save it as UTF-8"),
    ):
        path = tmp_path / name
        with pytest.raises(Wrong) as caught:
            text_of(path, Wrong)
        assert str(caught.value) == f"{path}: {told}"


def test_what_never_ends_is_not_read_to_its_end() -> None:
    with pytest.raises(OSError, match="/dev/zero: cannot be read: it is no file"):
        text_of(Path("/dev/zero"), OSError)


def test_nobody_waits_for_who_writes_into_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Wrong, match="pipe: cannot be read: it is no file"):
        text_of(tmp_path / "pipe", Wrong)


def test_the_longest_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_file, "MOST_BYTES", 4)
    path = tmp_path / "file"
    path.write_text("four")
    assert text_of(path, Wrong) == "four"
    path.write_text("fives")
    with pytest.raises(Wrong, match="is larger than"):
        text_of(path, Wrong)
