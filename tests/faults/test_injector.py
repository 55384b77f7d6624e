"""Faults strike what, where and when their plan says, and the same in every run."""

from __future__ import annotations

import re

import pytest

from aybiza.faults.fault import Fault
from aybiza.faults.plan import Plan
from aybiza.faults.trial import Outcome, tried

HOURS = "What are your hours?"
CALL = Plan(
    answers={HOURS: ["We open at nine. We close at five. On Sundays we rest."]},
    steps=[{"say": HOURS}, {"hang_up": True, "quiet_ms": 1500}],
)


def outcome(*faults: Fault) -> Outcome:
    checked = [fault.checked() for fault in faults]
    return tried(Plan(steps=CALL.steps, answers=CALL.answers, faults=checked), messages=True)


def exits(result: Outcome, who: str) -> list[str]:
    """The reasons with which the processes of this label ended before the caller hung up."""
    lines = result.trace.partition("the caller hangs up")[0].splitlines()
    return [line[42:].strip() for line in lines if f" {who}#" in line[:33] and " exit " in line]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault("kill", "SpeakerActor", at=2.0), "killed"),
        (Fault("exit", "SpeakerActor", at=2.0, reason="tired"), None),
        (Fault("crash", "CallActor", after="SentenceHeard(turn=1, seq=1)"), "broken on purpose"),
        (Fault("raise", "CallActor", message="AnswerSentence", nth=2, text="oh"), "crash"),
    ],
)
def test_a_process_ends_as_the_fault_says_and_the_call_goes_on(
    fault: Fault, reason: str | None
) -> None:
    result = outcome(fault)
    assert len(result.strikes) == 1
    ended = exits(result, fault.where)
    assert ended == [] if reason is None else reason in ended[0]
    assert result.report.ok, result.report.failure
    for sentence in ("We open at nine.", "We close at five.", "On Sundays we rest."):
        assert result.heard.count(sentence) == 1


def test_a_fault_between_two_events_strikes_only_between_them() -> None:
    between = Fault("kill", "CallActor", after="SentenceHeard(turn=1, seq=1)")
    assert len(outcome(between).strikes) == 1
    late = Fault("kill", "CallActor", after="SentenceHeard(seq=3)", before="SentenceHeard(seq=2)")
    assert outcome(late).strikes == []


def test_the_nth_message_is_dropped_delayed_doubled_or_put_behind_the_next() -> None:
    for what in ("drop", "delay", "duplicate", "reorder"):
        result = outcome(Fault(what, "CallActor", message="AnswerSentence", nth=2))
        assert len(result.strikes) == 1
        line = next(line for line in result.trace.splitlines() if " fault " in line)
        assert what in line and "CallActor#" in line
    assert (
        "We close at five."
        not in outcome(Fault("drop", "CallActor", message="AnswerSentence", nth=2)).heard
    )


def test_a_state_is_struck_when_it_is_entered() -> None:
    result = outcome(Fault("kill", "CallActor", state="phase=thinking"))
    assert [strike.phase for strike in result.strikes] == ["thinking"]


def test_a_callback_hangs_or_holds_the_loop_for_its_time() -> None:
    for what in ("hang", "block"):
        fault = Fault(what, "CallActor", message="AnswerSentence", seconds=1.5)
        turn = outcome(fault).report.turns[0]
        assert turn.response_ms is not None and turn.response_ms > 1500


def test_a_mailbox_is_filled_with_what_means_nothing() -> None:
    result = outcome(Fault("fill", "SpeakerActor", at=2.0, count=50))
    assert result.report.ok and len(result.strikes) == 1


def test_chance_is_that_of_the_seed() -> None:
    fault = Fault("kill", "*Actor", probability=0.01, times=3)
    one, other = outcome(fault), outcome(fault)
    assert [s.whom for s in one.strikes] == [s.whom for s in other.strikes] != []
    assert one.trace == other.trace


def test_a_fault_strikes_as_often_as_it_says() -> None:
    for times, strikes in ((1, 1), (2, 2), (0, 3)):
        fault = Fault("duplicate", "CallActor", message="AnswerSentence", times=times)
        assert len(outcome(fault).strikes) == strikes


def test_one_process_is_meant_by_its_number_and_by_its_call() -> None:
    # Which one it has depends on how many parts a node has.
    speaker = re.search(r" SpeakerActor(#\d+) +start", outcome().trace)
    assert speaker
    number = speaker[1]
    assert exits(outcome(Fault("kill", number, at=2.0)), "SpeakerActor") == ["killed"]
    assert outcome(Fault("kill", "SpeakerActor", call="CA2", at=2.0)).report.ok
    assert exits(outcome(Fault("kill", "SpeakerActor", call="CA2", at=2.0)), "SpeakerActor") == []


def test_a_frozen_node_stands_still_for_its_time() -> None:
    turn = outcome(Fault("node.freeze", after="CallerTurn", seconds=2.0)).report.turns[0]
    assert turn.response_ms is not None and turn.response_ms > 2000
