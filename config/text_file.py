"""Reads the text files that people write, and says in one way why one cannot be read.

    text = text_of(path, TomlError)      what cannot be read is raised as this error
    data = bytes_of(path, 1_000)         as it stands there; at most so many bytes and one more

A byte-order mark, as some editors write it, is passed over. What never ends is not read to its end,
and a pipe, at which one would wait for somebody to write, is no file.

Contract: reads a file: call it in a thread once the event loop has calls to carry.
Errors: of `text_of` the one that is handed in, with a text that begins with the file; of `bytes_of`
OSError.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 16_000_000
"""Of a file; nobody writes a longer one by hand."""


def bytes_of(path: Path, most: int) -> bytes:
    """The first bytes of a file; see the module."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        kind = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(kind):
            raise OSError(errno.EINVAL, "it is no file")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(most + 1)
    finally:
        os.close(descriptor)


def text_of(path: Path, wrong: Callable[[str], Exception]) -> str:
    """What stands in a file. See the module."""
    try:
        data = bytes_of(path, MOST_BYTES)
    except OSError as error:
        raise wrong(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > MOST_BYTES:
        raise wrong(f"{path}: is larger than {MOST_BYTES // 1_000_000} MB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise wrong(f"{path}: is not UTF-8 text, in line {line}: save it as UTF-8") from None
    # A line ends in one way, as in a file that is opened for text.
    return text.replace("\r\n", "\n").replace("\r", "\n")
