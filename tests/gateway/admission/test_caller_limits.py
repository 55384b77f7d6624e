"""What one caller may have in an hour."""

from __future__ import annotations

import pytest

from aybiza.gateway.admission.caller_limits import MOST, WINDOW_SECONDS, WITHHELD, CallerLimits

FROM = "+14155550123"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_caller_has_so_many_calls_an_hour_and_each_counts_once() -> None:
    clock = Clock()
    limits = CallerLimits(calls=2, timer=clock)
    assert [limits.admit(FROM, call) for call in ("1", "2", "1", "3")] == [True, True, True, False]
    assert limits.admit("+14155550199", "4")
    clock.now += WINDOW_SECONDS
    assert limits.admit(FROM, "3")


def test_a_caller_has_so_many_minutes_an_hour_those_under_way_included() -> None:
    clock = Clock()
    limits = CallerLimits(minutes=10, timer=clock)
    assert limits.admit(FROM, "1")
    limits.begin(FROM, "1")
    clock.now += 300
    limits.end(FROM, "1")
    assert limits.admit(FROM, "2")
    limits.begin(FROM, "2")
    clock.now += 301
    assert not limits.admit(FROM, "3")
    assert limits.admit(FROM, "2"), "who comes back goes on"


def test_a_call_that_lasts_into_the_next_hour_counts_there_from_then_on() -> None:
    clock = Clock()
    limits = CallerLimits(minutes=10, timer=clock)
    limits.begin(FROM, "1")
    clock.now += WINDOW_SECONDS
    assert limits.admit(FROM, "2")
    clock.now += 600
    assert not limits.admit(FROM, "3")


@pytest.mark.parametrize("number", ["", "Anonymous", " restricted", "+266696687"])
def test_those_who_withhold_their_number_share_a_larger_window(number: str) -> None:
    limits = CallerLimits(calls=1, timer=Clock())
    assert all(limits.admit(number, str(call)) for call in range(WITHHELD))
    assert not limits.admit("unknown", "one more")


def test_without_limits_nothing_is_kept_and_with_them_a_bounded_number() -> None:
    free, limited = CallerLimits(timer=Clock()), CallerLimits(calls=1, timer=Clock())
    for number in range(MOST + 5):
        assert free.admit(str(number), "1")
        limited.admit(str(number), "1")
    assert (len(free._windows), len(limited._windows)) == (0, MOST)
