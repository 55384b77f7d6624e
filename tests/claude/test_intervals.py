"""Percentiles and intervals: against what is known of them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.claude.intervals import ENOUGH, mean_interval, percentile, share_interval

numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50)


@given(numbers, st.floats(0, 100))
def test_a_percentile_is_one_of_the_values_with_so_many_not_above(
    values: list[float], percent: float
) -> None:
    found = percentile(values, percent)
    assert found in values
    assert found is not None
    assert sum(value <= found for value in values) >= len(values) * percent / 100 - 1e-9


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_interval_of_a_share_is_within_0_and_1_and_around_it(hits: int, more: int) -> None:
    interval = share_interval(hits, hits + more)
    assert interval is not None
    low, high = interval
    assert 0 <= low <= hits / (hits + more) + 1e-4 and hits / (hits + more) - 1e-4 <= high <= 1


def test_the_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    chance = random.Random(7)
    shares = means = 0
    for _ in range(400):
        throws = [chance.random() < 0.3 for _ in range(60)]
        low, high = share_interval(sum(throws), 60) or (1.0, 0.0)
        shares += low <= 0.3 <= high
        low, high = mean_interval([chance.gauss(5, 2) for _ in range(60)]) or (1.0, 0.0)
        means += low <= 5 <= high
    assert shares == pytest.approx(380, abs=16)
    assert means == pytest.approx(380, abs=16)


def test_of_too_little_nothing_is_said() -> None:
    assert percentile([], 50) is None
    assert share_interval(0, 0) is None
    assert mean_interval([1.0] * (ENOUGH - 1)) is None
    assert mean_interval([1.0] * ENOUGH) == (1.0, 1.0)
