"""Elixir's rules of text and terms, where Python's differ and the specification's answers depend
on it.

Purpose: the specification's pure functions are ported with the same answers. Contract: all
functions are pure. Errors: none.
Source: Elixir `String.split/1`, `Regex` without the unicode flag, term ordering, truthiness.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# White space to `String.split/1`: Unicode's, without the no-break spaces and U+001C to U+001F.
_WHITE_SPACE = re.compile(
    "[\t\n\v\f\r \x85\u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000]+"
)


def truthy(value: object) -> bool:
    """Everything but nil and false: 0, "" and an empty list are true."""
    return value is not None and value is not False


def greater(value: object, limit: float) -> bool:
    """`value > limit` in term order: what is no number is greater than every number."""
    return value > limit if is_number(value) else True  # type: ignore[operator]


def less(value: object, limit: float) -> bool:
    """`value < limit` in term order."""
    return value < limit if is_number(value) else False  # type: ignore[operator]


def is_number(value: object) -> bool:
    """Whether Elixir would call it a number; booleans are atoms."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def words(text: str) -> list[str]:
    """`String.split/1`."""
    return [word for word in _WHITE_SPACE.split(text) if word]


def byte_patterns(*patterns: bytes) -> tuple[re.Pattern[bytes], ...]:
    """Patterns that ignore the case of ASCII letters and see UTF-8 bytes, as `~r/…/i` does."""
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)


def count_matching(patterns: Iterable[re.Pattern[bytes]], text: str) -> int:
    """How many of the patterns are found in the text."""
    encoded = text.encode("utf-8", "surrogatepass")
    return sum(pattern.search(encoded) is not None for pattern in patterns)
