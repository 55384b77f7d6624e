"""Business hours: open at the first minute, closed at the last, also over midnight."""

from __future__ import annotations

import doctest
from datetime import datetime

import pytest

from aybiza.config import hours
from aybiza.config.hours import is_open

HOURS: hours.Hours = {
    "monday": ("09:00-12:30", "13:30-18:00"),
    "friday": ("22:00-02:00",),
    "sunday": ("00:00-24:00",),
}


@pytest.mark.parametrize(
    ("day", "time", "expected"),
    [
        (5, "08:59", False),
        (5, "09:00", True),
        (5, "12:29", True),
        (5, "12:30", False),
        (5, "13:30", True),
        (6, "10:00", False),
        (9, "21:59", False),
        (9, "23:59", True),
        (10, "01:59", True),
        (10, "02:00", False),
        (11, "00:00", True),
        (11, "23:59", True),
        (12, "00:00", False),
    ],
)
def test_a_moment_is_in_the_hours_or_not(day: int, time: str, expected: bool) -> None:
    at = datetime.fromisoformat(f"2026-01-{day:02}T{time}")
    assert is_open(HOURS, at) is expected


def test_without_hours_somebody_is_always_there() -> None:
    assert is_open({}, datetime(2026, 1, 5, 3, 0))


def test_the_examples_hold() -> None:
    assert doctest.testmod(hours).failed == 0
