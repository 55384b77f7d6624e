"""The number of a caller, where the carrier tells it.

A carrier writes a word for a number that is withheld, or a number that spells it. All who withhold
theirs have that in common, so it names nobody, and nothing may be kept under it.

Pure. Errors: none. Source: Twilio, "Request parameters: From"; RFC 3323 and RFC 3325 (SIP).
"""

from __future__ import annotations

import re
from typing import Final

WITHHELD: Final = frozenset(
    (
        *("", "anonymous", "private", "restricted", "unavailable", "unknown", "withheld"),
        *("266696687", "+266696687"),
    )
)
"""What stands in the place of a number; the last two spell ANONYMOUS on the keys."""

_BETWEEN: Final = re.compile(
    r"[\s().\-\u2010-\u2015\u00a0/\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+"
)
"""Marks that nobody sees stand around numbers that are copied from an address book."""
_USER: Final = re.compile(r"(?:sips?:)?([^@;>]*)", re.IGNORECASE)


def told(number: str) -> str:
    """The number or the SIP address; empty where it is withheld.

    >>> told(" +14155550123"), told("Anonymous"), told("sip:anonymous@anonymous.invalid")
    ('+14155550123', '', '')
    """
    given = number.strip()
    user = _USER.match(given.lower())
    return "" if user is None or user[1].strip() in WITHHELD else given


def bare(number: str) -> str:
    """The number without what people and switches write between its digits; what is none, as it is.

    >>> bare(" +1 (415) 555-0123"), bare("sip:ann-lee@example.org")
    ('+14155550123', 'sip:ann-lee@example.org')
    """
    digits = _BETWEEN.sub("", number)
    is_number = digits.removeprefix("+").isdecimal() and digits.isascii()
    return digits if is_number else number.strip()


def is_address(number: str) -> bool:
    """Whether it can be a caller's: a telephone number, an extension, or a SIP address.

    >>> [is_address(one) for one in ("+1 415 555 0123", "1001", "sip:ann@example.org", "abc", "+")]
    [True, True, True, False, False]
    """
    plain = bare(number)
    user, at, host = plain.removeprefix("sips:").removeprefix("sip:").partition("@")
    return len(plain) >= 3 and (plain.removeprefix("+").isdecimal() or bool(user and at and host))
