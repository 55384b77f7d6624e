"""A write needs the plan's consent, to what was asked and heard; and with it, it is done."""

from __future__ import annotations

import dataclasses
from typing import Any

from aybiza.dialogue.journal import AnswerComplete, CallerTurn, Entry
from aybiza.dialogue.toolbox import ToolRun
from aybiza.emulators.phone.report import Heard, Report, Turn
from aybiza.faults.plan import Plan
from aybiza.faults.trial import Outcome
from aybiza.faults.writes import writes

YES, ASKED = "Yes, please book a table.", "Shall I book a table?"
USE = ToolRun("book", "t1", {"what": "a table"}, "CA1", turn=2, said=YES)
REPORT = Report(
    "x",
    "CA1",
    duration_ms=9000.0,
    turns=[Turn("1", "Yes, please book", 4000.0, 5000.0), Turn("2", "a table.", 5200.0, 6000.0)],
    heard=[Heard(1000.0, 3000.0, f"{ASKED} "), Heard(6500.0, 8000.0, "Done. ")],
)
ENTRIES: list[tuple[float, Entry]] = [
    (5.0, CallerTurn(2, YES)),
    (6.0, AnswerComplete(2, "end_turn")),
]
PLAN = Plan(
    consents={YES: ASKED},
    answers={YES: [{"tool": "book", "input": {"what": "a table"}, "say": ""}, "Done."]},
)
AGREED = Outcome(PLAN, REPORT, 0.0, entries=ENTRIES, written=[USE])


def told(**changes: Any) -> list[str]:
    return list(writes(dataclasses.replace(AGREED, **changes)))


def test_what_was_agreed_to_in_two_breaths_is_written() -> None:
    assert told() == []


def test_what_was_not_agreed_to_is_not_written() -> None:
    refused = dataclasses.replace(USE, said="No, do not book a table.")
    assert told(written=[refused]) == [f"a table was written to {refused.said!r}"]
    other = dataclasses.replace(USE, input={"what": "a room"})
    assert told(written=[other])[0] == f"a room was written to {YES!r}"


def test_what_is_agreed_to_is_what_was_heard() -> None:
    late = dataclasses.replace(REPORT, heard=[Heard(6500.0, 8000.0, f"{ASKED} ")])
    assert told(report=late) == [f"a table was written before {ASKED!r} was heard"]


def test_it_is_written_once_and_not_forgotten() -> None:
    assert told(written=[USE, USE]) == ["a table was written 2 times"]
    assert told(written=[]) == [f"not written though the caller has agreed: {ASKED!r}"]


def test_who_agrees_behind_another_question_may_be_asked_once_more() -> None:
    behind = [REPORT.heard[0], Heard(3300.0, 3900.0, "Are you st"), REPORT.heard[1]]
    assert told(written=[], report=dataclasses.replace(REPORT, heard=behind)) == []


def test_who_breaks_into_the_question_may_be_asked_once_more() -> None:
    cut = [Heard(1000.0, 4100.0, ASKED.removesuffix("?"), cut=True), REPORT.heard[1]]
    assert told(written=[], report=dataclasses.replace(REPORT, heard=cut)) == []


def test_a_model_that_uses_no_tool_writes_nothing() -> None:
    wordy = dataclasses.replace(PLAN, answers={YES: ["Done."]})
    assert told(written=[], plan=wordy) == []


def test_what_a_voice_has_left_out_of_the_question_and_called_whole_nobody_can_know() -> None:
    begun = [Heard(1000.0, 3000.0, "Shall I bo"), REPORT.heard[1]]
    short = dataclasses.replace(REPORT, heard=begun)
    unasked = [f"a table was written before {ASKED!r} was heard"]
    assert told(report=short) == unasked
    assert told(report=short, left_out=["Shall I book a room?"]) == unasked
    assert told(report=short, left_out=[ASKED]) == []
    assert told(written=[], left_out=[ASKED]) != [], "what was heard whole is not excused"
