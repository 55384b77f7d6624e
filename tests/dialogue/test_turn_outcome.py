"""How the turns of callers end."""

import pytest

from aybiza.dialogue.journal import (
    AgentSentence,
    AnswerComplete,
    CallerTurn,
    Ended,
    Entry,
    Interrupted,
)
from aybiza.dialogue.turn_outcome import turn_over
from tests.dialogue.call_invariants import fold

ASKED: list[Entry] = [CallerTurn(1, "Hello."), AgentSentence(1, 1, "Hi.")]


def over(*entries: Entry) -> tuple[int, str] | None:
    return turn_over(fold([*ASKED, *entries]), entries[-1])


@pytest.mark.parametrize(
    ("stop_reason", "outcome"),
    [
        ("end_turn", "answered"),
        ("max_tokens", "answered"),
        ("cached", "cached"),
        ("error", "apology"),
        ("quota", "refused"),
        ("guardrail_intervened", "refused"),
        ("content_filtered", "refused"),
        ("cancelled", "interrupted"),
    ],
)
def test_an_answer_ends_its_turn_by_why_it_stopped(stop_reason: str, outcome: str) -> None:
    assert over(AnswerComplete(1, stop_reason)) == (1, outcome)


def test_a_turn_that_is_cut_short_ends_when_the_caller_goes_on_or_is_gone() -> None:
    cut = Interrupted(1, 1, 0.5)
    assert over(cut) is None
    assert over(cut, CallerTurn(2, "Wait.")) == (1, "interrupted")
    assert over(cut, Ended("hangup")) == (1, "interrupted")


def test_a_turn_is_over_once() -> None:
    done = AnswerComplete(1, "end_turn")
    assert over(done, CallerTurn(2, "And?")) is None
    assert over(done, Ended("hangup")) is None


def test_what_the_agent_says_by_itself_is_no_turn_of_the_caller() -> None:
    assert (
        over(AnswerComplete(1, "end_turn"), CallerTurn(2, ""), AnswerComplete(2, "end_turn"))
        is None
    )
