"""Runs circuit breaker sequences: events in order, and the situation after each."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from aybiza.claude.circuit_breaker import CircuitBreaker
from tests.conformance.kit import Options, Result, Runner, compare, shown


def play(sequence: dict[str, Any], threshold: int, recovery_ms: float) -> list[str]:
    """The differences between what the sequence records and what the breaker does."""
    breaker = CircuitBreaker(threshold, recovery_ms)
    clock = 0
    differences: list[str] = []
    for number, event, after in zip(
        itertools.count(1), sequence["events"], sequence["after"], strict=False
    ):
        answer = None
        match event:
            case ["advance", ms]:
                clock += ms
            case "get_state":
                answer = breaker.get_state(clock)
            case "success":
                breaker.success()
            case "failure":
                breaker.failure(clock)
            case _:
                raise ValueError(f"no event is known as {event!r}")
        got = {
            "reply": answer,
            "state": breaker.state,
            "failure_count": breaker.failure_count,
            "success_count": breaker.success_count,
            "last_failure_time": breaker.last_failure_time,
            "trial_in_flight": breaker.trial_in_flight,
            "clock": clock,
        }
        differences += compare(f"event {number} {shown(event)}", after, got)
    if len(sequence["events"]) != len(sequence["after"]):
        differences.append("the file has not one situation for each event")
    return differences


def run(file: dict[str, Any], options: Options) -> Iterable[Result]:
    """Play every sequence of `file`."""
    for sequence in file["sequences"]:
        try:
            differences = play(sequence, file["failure_threshold"], file["recovery_time_ms"])
        except Exception as error:
            differences = [f"cannot be played: {error!r}"]
        yield Result(sequence["name"], differences)


FORMATS: dict[str, Runner] = {"circuit-breaker/1": run}
