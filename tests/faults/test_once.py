"""Each sentence is heard, and once; what a voice that leaves some out has left out is known."""

from __future__ import annotations

import dataclasses

from aybiza.dialogue.journal import (
    AgentSentence,
    CallerTurn,
    Entry,
    SentenceHeard,
    SentenceUnsaid,
)
from aybiza.emulators.phone.report import Heard, Report
from aybiza.faults.desk import AGENT
from aybiza.faults.once import once
from aybiza.faults.plan import Plan
from aybiza.faults.trial import Outcome

GOODBYE = "Thank you for calling. Goodbye."


def outcome(entries: list[Entry], heard: str, left_out: list[str]) -> Outcome:
    report = Report("x", "CA1", duration_ms=9000.0, heard=[Heard(0.0, 1000.0, heard)])
    told = [(float(number), entry) for number, entry in enumerate(entries)]
    return Outcome(Plan(), report, 0.0, entries=told, left_out=left_out)


def test_a_text_of_two_sentences_may_be_heard_without_the_one_that_the_voice_left_out() -> None:
    told: list[Entry] = [AgentSentence(0, 1, GOODBYE), SentenceHeard(0, 1)]
    lost = ["taken for heard and never heard: 'thankyouforcallinggoodbye'"]
    assert list(once(outcome(told, GOODBYE, []))) == []
    assert list(once(outcome(told, "Goodbye. ", ["Thank you for calling. "]))) == []
    assert list(once(outcome(told, "Goodbye. ", []))) == lost
    assert list(once(outcome(told, "Thank you. ", ["Thank you for calling. "]))) == lost
    assert list(once(outcome(told, "Goodbye. ", ["Thank you, "]))) == lost


def test_a_sentence_is_passed_over_behind_a_second_socket_only() -> None:
    told: list[Entry] = [
        CallerTurn(1, "To sales, please."),
        AgentSentence(1, 1, "Just a moment."),
        SentenceUnsaid(1, 1),
        CallerTurn(2, ""),
    ]
    without = outcome(told, "", [])
    assert list(once(without)) == ["never heard, though nobody broke in: 'Just a moment.'"]
    assert list(once(dataclasses.replace(without, opened=[(1.5, "speak", "CA1")]))) == []
    before = dataclasses.replace(without, opened=[(0.5, "speak", "CA1"), (1.5, "listen", "CA1")])
    assert list(once(before)) != []


def test_an_apology_may_be_heard_once_for_each_turn_of_which_a_sentence_was_not_said() -> None:
    sorry = AGENT.error
    told: list[Entry] = [
        CallerTurn(1, "To sales, please."),
        AgentSentence(1, 1, "Just a moment."),
        SentenceUnsaid(1, 1),
        CallerTurn(2, "Hello?"),
        AgentSentence(2, 1, sorry),
        SentenceHeard(2, 1),
    ]
    opened = [(1.5, "speak", "CA1")]
    for heard, unsaid, broken in (
        (1, True, False),
        (2, True, False),
        (2, False, True),
        (3, True, True),
    ):
        entries = [entry for entry in told if unsaid or not isinstance(entry, SentenceUnsaid)]
        call = dataclasses.replace(outcome(entries, f"{sorry} " * heard, []), opened=opened)
        assert any(line.startswith("heard") for line in once(call)) is broken
