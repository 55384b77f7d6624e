"""What a caller may expect of the times of a call: whole calls in virtual time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aybiza.emulators.phone.report import Report
from aybiza.faults.phone_script import load as script
from aybiza.faults.phone_script import longest_response
from aybiza.faults.plan import Plan
from aybiza.faults.trial import Outcome, tried

TWELVE = " ".join(f"Sentence number {number} of it is said now." for number in range(1, 13))
FRAME_MS = 20


def responses(report: Report) -> list[float]:
    return [turn.response_ms for turn in report.turns if turn.response_ms is not None]


def played(name: str, *, without: str = "") -> Outcome:
    """A call by a script, without the steps of this kind."""
    plan = script(name).plan
    steps = [one for one in plan.steps if without not in one or not without]
    return tried(replace(plan, steps=steps, frames=1))


@pytest.mark.parametrize("name", ["coughs_while_the_agent_thinks", "flux_coughs"])
def test_a_cough_while_the_agent_thinks_costs_no_time_and_no_request(name: str) -> None:
    coughing, quiet = played(name), played(name, without="mumble")
    late, early = (longest_response(one.report) for one in (coughing, quiet))
    assert late is not None and early is not None and late - early <= 50
    assert len(coughing.requests) == len(quiet.requests) == 1


def test_the_first_audio_is_as_early_after_many_sentences_as_in_the_first_turn() -> None:
    plan = Plan(
        steps=[
            {"say": "Question 1."},
            {"interrupt": "Question 2.", "after_ms": 12_000},
            {"interrupt": "Question 3.", "after_ms": 12_000},
            {"interrupt": "Question 4.", "after_ms": 12_000},
            {"hang_up": True},
        ],
        answers={f"Question {number}.": [TWELVE] for number in range(1, 5)},
        # Whether an answer can be begun early is a matter of when the recogniser shows words.
        agent={"eager_answers": 0},
    )
    outcome = tried(plan)
    first, *later = responses(outcome.report)
    assert len(later) == 3 and max(later) <= first + FRAME_MS
    assert outcome.broken == []


@pytest.mark.parametrize("name", ["interrupts_early", "interrupts_late", "flux_interrupts"])
def test_the_voice_is_cut_off_when_the_words_are_known_and_no_later(name: str) -> None:
    outcome = played(name)
    known = [at for at, kind, what in _told(outcome) if kind == "entry" and "Interrupted" in what]
    cut = [at for at, kind, what in _told(outcome) if kind == "line" and "cut off" in what]
    assert known and len(known) == len(cut)
    assert all(0 <= at - since <= 0.005 for since, at in zip(known, cut, strict=True))


def _told(outcome: Outcome) -> list[tuple[float, str, str]]:
    return [(one.at, one.kind, one.what) for one in outcome.happened]
