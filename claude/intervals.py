"""How sure a figure is: percentiles, and intervals that hold in 95 of 100 cases. Pure.

    >>> percentile([1.0, 2.0, 3.0, 4.0], 50)
    2.0
    >>> share_interval(8, 10)
    (0.4902, 0.9433)

Errors: none; of nothing, there is nothing to say (None).
Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference" (1927);
the mean's interval is the normal one, for samples of `ENOUGH` and more.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Final

Z: Final = 1.959964
ENOUGH: Final = 20
"""Of fewer values a mean's interval says too little."""


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The least of the values that so many are not above."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def share_interval(hits: int, of: int) -> tuple[float, float] | None:
    """Between which shares the true one lies (Wilson's score)."""
    if not of:
        return None
    share, square = hits / of, Z * Z
    middle = share + square / (2 * of)
    spread = Z * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    low, high = ((middle + sign * spread) / (1 + square / of) for sign in (-1, 1))
    return round(max(0.0, low), 4), round(min(1.0, high), 4)


def mean_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Between which values the true mean lies; None of fewer than `ENOUGH`."""
    if len(values) < ENOUGH:
        return None
    mean = statistics.fmean(values)
    spread = Z * statistics.stdev(values) / math.sqrt(len(values))
    return mean - spread, mean + spread
