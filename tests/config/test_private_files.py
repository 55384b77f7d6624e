"""Files for their owner alone."""

import fcntl
import os
from pathlib import Path

import pytest

from aybiza.config.private_files import (
    PrivateFileError,
    check_private,
    in_turn,
    is_at,
    private_file,
    private_folder,
    taken,
)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture(autouse=True)
def open_umask() -> object:
    before = os.umask(0o000)
    yield
    os.umask(before)


def test_what_is_made_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "one" / "two" / "file"
    private_file(path)
    assert [mode(each) for each in (path, path.parent, path.parent.parent)] == [
        0o600,
        0o700,
        0o700,
    ]


def test_a_file_of_ours_that_is_open_is_closed_and_keeps_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("kept")
    path.chmod(0o644)
    private_file(path)
    assert (mode(path), path.read_text()) == (0o600, "kept")


def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.touch()
    owner = path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(PrivateFileError, match=rf"{path} belongs to another user \(uid {owner}\)"):
        check_private(path)


def test_a_folder_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    status = os.stat_result((0o40700, 0, 0, 1, 4711, 0, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda *_, **__: status)
    with pytest.raises(PrivateFileError, match=r"belongs to another user \(uid 4711\)"):
        private_folder(folder)


@pytest.mark.parametrize(("bits", "allowed"), [(0o777, False), (0o770, False), (0o1777, True)])
def test_a_folder_where_others_may_put_files_is_refused_unless_it_is_sticky(
    tmp_path: Path, bits: int, allowed: bool
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(bits)
    if allowed:
        private_folder(folder)
    else:
        with pytest.raises(PrivateFileError, match="chmod go-w"):
            private_folder(folder)


def test_links_and_what_is_no_file_are_refused(tmp_path: Path) -> None:
    real, link, pipe = (tmp_path / name for name in ("real", "link", "pipe"))
    real.touch()
    link.symlink_to(real)
    os.mkfifo(pipe)
    with pytest.raises(PrivateFileError, match="is a link"):
        private_file(link)
    for path in (pipe, tmp_path):
        with pytest.raises(PrivateFileError, match="is not a file"):
            check_private(path)
    with pytest.raises(PrivateFileError, match="is not a folder"):
        private_folder(real)


def test_who_shares_a_folder_waits_for_its_turn(tmp_path: Path) -> None:
    other = os.open(tmp_path, os.O_RDONLY)
    try:
        with in_turn(tmp_path), pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(other)


def test_a_file_that_is_deleted_or_replaced_is_no_longer_there(tmp_path: Path) -> None:
    path, other = tmp_path / "file", tmp_path / "other"
    for each in (path, other):
        each.touch()
    inode = path.stat().st_ino
    assert is_at(path, inode)
    other.replace(path)
    assert not is_at(path, inode)
    path.unlink()
    assert not is_at(path, inode)


def test_a_file_that_is_not_there_cannot_be_checked(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        check_private(tmp_path / "none")


def test_a_file_that_is_its_owners_alone_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch(0o400)
    private_file(path)
    assert mode(path) == 0o400


def test_a_file_is_taken_by_one_at_a_time_and_free_when_that_one_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "state" / "file"
    held = taken(path)
    assert held is not None
    assert taken(path) is None
    assert mode(path.with_name("file.lock")) == 0o600
    os.close(held)
    again = taken(path)
    assert again is not None
    os.close(again)
