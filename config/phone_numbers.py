"""Telephone numbers that are to be called: whether one can be, and what time it is there.

    called("+1 415-555-2671")     Called("+14155552671", ("America/Los_Angeles",), "US")

A number with several possible zones has all of them: who calls it goes by every one. The tables
are those of Google's libphonenumber, in the extra `outbound`. The first number of a country reads
its table, 10 to 40 ms: call it in a thread once the event loop has calls to carry.

Errors: `NumberError` says what is wrong with a number; `NumbersMissing` that the package is not
installed.
Source: ITU-T E.164; libphonenumber, `PhoneNumberUtil` and `PhoneNumberToTimeZonesMapper`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aybiza.config.caller_number import bare

INSTALL: Final = "calls are placed with the package phonenumbers: pip install 'aybiza[outbound]'"
_SHOWN: Final = 20


class NumberError(ValueError):
    """Nobody can be called at this; the text says why."""


class NumbersMissing(Exception):
    """The extra `outbound` is not installed."""

    def __init__(self) -> None:
        super().__init__(INSTALL)


@dataclass(frozen=True, slots=True)
class Called:
    """A number as E.164 writes it, the IANA names of the zones it may be in, and its country, two
    letters or ""."""

    number: str
    zones: tuple[str, ...]
    country: str = ""


def is_installed() -> bool:
    """Whether the extra `outbound` is there."""
    return find_spec("phonenumbers") is not None


def called(text: str) -> Called:
    """See the module. Raises NumberError, NumbersMissing.

    >>> called("+49 30 12345678").zones
    ('Europe/Berlin',)
    >>> called("+1 555 0100")
    Traceback (most recent call last):
    ...
    aybiza.config.phone_numbers.NumberError: '+15550100' is no number that can be called
    """
    try:
        import phonenumbers
        from phonenumbers import timezone
    except ImportError:
        raise NumbersMissing from None
    plain = bare(text)
    shown = repr(plain if len(plain) <= _SHOWN else f"{plain[:_SHOWN]}…")
    if not plain.startswith("+"):
        raise NumberError(f"{shown}: write it with its country, such as +14155552671")
    try:
        parsed = phonenumbers.parse(plain, None)
    except phonenumbers.NumberParseException:
        raise NumberError(f"{shown} is no telephone number") from None
    if not phonenumbers.is_valid_number(parsed):
        raise NumberError(f"{shown} is no number that can be called")
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    zones = timezone.time_zones_for_number(parsed)
    known = tuple(name for name in zones if name != timezone.UNKNOWN_TIMEZONE)
    for name in known:
        zone(name)
    return Called(number, known, phonenumbers.region_code_for_number(parsed) or "")


@cache
def zone(name: str) -> ZoneInfo | None:
    """The zone of this name; None where this machine does not know it. Reads a file at its first
    use, which is when a number in it is read.

    >>> zone("Europe/Berlin"), zone("Nowhere/None")
    (zoneinfo.ZoneInfo(key='Europe/Berlin'), None)
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None
