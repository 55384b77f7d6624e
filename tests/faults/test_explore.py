"""The search finds what is broken, shrinks it and writes it down; what holds is left alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aybiza.actors.call.call_actor import CallActor
from aybiza.faults.explore import Cell, Exploration, explore, smallest
from aybiza.faults.plan import load, parse
from aybiza.faults.random_plans import drawn, plan_of
from aybiza.faults.transitions import Row
from aybiza.faults.trial import tried

# What a process had begun when it was killed is told by Python as never awaited.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug: the second sentence of a turn is said twice."""
    original: Any = CallActor._speak

    def doubling(self: CallActor, turn: int, seq: int, text: str) -> None:
        original(self, turn, seq, f"{text} {text}" if seq == 2 else text)

    monkeypatch.setattr(CallActor, "_speak", doubling)


def test_a_planted_bug_is_found_shrunk_and_repeated_by_its_file(
    planted: None, tmp_path: Path
) -> None:
    lines: list[str] = []
    result = explore(3, plans=4, folder=tmp_path, trials=8, tell=lines.append)
    assert result.broken > 0
    assert result.last_line() == f"explored 4 plans, {result.broken} broken (seed 3)"
    found = [path for path in result.files if path.stem.endswith("no_fault")]
    assert found, result.kinds
    plan = load(found[0])
    assert plan.faults == []
    assert plan.title in tried(plan).broken
    assert any(str(found[0]) in line for line in lines)


def test_the_coverage_tells_which_faults_struck_in_which_phase() -> None:
    result = Exploration(1, plans=2)
    result.cells.update([Cell("kill", "CallActor", "thinking")] * 3)
    head, row = result.coverage()
    assert head.split()[:5] == ["fault", "where", "none", "greeting", "listening"]
    assert head.split()[5:] == ["eager", "thinking", "speaking", "interrupt", "closing", "ended"]
    assert row.split() == ["kill", "CallActor", ".", ".", ".", ".", "3", ".", ".", ".", "."]


def test_the_pairs_of_phases_and_kinds_of_faults_are_counted_and_those_not_met_are_named() -> None:
    result = Exploration(1)
    *lines, nothing = result.pairs()
    most = 7 * len(drawn())
    assert nothing == f"phases and faults: 0 of {most} pairs met, {most} not"
    assert len(lines) == 7 and all("kill" in line for line in lines)
    result.cells.update([Cell("kill", "CallActor", "thinking"), Cell("kill", "Task x", "thinking")])
    result.cells[Cell("kill", "CallActor", "none")] += 1
    *lines, one = result.pairs()
    assert one == f"phases and faults: 1 of {most} pairs met, {most - 1} not"
    [thinking] = [line for line in lines if line.startswith("  thinking: 1 of ")]
    assert "kill" not in thinking and "block" in thinking


def test_what_no_plan_has_come_to_is_named() -> None:
    nothing = Exploration(1).gaps()
    assert nothing[0].startswith("turn machine: 0 of ")
    assert any(line.startswith("  HungUp: ") for line in nothing)
    result = explore(1, plans=2)
    assert len(result.gaps()) <= len(nothing)
    assert result.rows[Row("HungUp", "listening")] + result.rows[Row("Started", "listening")] > 0
    assert "aybiza_turns_total" in nothing[-1] and "aybiza_turns_total" not in result.gaps()[-1]


def test_a_planted_bug_is_shrunk_to_one_question_and_two_sentences(planted: None) -> None:
    plan = replace(plan_of(3, 2), faults=[])
    assert len(plan.answers) > 1
    found = smallest(plan, "once", trials=60)
    small = found.plan
    assert small.faults == []
    assert len(small.steps) == 2 and "say" in small.steps[0]
    (answer,) = small.answers.values()
    assert len(answer) == 1 and answer[0].count(".") == 2
    again = parse(small.text())
    assert tried(again).broken == tried(small).broken and found.broken[0] in tried(again).broken
