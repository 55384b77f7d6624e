"""The decision tree of a call: what makes each of its questions a yes."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.console.diagnosis.call_tree import QUESTIONS, Evidence, Finding, walk
from aybiza.dialogue.journal import (
    AgentSentence,
    CallerTurn,
    Ended,
    Entry,
    Interrupted,
    Joined,
    Resumed,
    SentenceHeard,
    SentenceUnsaid,
    ToolExchange,
    Transferred,
    encode,
)
from tests.actors.measures.report_kit import row, turn

GOOD: list[Entry] = [
    AgentSentence(0, 1, "Hello."),
    SentenceHeard(0, 1),
    CallerTurn(1, "When do you open?"),
    AgentSentence(1, 1, "At nine."),
    SentenceHeard(1, 1),
    Ended("goodbye"),
]
QUICK = {"end_of_turn": 0.05, "request": 0.051, "first_token": 0.1, "first_sentence": 0.11}
QUICK |= {"first_audio": 0.15, "first_frame": 0.155, "edge_ms": 10.0}
LONG = "word " * 90


def evidence(
    entries: list[Entry], turns: list[dict[str, Any]] | None = None, outcome: str = "goodbye"
) -> Evidence:
    of = [turn(1, **QUICK)] if turns is None else turns
    return Evidence(row("calls", outcome=outcome), of, [encode(entry) for entry in entries])


def wrong(found: Evidence) -> list[str]:
    return [finding.asks for finding in walk(found) if finding.answer == "yes"]


def test_nothing_is_wrong_with_a_call_that_went_well() -> None:
    findings = list(walk(evidence(GOOD)))
    assert len(findings) == len(QUESTIONS)
    assert wrong(evidence(GOOD)) == []
    assert [each.asks for each in findings if each.answer == "unknown"] == [
        "was it choppy, noisy or with an echo?"
    ]


def test_of_a_call_of_which_nothing_is_known_nothing_is_claimed() -> None:
    answers = {each.asks: each.answer for each in walk(Evidence())}
    assert "yes" not in answers.values()
    assert answers.pop("did tools fail?") == "no"
    assert answers.pop("did putting through fail?") == "no"
    assert set(answers.values()) == {"unknown"}


def exchange(status: str, after_seq: int = 0) -> ToolExchange:
    uses = [{"toolUse": {"toolUseId": "t1", "name": "find_slot", "input": {}}}]
    return ToolExchange(1, after_seq, uses, [{"toolResult": {"toolUseId": "t1", "status": status}}])


@pytest.mark.parametrize(
    ("asks", "entries"),
    [
        ("was the caller not heard?", [AgentSentence(0, 1, "Hello."), SentenceHeard(0, 1)]),
        (
            "did the caller hear nothing?",
            [AgentSentence(0, 1, "Hello."), AgentSentence(1, 1, "Yes?"), CallerTurn(1, "Hm?")],
        ),
        ("did the voice fail?", [*GOOD, SentenceUnsaid(1, 2)]),
        ("did noise break in?", [*GOOD, *[Interrupted(1, 1, 0.5), Resumed(1)] * 2]),
        ("did the agent talk over the caller?", [*GOOD, Joined(1), Joined(2)]),
        ("did the agent ramble?", [*GOOD, AgentSentence(2, 1, LONG)]),
        ("was the caller misunderstood?", [*GOOD, CallerTurn(2, "when do you open please?")]),
        ("did tools fail?", [*GOOD, exchange("error")]),
        ("did the call end in a fault?", [*GOOD[:-1], Ended("fault")]),
        ("did putting through fail?", [*GOOD, Transferred("desk", "busy")]),
    ],
)
def test_each_question_is_answered_by_the_journal(asks: str, entries: list[Entry]) -> None:
    assert wrong(evidence(entries)) == [asks]
    (finding,) = [each for each in walk(evidence(entries)) if each.answer == "yes"]
    assert finding.fix and finding.seen


@pytest.mark.parametrize(
    ("asks", "stages"),
    [
        ("was speech recognition slow?", {"end_of_turn": 0.2, "request": 0.2}),
        ("was the model slow?", {"first_token": 0.8, "first_sentence": 0.9}),
        ("was the voice slow?", {"first_audio": 0.9}),
        ("was the node slow?", {"first_audio": 0.12, "first_frame": 0.9}),
        ("was the way to the node long?", {"edge_ms": 400.0}),
    ],
)
def test_a_component_over_its_budget_is_named(asks: str, stages: dict[str, float]) -> None:
    times = {**QUICK, **stages}
    times["first_frame"] = max(stages.get(name, QUICK[name]) for name in QUICK if name != "edge_ms")
    found = wrong(evidence(GOOD, [turn(1, **times)]))
    assert found[:1] == [asks] or asks in found
    assert "did the caller wait long?" not in found


def test_a_long_wait_names_the_turn() -> None:
    told = evidence(GOOD, [turn(1, **QUICK), turn(1, **{**QUICK, "first_frame": 2.0}, turn=7)])
    finding = next(walk(told))
    assert finding.answer == "yes" and "of turn 7, 2,000 ms" in finding.seen


def test_a_turn_without_an_answer_is_named() -> None:
    told = evidence(GOOD, [turn(1, **QUICK, outcome="apology")])
    assert "did a turn stay without an answer?" in wrong(told)


def test_a_use_whose_outcome_came_later_has_not_failed() -> None:
    told = evidence([*GOOD, exchange("error"), exchange("success")])
    assert wrong(told) == []


def test_entries_that_make_no_sense_are_passed_over() -> None:
    odd: list[dict[str, Any]] = [{}, {"type": "tool_exchange", "uses": [1], "results": [None]}]
    odd += [{"type": "caller_turn", "text": 7}, {"type": "agent_sentence"}, {"type": "ended"}]
    findings: list[Finding] = list(walk(Evidence(None, [], odd)))
    assert len(findings) == len(QUESTIONS)
