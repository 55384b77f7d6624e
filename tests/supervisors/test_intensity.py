"""Restart intensity: when restarts are too many."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.supervisors import SupervisorError
from aybiza.supervisors.intensity import Intensity


class TestLeft:
    def test_the_restarts_that_are_left_come_back_with_their_whole_seconds(self) -> None:
        intensity = Intensity(2, 5)
        assert intensity.left(0.9) == 2
        intensity.allows(0.9)
        assert (intensity.left(0.9), intensity.left(5.99), intensity.left(6.0)) == (1, 1, 2)
        intensity.allows(1.0)
        intensity.allows(1.0)
        assert intensity.left(1.0) == 0

    def test_to_ask_changes_nothing(self) -> None:
        intensity = Intensity(1, 5)
        intensity.allows(0.0)
        assert intensity.left(100.0) == 1
        assert not intensity.allows(0.0)


class TestAllows:
    def test_as_many_as_the_limit_and_no_more(self) -> None:
        intensity = Intensity(2, 5)
        assert [intensity.allows(0.0) for _ in range(3)] == [True, True, False]

    def test_none_at_all_with_a_limit_of_zero(self) -> None:
        assert not Intensity(0, 5).allows(0.0)

    def test_a_restart_counts_until_its_whole_second_is_out_of_the_window(self) -> None:
        intensity = Intensity(1, 5)
        assert intensity.allows(0.9)
        assert not intensity.allows(5.99)
        intensity = Intensity(1, 5)
        assert intensity.allows(0.9)
        assert intensity.allows(6.0)

    @given(
        limit=st.integers(0, 5),
        seconds=st.integers(1, 5),
        gaps=st.lists(st.floats(0, 4), max_size=30),
    )
    def test_says_what_counting_whole_seconds_says(
        self, limit: int, seconds: int, gaps: list[float]
    ) -> None:
        intensity = Intensity(limit, seconds)
        now = 0.0
        times: list[int] = []
        for gap in gaps:
            now += gap
            times.append(int(now))
            recent = [time for time in times if time >= int(now) - seconds]
            assert intensity.allows(now) is (len(recent) <= limit)
        assert intensity.total == len(gaps)


@pytest.mark.parametrize(
    ("limits", "term"),
    [
        (("infinity", 5), ("invalid_intensity", "infinity")),
        ((-1, 5), ("invalid_intensity", -1)),
        ((True, 5), ("invalid_intensity", True)),
        ((1, 0), ("invalid_period", 0)),
        ((1, 2.5), ("invalid_period", 2.5)),
    ],
)
def test_limits_that_are_none_are_refused_in_the_words_of_otp(
    limits: tuple[Any, Any], term: Any
) -> None:
    with pytest.raises(SupervisorError) as caught:
        Intensity(*limits)
    assert caught.value.term == term
