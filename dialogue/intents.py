"""What a turn of the caller is about, by an agent's table of words.

    intent("I want to book a table.", {"booking": ["book", "reserve"]})     "booking"

Words are found whole and whatever their case; of several rows the first that fits counts.

Contract: pure. Errors: none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+")


def intent(text: str, table: Mapping[str, Sequence[str]]) -> str:
    """See the module; "" where no row fits.

    >>> intent("A TABLE, please!", {"menu": ["what is there"], "booking": ["a table"]})
    'booking'
    >>> intent("Is it bookish?", {"booking": ["book"]})
    ''
    """
    said = f" {bare(text)} "
    for name, words in table.items():
        if any(f" {bare(word)} " in said for word in words):
            return name
    return ""


def bare(text: str) -> str:
    """The words of a text, in small letters, a space between two.

    >>> bare("Well, I'd like THAT.")
    'well i d like that'
    """
    return " ".join(_WORD.findall(text.casefold()))
