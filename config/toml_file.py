"""Reads the TOML files that people write, and says in one way what cannot be read.

    text, table = read_toml(path)        a file
    table = table_of(text, "the agent")  a text; `where` it stands is for messages

Contract: reads a file: call it in a thread once the event loop has calls to carry.
Errors: `TomlError`, a `ValueError` whose text begins with the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aybiza.config.text_file import text_of

MARK = "\ufeff"


class TomlError(ValueError):
    """A file cannot be read, or is not TOML."""


def read_toml(path: Path, parse_float: Callable[[str], Any] = float) -> tuple[str, dict[str, Any]]:
    """The text of a file, and what it says. See the module."""
    text = text_of(path, TomlError)
    return text, table_of(text, str(path), parse_float)


def table_of(text: str, where: str, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
    """What a text says. See the module.

    >>> table_of("\\ufeffname = 'Desk'", "desk.toml")
    {'name': 'Desk'}
    """
    try:
        return tomllib.loads(text.removeprefix(MARK), parse_float=parse_float)
    except tomllib.TOMLDecodeError as error:
        raise TomlError(f"{where}: is not TOML: {error}") from None
    except RecursionError:
        raise TomlError(f"{where}: is not TOML that can be read: it is too deep") from None
    except ValueError as error:  # a number of more digits than Python reads, a day that is none
        raise TomlError(f"{where}: is not TOML that can be read: {error}") from None
