"""What comes of putting a caller through, as carriers tell it, and the words for it."""

import pytest

from aybiza.dialogue.transfer import is_caller_gone, outcome_of, words_after
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
