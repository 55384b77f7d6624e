"""The budget of flushes, in a time that is handed in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aybiza.speech.flush_budget import FLUSHES_A_WINDOW, RESERVE, FlushBudget

DEEPGRAMS_MINUTE = 60.0


def test_flushes_in_the_middle_of_turns_leave_a_reserve_for_their_ends() -> None:
    budget = FlushBudget()
    while budget.may_flush(0.0):
        budget.flushed(0.0)
    assert budget.left(0.0) == RESERVE


def test_a_flush_is_free_again_after_more_than_a_minute() -> None:
    budget = FlushBudget()
    for _ in range(FLUSHES_A_WINDOW):
        budget.flushed(10.0)
    assert budget.left(10.0 + DEEPGRAMS_MINUTE) == 0
    assert budget.left(12.0 + DEEPGRAMS_MINUTE) == FLUSHES_A_WINDOW


@given(st.lists(st.floats(0.0, 20.0), max_size=200))
def test_no_minute_has_more_flushes_than_deepgram_takes(waits: list[float]) -> None:
    budget, now, spent = FlushBudget(), 0.0, list[float]()
    for wait in waits:
        now += wait
        if budget.left(now) > 0:
            budget.flushed(now)
            spent.append(now)
    for at in spent:
        assert sum(at - DEEPGRAMS_MINUTE < other <= at for other in spent) <= FLUSHES_A_WINDOW
