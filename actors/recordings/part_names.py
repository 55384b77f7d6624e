"""The names of recordings: whose one is, when it began, when it is to be deleted. Pure.

    call_name(call_id)   a call's id as the first part of a name
    began(path)          unix milliseconds
    expires(path)        unix time; 0: never; -1: it is no recording

A name is `CALL.BEGAN.EXPIRES` and an ending, on a shelf and in a bucket alike. Errors: `began` of
what is no recording raises `IndexError` or `ValueError`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final
from urllib.parse import quote

WAV: Final = ".wav"
SEALED: Final = ".sealed"
_MOST_NAME: Final = 180


def call_name(call_id: str) -> str:
    """See the module. It has no dot, no slash, and nothing that a pattern reads; no two calls have
    the same."""
    name = quote(call_id, safe="").replace(".", "%2E").replace("~", "%7E")
    if len(name) <= _MOST_NAME:
        return name
    digest = hashlib.sha256(call_id.encode()).hexdigest()
    return f"{name[: _MOST_NAME - len(digest) - 1]}-{digest}"


def began(path: Path) -> int:
    """See the module."""
    return int(path.stem.split(".")[1])


def expires(path: Path) -> int:
    """See the module."""
    if path.suffix not in (WAV, SEALED):
        return -1
    match path.stem.split("."):
        case [_, start, end] if start.isdecimal() and end.isdecimal():
            return int(end)
    return -1
