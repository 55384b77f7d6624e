"""Reads the TOML files that people write, and says in one way what cannot be read.

    text, table = read_toml(path)        a file
    table = table_of(text, "the agent")  a text; `where` it stands is for messages

A key of more than `MOST_PARTS` parts (`a.b.c`) is refused ahead of all else: of one of 80,000
`tomllib` keeps every beginning, which takes gigabytes.

Contract: reads a file: call it in a thread once the event loop has calls to carry.
Errors: `TomlError`, a `ValueError` whose text begins with the file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from aybiza.config.text_file import text_of

MARK = "\ufeff"
MOST_PARTS: Final = 100

# What holds dots that part no key, a dot, and what no key goes over. A string without an end goes
# on to that of the text, or each of its quotes would look for one anew.
_PIECE: Final = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""+|\Z)|\'\'\'.*?(?:\'\'\'+|\Z)'
    r'|"(?:[^"\\\n]|\\.)*"?|\'[^\'\n]*\'?|#[^\n]*'
    r"|(?P<dot>\.)|(?P<end>[=,\[\]{}\n])",
    re.S,
)


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
    _check_keys(text, where)
    try:
        return tomllib.loads(text.removeprefix(MARK), parse_float=parse_float)
    except tomllib.TOMLDecodeError as error:
        raise TomlError(f"{where}: is not TOML: {error}{_advice(text, str(error))}") from None
    except RecursionError:
        raise TomlError(f"{where}: is not TOML that can be read: it is too deep") from None
    except ValueError as error:  # a number of more digits than Python reads, a day that is none
        raise TomlError(f"{where}: is not TOML that can be read: {error}") from None


_AT: Final = re.compile(r"at line (\d+)")
_YAML: Final = re.compile(r"\s*([A-Za-z_][\w-]*):(?:\s|$)")
_OWN_KEY: Final = re.compile(r"\s*([^=\[\]#]*?)\s*=|\s*(\[\[?.*?\]\]?)")


def _advice(text: str, error: str) -> str:
    """What to do about a text that is no TOML, where that can be told."""
    lines = text.split("\n")
    at = _AT.search(error)
    line = lines[int(at[1]) - 1 if at else -1]
    key = next(filter(None, found.groups()), "") if (found := _OWN_KEY.match(line)) else ""
    if text.lstrip().startswith("{"):
        return '; that looks like JSON: write name = "…", a key a line'
    if (yaml := _YAML.match(line)) is not None:
        return f"; write {yaml[1]} = …, where YAML has a colon"
    if key and error.startswith(("Cannot overwrite", "Cannot declare")):
        return f"; {key} stands there twice: leave one out"
    if error.startswith(("Illegal character", "Unterminated")):
        return "; a text in quotes ends on its line, one in three quotes goes over several"
    return "; a text stands in quotes" if error.startswith("Invalid value") else ""


def _check_keys(text: str, where: str) -> None:
    if all(line.count(".") < MOST_PARTS for line in text.split("\n")):
        return
    dots = 0
    for piece in _PIECE.finditer(text):
        if piece["dot"]:
            dots += 1
        elif piece["end"]:
            dots = 0
        if dots >= MOST_PARTS:
            line = text.count("\n", 0, piece.start()) + 1
            raise TomlError(f"{where}:{line}: a key has more than {MOST_PARTS} parts")
