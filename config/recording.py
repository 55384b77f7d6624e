"""How calls of an agent are recorded: the table `[recording]` of its file.

    manner(recording, "+4930123456")     "agreed": this caller has to say yes

Where callers need only be told, and where they have to agree, is a table (`recording.toml`) by the
beginning of the caller's number; the longest that fits counts, of the file's own rows and those
here. A number that is withheld, or that no row fits, has to agree.

Reads a file at its first use: call it before the event loop has calls to carry. Errors: none.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel

from aybiza.config.shapes import shaped
from aybiza.config.tables import TABLE

FILE: Final = Path(__file__).with_name("recording.toml")

Manner: TypeAlias = Literal["told", "agreed"]
Beginning = Annotated[
    str, shaped(r"\+[1-9][0-9]{0,14}", "the beginning of a number with its country, such as +49")
]


class Recording(BaseModel):
    """See the module."""

    model_config = TABLE

    consent: Literal["by_number", "told", "agreed"] = "by_number"
    """What a recording waits for: that the notice was heard to its end, that the caller has said
    yes, or which of the two the caller's number asks for."""
    key: Annotated[str, shaped("[0-9*#]", "one key: 0 to 9, * or #")] | None = None
    """This key, alone, agrees too, where callers have to: say so in `recording_question`."""
    by_number: dict[Beginning, Manner] = {}
    """Rows of your own for the table, such as `"+49" = "told"`."""


@cache
def shipped() -> Mapping[str, Manner]:
    """The rows of this package."""
    rows: dict[str, Manner] = tomllib.loads(FILE.read_text(encoding="utf-8"))["by_number"]
    return MappingProxyType(rows)


def manner(recording: Recording, caller: str) -> Manner:
    """See the module. `caller`: the number as E.164 writes it, "" if it is withheld.

    >>> manner(Recording(), "+14155550100"), manner(Recording(), "")
    ('told', 'agreed')
    >>> manner(Recording(by_number={"+1415": "agreed"}), "+14155550100")
    'agreed'
    """
    if recording.consent != "by_number":
        return recording.consent
    rows = {**shipped(), **recording.by_number}
    fits = [beginning for beginning in rows if caller.startswith(beginning)]
    return rows[max(fits, key=len)] if fits else "agreed"
