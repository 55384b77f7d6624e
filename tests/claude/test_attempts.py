"""A call's requests that come to nothing are bounded, and those that are answered are free."""

from hypothesis import given
from hypothesis import strategies as st

from aybiza.claude.attempts import AGAIN, MOST, SECONDS, Attempts


def test_what_is_answered_counts_for_nothing() -> None:
    attempts = Attempts()
    for number in range(100):
        assert attempts.wait(number / 10, again=True) == 0.0
        attempts.begun(number / 10)
        attempts.answered(number / 10)


def test_so_many_requests_may_fail_and_the_next_turn_finds_some_left() -> None:
    attempts = Attempts()
    for number in range(AGAIN):
        assert attempts.wait(float(number), again=True) == 0.0
        attempts.begun(float(number))
    assert attempts.wait(7.0, again=True) == SECONDS - 7.0
    assert attempts.wait(7.0, again=False) == 0.0
    assert attempts.wait(SECONDS, again=True) == 0.0


@given(st.lists(st.tuples(st.floats(0.0, 3.0), st.booleans()), max_size=60))
def test_no_ten_seconds_see_more_than_the_most(asked: list[tuple[float, bool]]) -> None:
    attempts, now, made = Attempts(), 0.0, list[float]()
    for pause, again in asked:
        now += pause
        now += attempts.wait(now, again=again)
        attempts.begun(now)
        made.append(now)
    for at in made:
        assert sum(at <= other < at + 10.0 for other in made) <= MOST
