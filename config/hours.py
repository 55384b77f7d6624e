"""Business hours: when an agent is there, by the day of the week.

    [hours]
    monday = ["09:00-12:30", "13:30-18:00"]
    friday = ["22:00-02:00"]          # to two in the morning of Saturday

A day that is not named is a day on which nobody is there. `is_open(hours, at)` goes by the clock of
`at`, which is the agent's (`zone`). Contract: pure. Errors: none; what a span may be says its type.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import BeforeValidator, Field

from aybiza.config.kinds import kind
from aybiza.config.shapes import shaped

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS: Final[tuple[Day, ...]] = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)


def _zone(name: object) -> object:
    """The zone of a name; of one that is none the nearest is told."""
    if isinstance(name, ZoneInfo):
        return name
    if not isinstance(name, str):
        raise ValueError(f"must be a text, not {kind(name)}")
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        near = difflib.get_close_matches(name, available_timezones(), n=1, cutoff=0.5)
    meant = f"; did you mean {near[0]}?" if near else ", such as Europe/Berlin"
    raise ValueError(f"is no time zone as the IANA names them{meant}")


_TIME: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]"
Span = Annotated[
    str, shaped(rf"{_TIME}-({_TIME}|24:00)", "from one time of day to another, such as 09:00-17:30")
]
"""From a time to a time of day; one that ends before it begins ends on the next day."""
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]
"""A time zone, as the IANA names it."""
Hours = dict[Day, Annotated[tuple[Span, ...], Field(max_length=10, strict=False)]]


def is_open(hours: Mapping[Day, Sequence[str]], at: datetime) -> bool:
    """See the module; without any hours always.

    >>> is_open({"monday": ["09:00-17:00"]}, datetime(2026, 1, 5, 12, 0))
    True
    >>> is_open({"monday": ["09:00-17:00"]}, datetime(2026, 1, 6, 12, 0))
    False
    """
    if not hours:
        return True
    today, before = DAYS[at.weekday()], DAYS[(at.weekday() - 1) % 7]
    now = at.strftime("%H:%M")
    return any(
        start <= now and (now < end or end <= start) for start, end in _spans(hours.get(today, ()))
    ) or any(end <= start and now < end for start, end in _spans(hours.get(before, ())))


def _spans(spans: Sequence[str]) -> list[tuple[str, str]]:
    return [(span[:5], span[6:]) for span in spans]
