"""`finite`: a number that others have sent, as a float.

JSON and TOML know integers of any length, and Python's parsers take NaN and Infinity; to reckon
with either raises or spreads. Errors: none.
"""

from __future__ import annotations

import math


def finite(value: object) -> float | None:
    """The number as a float; None for what is none, is not finite, or has no place in a float.

    >>> [finite(1), finite(True), finite("1"), finite(float("nan")), finite(10**400)]
    [1.0, None, None, None, None]
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
