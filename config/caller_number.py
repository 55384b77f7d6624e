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

_USER: Final = re.compile(r"(?:sips?:)?([^@;>]*)", re.IGNORECASE)


def told(number: str) -> str:
    """The number or the SIP address; empty where it is withheld.

    >>> told(" +14155550123"), told("Anonymous"), told("sip:anonymous@anonymous.invalid")
    ('+14155550123', '', '')
    """
    given = number.strip()
    user = _USER.match(given.lower())
    return "" if user is None or user[1].strip() in WITHHELD else given
