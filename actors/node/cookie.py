"""The cluster's cookie: the secret that the nodes of one cluster share, in a file.

As in Erlang, whoever knows the cookie may do anything in the cluster, so the file belongs to one
user: it is made with mode 0600 and refused if anybody else may read or change it. The nodes of
other machines get a copy of it.

Errors: `CookieError`, with a message for people that never shows the cookie.
"""

import contextlib
import os
import secrets
import stat
from pathlib import Path

LEAST_BYTES = 16
"""A shorter cookie could be guessed."""
MOST_BYTES = 4096
NEW_BYTES = 32


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
        cookie = file.read(MOST_BYTES + 1).strip()
    if not LEAST_BYTES <= len(cookie) <= MOST_BYTES:
        raise CookieError(
            f"the cookie in {path} has {len(cookie)} bytes;"
            f" it needs {LEAST_BYTES} to {MOST_BYTES}: remove the file to have a new one made"
        )
    return cookie


def ensure_cookie(path: Path) -> bytes:
    """The cookie in this file; a new one is made, with its folder, if there is no file.

    Of two processes that do this at the same time, both get the same cookie.
    """
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
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
