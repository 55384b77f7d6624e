"""The circuit breaker: recorded sequences, leases, and the rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.claude.circuit_breaker import CircuitBreaker
from tests.cases import each

GOLDEN = Path(__file__).parents[1] / "golden" / "circuit_breaker.json"


def sequences() -> list[Any]:
    recorded: list[Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))["sequences"]
    return [pytest.param(sequence, id=sequence["name"]) for sequence in recorded]


@each(sequences())
def test_recorded_sequences_hold(sequence: dict[str, Any]) -> None:
    breaker = CircuitBreaker()
    clock = 0
    for event, after in zip(sequence["events"], sequence["after"], strict=True):
        answer = None
        if event == "get_state":
            answer = breaker.get_state(clock)
        elif event == "success":
            breaker.success()
        elif event == "failure":
            breaker.failure(clock)
        else:
            clock += event[1]
        assert {
            "reply": answer,
            "state": breaker.state,
            "failure_count": breaker.failure_count,
            "success_count": breaker.success_count,
            "last_failure_time": breaker.last_failure_time,
            "trial_in_flight": breaker.trial_in_flight,
            "clock": clock,
        } == after


def half_open(**options: Any) -> CircuitBreaker:
    breaker = CircuitBreaker(failure_threshold=2, recovery_ms=100, **options)
    breaker.failure(0)
    breaker.failure(0)
    assert breaker.get_state(101) == "half_open"
    return breaker


def test_without_a_lease_a_lost_trial_is_never_given_away() -> None:
    assert half_open().get_state(1e12) == "open"


def test_a_lost_trial_is_given_away_after_its_lease_and_once() -> None:
    breaker = half_open(trial_lease_ms=50)
    assert breaker.get_state(151) == "open"
    assert breaker.get_state(152) == "half_open"
    assert breaker.get_state(153) == "open"
    assert breaker.get_state(203) == "half_open"


def test_the_late_report_of_a_lost_trial_counts() -> None:
    for report, state in (("success", "closed"), ("failure", "open")):
        breaker = half_open(trial_lease_ms=50)
        assert breaker.get_state(200) == "half_open"
        breaker.success() if report == "success" else breaker.failure(201)
        assert breaker.state == state


def test_a_cancelled_trial_goes_to_the_next_who_asks() -> None:
    breaker = half_open()
    breaker.cancelled()
    assert breaker.state == "half_open"
    assert breaker.get_state(102) == "half_open"
    assert breaker.get_state(103) == "open"


def test_a_cancelled_request_says_nothing_while_closed_or_open() -> None:
    breaker = CircuitBreaker(failure_threshold=2)
    breaker.failure(0)
    breaker.cancelled()
    assert (breaker.state, breaker.failure_count) == ("closed", 1)
    breaker.failure(1)
    breaker.cancelled()
    assert (breaker.state, breaker.failure_count) == ("open", 2)


EVENTS = st.lists(
    st.one_of(
        st.sampled_from(["get_state", "success", "failure", "cancelled"]),
        st.integers(0, 60_000),
    ),
    max_size=60,
)


@given(events=EVENTS, lease=st.one_of(st.none(), st.integers(0, 40_000)))
def test_whatever_happens_leave_is_given_only_by_the_rules(
    events: list[str | int], lease: int | None
) -> None:
    breaker = CircuitBreaker(trial_lease_ms=lease)
    clock = 0
    for event in events:
        before = breaker.state
        if isinstance(event, int):
            clock += event
        elif event == "get_state":
            trial = breaker.trial_started
            last = breaker.last_failure_time
            leave = breaker.get_state(clock)
            if before == "closed":
                assert leave == "closed"
            elif before == "open":
                assert last is not None
                assert (leave == "half_open") == (clock - last > 30_000)
            elif trial is not None:
                expired = lease is not None and clock - trial > lease
                assert (leave == "half_open") == expired
            else:
                assert leave == "half_open"
        elif event == "failure":
            breaker.failure(clock)
            assert before != "half_open" or breaker.state == "open"
        elif event == "success":
            breaker.success()
            assert breaker.state == ("open" if before == "open" else "closed")
        else:
            breaker.cancelled()
            assert breaker.state == before
        assert breaker.state != "open" or breaker.failure_count >= 5
        assert breaker.state == "half_open" or not breaker.trial_in_flight


def test_a_peers_opening_lasts_as_long_here_and_counts_nothing() -> None:
    breaker = CircuitBreaker(recovery_ms=100)
    breaker.failure(0)
    breaker.peer_opened(1_000, 40)
    assert breaker.get_state(1_040) == "open"
    assert (breaker.failure_count, breaker.recovery_left(1_010)) == (1, 30)
    assert breaker.get_state(1_041) == "half_open"
    assert breaker.recovery_left(1_041) == 0
    breaker.success()
    assert breaker.get_state(1_042) == "closed"


def test_a_peers_opening_never_shortens_nor_lengthens_beyond_ones_own() -> None:
    breaker = CircuitBreaker(failure_threshold=1, recovery_ms=100)
    breaker.failure(0)
    breaker.peer_opened(10, 20)
    assert breaker.recovery_left(10) == 90
    breaker.peer_opened(50, 1_000_000)
    assert breaker.recovery_left(50) == 100


def test_old_word_is_no_news() -> None:
    breaker = CircuitBreaker()
    breaker.peer_opened(0, 0)
    breaker.peer_opened(0, -5)
    assert breaker.get_state(0) == "closed"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["get_state", "success", "failure", "cancelled", "peer"]),
            st.integers(0, 150),
        )
    ),
    st.integers(1, 100),
)
def test_after_a_peers_opening_leave_is_refused_for_its_time(
    events: list[tuple[str, int]], left: int
) -> None:
    breaker = CircuitBreaker(failure_threshold=3, recovery_ms=100, trial_lease_ms=50)
    now = 0
    for event, passed in events:
        now += passed
        match event:
            case "get_state":
                breaker.get_state(now)
            case "success":
                breaker.success()
            case "failure":
                breaker.failure(now)
            case "cancelled":
                breaker.cancelled()
            case _:
                breaker.peer_opened(now, passed)
    breaker.peer_opened(now, left)
    assert breaker.get_state(now + left) == "open"
    assert breaker.get_state(now + 101) == "half_open"
