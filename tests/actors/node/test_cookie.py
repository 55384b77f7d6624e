"""The cookie file."""

import multiprocessing
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from aybiza.actors.node.cookie import (
    LEAST_BITS,
    MOST_BYTES,
    CookieError,
    ensure_cookie,
    lines,
    read_cookie,
    strength,
)


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
    path.write_text("  7f3a91c04be8d625\n")
    path.chmod(0o600)
    assert read_cookie(path) == b"7f3a91c04be8d625"


def test_a_file_may_hold_a_second_cookie_while_one_is_changed(tmp_path: Path) -> None:
    one, two, three = (secrets.token_hex(16) for _ in range(3))
    path = tmp_path / "cookie"
    path.write_text(f"{two}\n\n {one} \n")
    path.chmod(0o600)
    assert lines(read_cookie(path)) == [two.encode(), one.encode()]
    path.write_text(f"{three}\n{two}\n{one}\n")
    with pytest.raises(CookieError, match="has 3 lines") as refusal:
        read_cookie(path)
    assert not any(each in str(refusal.value) for each in (one, two, three))
    path.write_text(f"{two}\naaaaaaaaaaaaaaaaaaaaaaaaa\n")
    with pytest.raises(CookieError, match="can be guessed"):
        read_cookie(path)


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


@pytest.mark.parametrize(
    "cookie",
    [
        "a" * 64,
        "0123456789abcdef",
        "abcdefghijklmnopqrstuvwxyz",
        "12345678901234567890",
        "password12345678",
        "passwordpassword",
        "abcabcabcabcabcabcabc",
    ],
)
def test_a_cookie_that_can_be_guessed_is_refused_and_not_shown(tmp_path: Path, cookie: str) -> None:
    path = tmp_path / "file"
    path.write_text(cookie)
    path.chmod(0o600)
    with pytest.raises(CookieError, match="can be guessed") as refusal:
        ensure_cookie(path)
    assert cookie not in str(refusal.value)


def test_a_placeholder_of_a_shipped_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "cookie"
    path.write_text("set-me-to-the-output-of-openssl-rand-hex-32")
    path.chmod(0o600)
    with pytest.raises(CookieError, match="placeholder of a shipped file"):
        read_cookie(path)


@pytest.mark.parametrize("make", [secrets.token_hex, secrets.token_urlsafe])
def test_no_cookie_by_chance_is_taken_for_a_guess(make: Callable[[int], str]) -> None:
    assert all(strength(make(16).encode()) > LEAST_BITS for _ in range(500))
