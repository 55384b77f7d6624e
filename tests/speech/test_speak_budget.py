"""The budget of a speak socket, in a time that is handed in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aybiza.speech.speak_budget import (
    CHARACTERS_A_WINDOW,
    FLUSHES_A_WINDOW,
    RESERVE,
    SpeakBudget,
)

DEEPGRAMS_MINUTE = 60.0


def test_flushes_that_nobody_waits_for_leave_a_reserve_for_the_others() -> None:
    budget = SpeakBudget()
    while budget.may_flush_early(0.0):
        budget.spend(1, 0.0)
    assert budget.left(0.0) == RESERVE
    assert budget.takes(1, 0.0)


def test_what_was_spent_is_free_again_after_more_than_a_minute() -> None:
    budget = SpeakBudget()
    for _ in range(FLUSHES_A_WINDOW):
        budget.spend(CHARACTERS_A_WINDOW // FLUSHES_A_WINDOW, 10.0)
    assert budget.left(10.0 + DEEPGRAMS_MINUTE) == 0
    assert budget.left(12.0 + DEEPGRAMS_MINUTE) == FLUSHES_A_WINDOW
    assert budget.characters_left(12.0 + DEEPGRAMS_MINUTE) == CHARACTERS_A_WINDOW


@given(st.lists(st.tuples(st.floats(0.0, 20.0), st.integers(1, 600)), max_size=200))
def test_no_minute_has_more_than_deepgram_takes(asked: list[tuple[float, int]]) -> None:
    budget, now, spent = SpeakBudget(), 0.0, list[tuple[float, int]]()
    for wait, characters in asked:
        now += wait
        if budget.takes(characters, now):
            budget.spend(characters, now)
            spent.append((now, characters))
    for at, _ in spent:
        within = [characters for other, characters in spent if at - DEEPGRAMS_MINUTE < other <= at]
        assert len(within) <= FLUSHES_A_WINDOW
        assert sum(within) <= CHARACTERS_A_WINDOW
