"""Tallies: how often, for whom, and for how long that counts."""

from aybiza.dialogue import tool_limits
from aybiza.dialogue.tool_limits import (
    IDENTIFYING_A_CALL,
    IDENTIFYING_A_CALLER,
    REMEMBERED,
    Identifying,
    Tally,
)


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_count_is_over_with_its_time() -> None:
    clock = Clock()
    tally = Tally(2, seconds=10, clock=clock)
    tally.add("a")
    clock.now = 9
    tally.add("a")
    assert tally.full("a") and not tally.full("b")
    clock.now = 10
    assert not tally.full("a")
    assert tally.add("a") == 1


def test_what_was_none_is_taken_back() -> None:
    tally = Tally(1)
    tally.add("a")
    tally.take_back("a")
    tally.take_back("a")
    assert not tally.full("a")
    assert tally.add("a") == 1


def test_a_limit_may_be_a_tools_own() -> None:
    tally = Tally(10)
    tally.add("a")
    assert tally.full("a", most=1) and not tally.full("a")


def test_the_oldest_counts_are_forgotten() -> None:
    tally = Tally(1)
    for key in range(REMEMBERED + 1):
        tally.add(key)
    assert len(tally._counts) == REMEMBERED
    assert not tally.full(0) and tally.full(REMEMBERED)


def test_who_guesses_in_one_call_is_not_listened_to_any_more() -> None:
    guesses = Identifying(Clock())
    for _ in range(IDENTIFYING_A_CALL):
        assert not guesses.over("CA1", "")
        guesses.failed("CA1", "")
    assert guesses.over("CA1", "") and not guesses.over("CA2", "")


def test_who_guesses_in_one_call_after_another_is_not_listened_to_until_the_next_day() -> None:
    clock = Clock()
    guesses = Identifying(clock)
    for call in range(IDENTIFYING_A_CALLER):
        guesses.failed(f"CA{call}", "+1")
    assert guesses.over("CA99", "+1") and not guesses.over("CA99", "+2")
    clock.now = tool_limits.DAY_SECONDS
    assert not guesses.over("CA99", "+1")
