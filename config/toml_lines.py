"""Where in a TOML file a value stands, for messages: `tomllib` tells values and no lines.

    line_of(text, ("routes", "sales", "numbers", 0))     the number of its line, from 1; None
    placed("routes.toml", text, ("routes", "sales"))     routes.toml:3, or without a line

Contract: pure; `text` is TOML that `tomllib` has read. An item of an array, or a value of an inline
table, has the line of the key that it stands behind. Errors: none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

Path = tuple[Any, ...]

_PART = re.compile(r"\s*(?:\"((?:[^\"\\]|\\.)*)\"|'([^']*)'|([A-Za-z0-9_-]+))\s*(\.|$)")
_HEADER = re.compile(r"\s*(\[\[?)(.*?)\]\]?\s*(?:#.*)?$")
# In one way only, or a line that is no key is tried in all ways there are.
_ONE = r"(?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|[A-Za-z0-9_-]+)"
_KEY = re.compile(rf"\s*({_ONE}(?:\s*\.\s*{_ONE})*)\s*=")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""+|\'\'\'.*?\'\'\'+|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*', re.S
)


def line_of(text: str, path: Sequence[Any]) -> int | None:
    """See the module. Of a table that has no line of its own its first part is told, of a path that
    leads nowhere the nearest table that is there.

    >>> line_of('name = "a"\\n\\n[routes.x]\\nagent = 5\\n', ("routes", "x", "agent"))
    4
    >>> line_of('name = "a"\\n\\n[routes.x]\\nagent = 5\\n', ("routes", "x", "tenant"))
    3
    >>> line_of('name = "a"\\n\\n[routes.x]\\nagent = 5\\n', ("routes",))
    3
    """
    wanted = tuple(path)
    best, line = (0, False), None
    for number, found in _places(text):
        shared = next(
            (
                at
                for at, (one, other) in enumerate(zip(wanted, found, strict=False))
                if one != other
            ),
            min(len(wanted), len(found)),
        )
        # Beside a table's own line, that of what stands in it is the farther one.
        rank = (shared, shared == len(found))
        if shared and rank > best:
            best, line = rank, number
    return line


def placed(file: object, text: str, path: Sequence[Any]) -> str:
    """The file and the line, as messages begin.

    >>> placed("quotas.toml", "[default]\\ncall = 1", ("default", "call"))
    'quotas.toml:2'
    >>> placed("quotas.toml", "", ("default", "call"))
    'quotas.toml'
    """
    line = line_of(text, path)
    return f"{file}:{line}" if line else f"{file}"


def _places(text: str) -> Iterator[tuple[int, Path]]:
    """The paths of all tables and keys with their lines."""
    table: Path = ()
    arrays: dict[Path, int] = {}
    depth = 0
    for number, line in enumerate(_bare(text), 1):
        if depth == 0:
            header, key = _HEADER.match(line), _KEY.match(line)
            if header is not None:
                table = _table(_parts(header[2]), header[1] == "[[", arrays)
                yield number, table
                continue
            if key is not None:
                yield number, table + _parts(key[1])
        plain = _STRING.sub("", line)
        depth += sum(map(plain.count, "[{")) - sum(map(plain.count, "]}"))


def _table(parts: Path, is_array: bool, arrays: dict[Path, int]) -> Path:
    """The path of a table, with the index that it has in each array of tables on the way."""
    path: Path = ()
    for at, part in enumerate(parts):
        path += (part,)
        if is_array and at == len(parts) - 1:
            arrays[path] = arrays.get(path, -1) + 1
        if path in arrays:
            path += (arrays[path],)
    return path


def _parts(key: str) -> Path:
    parts: Path = ()
    at = 0
    while at < len(key) and (found := _PART.match(key, at)) is not None:
        parts += (next(part for part in found.groups()[:3] if part is not None),)
        at = found.end()
    return parts


def _bare(text: str) -> list[str]:
    """The lines, with what stands in strings over several lines left out."""
    return _STRING.sub(_flat, text).split("\n")


def _flat(found: re.Match[str]) -> str:
    return "''" + "\n" * found[0].count("\n") if "\n" in found[0] else found[0]
