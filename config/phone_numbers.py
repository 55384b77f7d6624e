"""Telephone numbers that are to be called: whether one can be, and what time it is there.

    called("+1 415-555-2671")     Called("+14155552671", ("America/Los_Angeles",), "US")

A number with several possible zones has all of them: who calls it goes by every one. One that
costs whoever calls it a price of its owner's (premium rate, shared cost, a pager) is refused: such
numbers get onto lists of people so that somebody earns by the calls. The tables
are those of Google's libphonenumber, in the extra `outbound`. The first number of a country reads
its table, 10 to 40 ms: call it in a thread once the event loop has calls to carry.

Errors: `NumberError` says what is wrong with a number; `NumbersMissing` that the package is not
installed.
Source: ITU-T E.164; libphonenumber, `PhoneNumberUtil` and `PhoneNumberToTimeZonesMapper`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aybiza.config.caller_number import bare

INSTALL: Final = "calls are placed with the package phonenumbers: pip install 'aybiza[outbound]'"
_SHOWN: Final = 20
_DEAR: Final = ("PREMIUM_RATE", "SHARED_COST", "PAGER", "VOICEMAIL")
"""Kinds of numbers, as libphonenumber names them, at which no people are to be reached."""
_ONCE: Final = {52: "1", 54: "9"}
"""What stood, or may stand, between a country and its mobile numbers."""


class NumberError(ValueError):
    """Nobody can be called at this; the text says why."""


class NumbersMissing(Exception):
    """The extra `outbound` is not installed."""

    def __init__(self) -> None:
        super().__init__(INSTALL)


@dataclass(frozen=True, slots=True)
class Called:
    """A number as E.164 writes it, the IANA names of the zones it may be in, and its country, two
    letters or "". `also`: how else people write it behind its country, such as +49030… for
    +4930…, so that it is found on lists that nobody has checked."""

    number: str
    zones: tuple[str, ...]
    country: str = ""
    also: tuple[str, ...] = field(default=(), compare=False, repr=False)


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
    kind = phonenumbers.number_type(parsed)
    if any(kind == getattr(phonenumbers.PhoneNumberType, dear) for dear in _DEAR):
        raise NumberError(f"{shown} is called at a price of its own, and reaches no people")
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    zones = timezone.time_zones_for_number(parsed)
    known = tuple(name for name in zones if name != timezone.UNKNOWN_TIMEZONE)
    for name in known:
        zone(name)
    country = phonenumbers.region_code_for_number(parsed) or ""
    also = tuple(dict.fromkeys(each for each in _also(parsed, country) if each != number))
    return Called(number, known, country, also)


def _also(parsed: Any, country: str) -> Iterator[str]:
    """The number as it is dialled within its country, behind the country's code."""
    import phonenumbers

    code = f"+{parsed.country_code}"
    own = phonenumbers.national_significant_number(parsed)
    prefix = phonenumbers.ndd_prefix_for_region(country, True) or ""
    yield code + prefix + own
    once = _ONCE.get(parsed.country_code, "")
    yield from (code + once + own, code + own.removeprefix(once))
    # A zero that belongs to the number is left out by who takes it for a prefix.
    yield code + own.lstrip("0")


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
