"""Reads the text files that people write, and says in one way why one cannot be read.

    text = text_of(path, TomlError)      what cannot be read is raised as this error

A byte-order mark, as some editors write it, is passed over. What never ends is not read to its end.

Contract: reads a file: call it in a thread once the event loop has calls to carry.
Errors: the one that is handed in, with a text that begins with the file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 16_000_000
"""Of a file; nobody writes a longer one by hand."""


def text_of(path: Path, wrong: Callable[[str], Exception]) -> str:
    """What stands in a file. See the module."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise wrong(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > MOST_BYTES:
        raise wrong(f"{path}: is larger than {MOST_BYTES // 1_000_000} MB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise wrong(f"{path}: is not UTF-8 text") from None
    # A line ends in one way, as in a file that is opened for text.
    return text.replace("\r\n", "\n").replace("\r", "\n")
