"""The cookie file."""

import multiprocessing
import os
from pathlib import Path

import pytest

from aybiza.actors.node.cookie import MOST_BYTES, CookieError, ensure_cookie, read_cookie


def test_a_first_start_makes_a_file_that_is_the_users_own(tmp_path: Path) -> None:
    path = tmp_path / "state" / "cookie"
    cookie = ensure_cookie(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["cookie"]
    assert read_cookie(path) == ensure_cookie(path) == cookie
    assert len(cookie) >= 32


def test_each_first_start_makes_another_cookie(tmp_path: Path) -> None:
    assert ensure_cookie(tmp_path / "one") != ensure_cookie(tmp_path / "other")


def test_processes_that_start_at_once_get_the_same_cookie(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert len(set(pool.map(ensure_cookie, [tmp_path / "cookie"] * 20))) == 1


def test_white_space_around_a_cookie_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "cookie"
    path.write_text("  0123456789abcdef\n")
    path.chmod(0o600)
    assert read_cookie(path) == b"0123456789abcdef"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_may_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "cookie"
    cookie = ensure_cookie(path)
    path.chmod(mode)
    with pytest.raises(CookieError, match=f"chmod 600 {path}") as refusal:
        read_cookie(path)
    assert cookie.decode() not in str(refusal.value)


@pytest.mark.parametrize("content", [b"", b"short", b"x" * (MOST_BYTES + 1)])
def test_a_cookie_of_another_length_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cookie"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(CookieError, match="it needs 16 to 4096"):
        ensure_cookie(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    for path in (tmp_path, fifo):
        with pytest.raises(CookieError, match=r"is not a file|cannot be read"):
            read_cookie(path)


def test_a_missing_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CookieError, match="makes it on its first start"):
        read_cookie(tmp_path / "cookie")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CookieError, match="cannot be made"):
        ensure_cookie(tmp_path / "file" / "cookie")
