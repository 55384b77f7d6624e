"""Calls at a time of an account."""

from __future__ import annotations

from aybiza.gateway.admission.account_calls import RESERVED_SECONDS, AccountCalls


class Timer:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_account_has_so_many_calls_and_no_more() -> None:
    calls = AccountCalls(2, Timer())
    assert calls.reserve("AC1", "CA1")
    assert calls.reserve("AC1", "CA2")
    assert not calls.reserve("AC1", "CA3")
    assert calls.reserve("AC2", "CA3")


def test_a_call_that_comes_back_is_the_same_call() -> None:
    calls = AccountCalls(1, Timer())
    assert calls.reserve("AC1", "CA1")
    calls.begin("AC1", "CA1")
    assert calls.reserve("AC1", "CA1")


def test_a_call_that_ends_makes_room() -> None:
    calls = AccountCalls(1, Timer())
    calls.reserve("AC1", "CA1")
    calls.begin("AC1", "CA1")
    calls.end("AC1", "CA1")
    assert calls.reserve("AC1", "CA2")


def test_a_call_that_has_a_new_stream_outlives_the_old_one() -> None:
    calls = AccountCalls(1, Timer())
    calls.begin("AC1", "CA1")
    calls.begin("AC1", "CA1")
    calls.end("AC1", "CA1")
    assert not calls.reserve("AC1", "CA2")
    calls.end("AC1", "CA1")
    assert calls.reserve("AC1", "CA2")


def test_a_call_whose_stream_never_started_makes_room_after_a_while() -> None:
    timer = Timer()
    calls = AccountCalls(1, timer)
    calls.reserve("AC1", "CA1")
    timer.now = RESERVED_SECONDS - 1
    assert not calls.reserve("AC1", "CA2")
    timer.now = RESERVED_SECONDS
    assert calls.reserve("AC1", "CA2")


def test_a_running_call_is_never_forgotten() -> None:
    timer = Timer()
    calls = AccountCalls(1, timer)
    calls.reserve("AC1", "CA1")
    calls.begin("AC1", "CA1")
    timer.now = 10 * RESERVED_SECONDS
    assert not calls.reserve("AC1", "CA2")


def test_nothing_is_kept_of_accounts_without_calls() -> None:
    calls = AccountCalls(1, Timer())
    for number in range(100):
        calls.begin(f"AC{number}", "CA1")
        calls.end(f"AC{number}", "CA1")
    assert (calls._calls, calls._streams) == ({}, {})


def test_without_a_limit_any_number_will_do() -> None:
    calls = AccountCalls()
    assert all(calls.reserve("AC1", f"CA{number}") for number in range(100))
    assert calls._calls == {}
