"""The cluster's cookie: the secret that the nodes of one cluster share, in a file.

As in Erlang, whoever knows the cookie may do anything in the cluster, so the file belongs to one
user: it is made with mode 0600 and refused if anybody else may read or change it, and if it can be
guessed. The nodes of other machines get a copy of it.

The file may hold several cookies, one a line. The first one is shown to others; all of them are
taken from others. So a cookie is changed while the cluster runs, each step on all machines, with a
restart of each (`aybiza node drain` keeps its calls), before the next step:

    1. the new cookie is added as the file's second line
    2. the new one is put first
    3. the old one is taken out

Errors: `CookieError`, with a message for people that never shows the cookie.
"""

import contextlib
import math
import os
import re
import secrets
import stat
from collections import Counter
from itertools import pairwise
from pathlib import Path

from aybiza.config.placeholders import is_placeholder
from aybiza.config.private_files import private_folder

LEAST_BYTES = 16
"""A shorter cookie could be guessed."""
MOST_BYTES = 4096
NEW_BYTES = 32
MOST_COOKIES = 2
"""Cookies that a file holds: one, and another while it is changed."""
LEAST_BITS = 40.0
"""A cookie whose bytes tell of less could be guessed off line."""


_TRIED_FIRST = re.compile(
    rb"passw(?:or|0r)?d|secret|qwerty|letmein|welcome|admin|default|example|aybiza",
    re.IGNORECASE,
)


class CookieError(Exception):
    """The cookie cannot be used; the message says why and what to do."""


def read_cookie(path: Path) -> bytes:
    """The cookie in this file, without white space around it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise CookieError(
            f"there is no cookie file {path}: `aybiza run` makes it on its first start; a node of"
            " another machine needs a copy (--cookie-file, AYBIZA_COOKIE_FILE)"
        ) from None
    except OSError as error:
        raise CookieError(f"the cookie file {path} cannot be read: {error.strerror}") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise CookieError(f"the cookie file {path} is not a file")
    with open(descriptor, "rb") as file:
        if status.st_uid not in (os.geteuid(), 0):
            raise CookieError(f"the cookie file {path} belongs to another user")
        if status.st_mode & 0o077:
            raise CookieError(
                f"the cookie file {path} is open to others (mode {status.st_mode & 0o777:04o});"
                f" close it with: chmod 600 {path}"
            )
        cookies = lines(file.read(MOST_COOKIES * MOST_BYTES + 1))
    if len(cookies) > MOST_COOKIES:
        raise CookieError(
            f"the cookie file {path} has {len(cookies)} lines: it holds a cookie, and at most"
            f" {MOST_COOKIES} while one is changed"
        )
    for cookie in cookies:
        _check(path, cookie)
    return b"\n".join(cookies)


def lines(cookie: bytes) -> list[bytes]:
    """The cookies of a file, in their order: the first one is shown, all are taken.

    >>> lines(b"the new one \\n\\nthe old one\\n")
    [b'the new one', b'the old one']
    """
    return [line.strip() for line in cookie.split(b"\n") if line.strip()] or [b""]


def _check(path: Path, cookie: bytes) -> None:
    """Raise CookieError if this one cannot be used."""
    if not LEAST_BYTES <= len(cookie) <= MOST_BYTES:
        raise CookieError(
            f"the cookie in {path} has {len(cookie)} bytes;"
            f" it needs {LEAST_BYTES} to {MOST_BYTES}: remove the file to have a new one made"
        )
    if is_placeholder(cookie.decode(errors="replace")):
        raise CookieError(
            f"the cookie in {path} is still the placeholder of a shipped file: put your own there,"
            f" such as the output of: openssl rand -hex {NEW_BYTES}"
        )
    if strength(cookie) < LEAST_BITS:
        raise CookieError(
            f"the cookie in {path} can be guessed: it repeats itself or is a row; take the output"
            f" of: openssl rand -hex {NEW_BYTES}"
        )


def strength(cookie: bytes) -> float:
    """Bits of guessing that a cookie is worth at most, as far as its bytes tell.

    The entropy of its bytes and that of their differences, so that neither `aaaa…` nor `abcd…` is
    worth anything; a cookie that repeats a shorter one is worth the shorter one, and words that
    everybody tries are worth nothing.
    """
    rare = _TRIED_FIRST.sub(b"", cookie)
    once = rare[: (rare + rare).find(rare, 1)]
    steps = bytes((after - before) % 256 for before, after in pairwise(once))
    return min(_entropy(once), _entropy(steps))


def _entropy(symbols: bytes) -> float:
    if not symbols:
        return 0.0
    counts = Counter(symbols).values()
    return -sum(count * math.log2(count / len(symbols)) for count in counts)


def ensure_cookie(path: Path) -> bytes:
    """The cookie in this file; a new one is made, with its folder, if there is no file.

    Of two processes that do this at the same time, both get the same cookie.
    """
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            private_folder(path.parent)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                with open(descriptor, "w") as file:
                    file.write(secrets.token_urlsafe(NEW_BYTES) + "\n")
                    file.flush()
                    os.fsync(descriptor)
                with contextlib.suppress(FileExistsError):  # then another process was first
                    os.link(draft, path)
            finally:
                draft.unlink()
        except OSError as error:
            raise CookieError(f"the cookie file {path} cannot be made: {error.strerror}") from None
    return read_cookie(path)
