"""Turns of two kinds, measured in rounds that alternate: what else the machine does tells on both.

    compared = Compared()
    compared.without.append([12.1, 12.9])       a round without what is asked about
    compared.beside.append([12.3, 13.0])        a round with it
    compared.ratio                              of the medians of all turns

Errors: none; a ratio of nothing is not a number.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field


@dataclass(slots=True)
class Compared:
    """The overheads of turns in ms, a list a round, without what is looked at and with it."""

    without: list[list[float]] = field(default_factory=list)
    beside: list[list[float]] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The median of all turns with it by that of all others."""
        return _median(_all(self.beside)) / _median(_all(self.without))

    @property
    def noise(self) -> float:
        """How far the medians of the rounds without it lie from each other, as a share."""
        medians = [_median(each) for each in self.without]
        return (max(medians) - min(medians)) / _median(_all(self.without))

    def line(self, what: str) -> str:
        """What was found, in one line."""
        without, beside = _median(_all(self.without)), _median(_all(self.beside))
        return (
            f"turns: p50 {without:.1f} ms without {what}, {beside:.1f} with: "
            f"{self.ratio:.2f} of it, the noise is {self.noise:.2f}"
        )


def _all(rounds: list[list[float]]) -> list[float]:
    return [overhead for one in rounds for overhead in one]


def _median(values: list[float]) -> float:
    return statistics.median(values) if values else float("nan")
