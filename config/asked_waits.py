"""How long a service asks to be left alone: the `Retry-After` of its answers.

    asked_wait(response.headers)               seconds, 0.0 where it says nothing of the kind
    pause = Pause(); pause.told(headers, now); pause.left(now)

A number of seconds is taken as it is, a date as what lies between it and the answer's own `Date`:
the service's clock tells both. `retry-after-ms`, which chat services have, goes first. Whoever goes
by it has a bound of their own, for a caller waits; nobody is asked for more than `MOST_SECONDS`.

Contract: pure; names of headers in any case. Errors: none: what cannot be understood says nothing.
Source: RFC 9110, section 10.2.3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

MOST_SECONDS: Final = 600.0
_LONGEST: Final = 40
"""Characters of what is looked at; a date has 29."""


def asked_wait(headers: Mapping[str, str]) -> float:
    """See the module.

    >>> asked_wait({"Retry-After": "2"}), asked_wait({"retry-after-ms": "250"}), asked_wait({})
    (2.0, 0.25, 0.0)
    """
    told = {name.lower(): value for name, value in headers.items()}
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        seconds = _number(told.get(name, "")) * unit
        if seconds:
            return min(seconds, MOST_SECONDS)
    apart = _unix(told.get("retry-after", "")) - _unix(told.get("date", ""))
    return min(apart, MOST_SECONDS) if apart > 0 else 0.0


class Pause:
    """Until when a service is left alone. `most`: no longer than so many seconds."""

    def __init__(self, most: float = MOST_SECONDS) -> None:
        self._most = most
        self._until = -math.inf

    def told(self, headers: Mapping[str, str], now: float) -> float:
        """An answer that refuses has these headers; the seconds that are kept to."""
        seconds = min(asked_wait(headers), self._most)
        if seconds:
            self._until = max(self._until, now + seconds)
        return seconds

    def left(self, now: float) -> float:
        """Seconds until it may be asked again."""
        return max(0.0, self._until - now)


def _number(text: str) -> float:
    text = text.strip()
    # Digits and a point: no sign, no exponent, and not what Python takes for infinite.
    plain = len(text) <= _LONGEST and text.isascii() and text.replace(".", "", 1).isdigit()
    return float(text) if plain else 0.0


def _unix(text: str) -> float:
    """The time of a date; NaN for what is none, which is nearer than nothing."""
    if len(text) > _LONGEST:
        return math.nan
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return math.nan
