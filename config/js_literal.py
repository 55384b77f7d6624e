"""Object literals of JavaScript, as configurations are written in: data, and nothing is run.

    read_literal('const config = { name: "Desk", /* … */ tools: [`a`], };')   {'name': 'Desk', …}

JSON is such a literal, too. Taken are the first object in the text with its comments, unquoted
keys, strings in any quotes and commas behind the last member; anything that would have to be run (a
name, a call, `${…}`) is refused. Contract: pure. Errors: `ValueError` names the line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

MOST_BYTES: Final = 1_000_000

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)
    |(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    |(?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
    |(?P<mark>[{}\[\]:,])""",
    re.X | re.S,
)
_COLON = re.compile(r"\s*:")
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|\r\n|.)", re.S)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_WORDS: Final = {"true": "true", "false": "false", "null": "null", "undefined": "null"}
_CLOSES: Final = {"{": "}", "[": "]"}


def read_literal(text: str) -> dict[str, Any]:
    """See the module.

    >>> read_literal("x = {a: 'it\\\\'s', b: [1, 2,], // more\\n 'c d': true}")
    {'a': "it's", 'b': [1, 2], 'c d': True}
    """
    if len(text) > MOST_BYTES:
        raise ValueError(f"is longer than {MOST_BYTES} characters")
    start = text.find("{")
    if start < 0:
        raise ValueError("holds no object: no { is in it")
    try:
        found = json.loads("".join(_json(text, start)))
    except json.JSONDecodeError as error:
        raise ValueError(f"cannot be read: {error.msg}") from None
    except RecursionError:
        raise ValueError("is nested too deep") from None
    assert isinstance(found, dict)
    return found


def _json(text: str, at: int) -> Iterator[str]:
    """The tokens of the object that begins at `at`, as JSON writes them."""
    open_marks: list[str] = []
    comma = False
    while True:
        found = _TOKEN.match(text, at)
        if found is None:
            what = f"{text[at]!r} is no data" if at < len(text) else "ends in the middle"
            raise ValueError(f"{_line(text, at)}: {what}")
        at = found.end()
        if found["space"]:
            continue
        mark = found["mark"]
        if comma and mark not in ("}", "]"):
            yield ","
        comma = mark == ","
        if comma:
            continue
        if found["string"]:
            yield json.dumps(_string(found["string"], text, at))
        elif found["name"]:
            yield _name(found["name"], text, at)
        else:
            yield found[0]
        if mark in _CLOSES:
            open_marks.append(_CLOSES[mark])
        elif mark in ("}", "]"):
            if open_marks.pop() != mark:
                raise ValueError(f"{_line(text, at)}: {mark} closes nothing")
            if not open_marks:
                return


def _line(text: str, at: int) -> str:
    return f"line {text.count(chr(10), 0, at) + 1}"


def _name(name: str, text: str, at: int) -> str:
    if _COLON.match(text, at):
        return json.dumps(name)
    if name not in _WORDS:
        raise ValueError(f"{_line(text, at)}: {name} is no data: write its value")
    return _WORDS[name]


def _string(quoted: str, text: str, at: int) -> str:
    if quoted[0] == "`" and "${" in quoted:
        raise ValueError(f"{_line(text, at)}: ${{…}} is no data: write its value")
    return _ESCAPE.sub(_unescaped, quoted[1:-1])


def _unescaped(found: re.Match[str]) -> str:
    what = found[1]
    if what[0] in "ux" and len(what) > 1:
        return chr(int(what[1:], 16))
    return "" if what[0] in "\r\n" else _ESCAPED.get(what, what)
