r"""Shapes of texts: what a value of a file has to look like, and the same in words for people.

    Key = Annotated[str, shaped("[0-9*#]", "one key of a telephone: 0 to 9, * or #")]

A pattern tells nobody what to write, so it is not what a message shows.

Contract: the whole text has to fit. Errors: `ValueError` in pydantic's errors.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from pydantic import AfterValidator

_UNSPOKEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def shaped(pattern: str, words: str) -> AfterValidator:
    """See the module.

    >>> from pydantic import TypeAdapter
    >>> from typing import Annotated
    >>> TypeAdapter(Annotated[str, shaped("[0-9]", "a digit")]).validate_python("7")
    '7'
    """
    return AfterValidator(partial(_fits, re.compile(pattern), words))


def _fits(pattern: re.Pattern[str], words: str, text: str) -> str:
    if pattern.fullmatch(text) is None:
        raise ValueError(f"must be {words}")
    return text


def _readable(text: str) -> str:
    if (found := _UNSPOKEN.search(text)) is not None:
        raise ValueError(f"has a control character, {found[0]!r}, which nobody can say or show")
    return text


READABLE: Final = AfterValidator(_readable)
"""A text without control characters: a carrier refuses the whole call for one in its XML."""
