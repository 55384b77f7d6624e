"""What comes of putting a caller through, as carriers tell it, and the words for it."""

import pytest

from aybiza.dialogue.journal import CallerTurn
from aybiza.dialogue.transfer import (
    SUMMARY_CHARACTERS,
    is_caller_gone,
    outcome_of,
    summary,
    words_after,
)
from tests.dialogue.call_invariants import fold
from tests.dialogue.call_world import agent


@pytest.mark.parametrize(
    ("form", "outcome"),
    [
        ({}, None),
        ({"DialCallStatus": ""}, None),
        ({"DialCallStatus": "completed"}, "completed"),
        ({"DialCallStatus": "answered"}, "completed"),
        ({"DialCallStatus": "completed", "DialBridged": "true"}, "completed"),
        ({"DialCallStatus": "completed", "DialBridged": "false"}, "declined"),
        ({"DialCallStatus": "busy"}, "busy"),
        ({"DialCallStatus": "no-answer"}, "no-answer"),
        ({"DialCallStatus": "canceled"}, "canceled"),
        ({"DialCallStatus": "failed"}, "failed"),
        ({"DialCallStatus": "something new"}, "failed"),
    ],
)
def test_the_carriers_words_become_an_outcome(form: dict[str, str], outcome: str | None) -> None:
    assert outcome_of(form) == outcome


@pytest.mark.parametrize(
    ("status", "gone"), [("completed", True), ("canceled", True), ("in-progress", False)]
)
def test_a_caller_whose_own_call_is_over_is_gone(status: str, gone: bool) -> None:
    assert is_caller_gone({"CallStatus": status}) is gone
    assert not is_caller_gone({})


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("busy", "Busy."),
        ("no-answer", "Nobody."),
        ("declined", "Nobody."),
        ("failed", "Failed."),
        ("of a newer version", "Failed."),
    ],
)
def test_each_outcome_has_the_agents_words(outcome: str, words: str) -> None:
    named = agent(transfer_busy="Busy.", transfer_unanswered="Nobody.", transfer_failed="Failed.")
    assert words_after(named, outcome) == words


def test_a_summary_is_how_the_caller_began_and_what_was_said_last() -> None:
    turns = ["I am Ann.", *(f"Something long about number {n}." for n in range(50)), "A person."]
    told = summary(fold([CallerTurn(n, text) for n, text in enumerate(turns, 1)]), "They said:")
    assert told.startswith("They said: I am Ann. Something long about number ")
    assert told.endswith("number 49. A person.")
    assert len(told) <= len("They said: ") + SUMMARY_CHARACTERS
    assert summary(fold([CallerTurn(1, "x" * 1_000)]), "So:") == f"So: {'x' * SUMMARY_CHARACTERS}"


def test_of_a_caller_who_said_nothing_there_is_no_summary() -> None:
    assert summary(fold([CallerTurn(1, "")]), "They said:") == ""
