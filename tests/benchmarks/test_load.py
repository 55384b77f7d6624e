"""A server's load is measured from the outside, turn by turn."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from aybiza.benchmarks import load
from aybiza.benchmarks.load import STAGES, Load, Pacing, measured, row, this_node
from aybiza.console import bench


@pytest.mark.real_time
def test_each_turn_of_this_node_is_told_apart_and_adds_up(tmp_path: Path) -> None:
    cores = os.sched_getaffinity(0)
    command, url, more = this_node(tmp_path)
    told = measured(
        command, url, calls=2, seconds=6.0, more=more, pace=Pacing(3.0, greeting=2.0, spread=0.2)
    )
    assert os.sched_getaffinity(0) == cores
    assert told.failures == []
    assert (told.asked, told.unanswered) == (2, 0)
    assert [len(told.stages[name]) for name in STAGES] == [2, 2, 2]
    assert sorted(told.overhead) == pytest.approx(
        sorted(sum(turn) for turn in zip(*told.stages.values(), strict=True))
    )
    figures = told.as_dict()
    assert 0 < figures["overhead_p50_ms"] <= figures["overhead_p95_ms"]
    assert figures["idle_mb"] > 20
    assert 0 < figures["cpu_seconds_a_call_minute"] < 60


def told_of(**more: Any) -> Load:
    full: dict[str, Any] = {
        "calls": 2,
        "stages": {name: [1.0, 3.0] for name in STAGES},
        "overhead": [3.0, 9.0],
        "cpu_seconds": 3.0,
        "call_minutes": 2.0,
        "seconds": 60.0,
        "idle_mb": 100.0,
        "busy_mb": 103.0,
    }
    return Load(**{**full, **more})


def test_figures_are_shares_and_prices_of_a_call() -> None:
    figures = told_of().as_dict()
    assert figures["cpu_seconds_a_call_minute"] == 1.5
    assert figures["share_of_the_core"] == 0.05
    assert figures["mb_a_call"] == 1.5
    assert (figures["overhead_p50_ms"], figures["overhead_p95_ms"]) == (9.0, 9.0)


def test_a_row_stands_under_its_head_and_says_when_the_callers_were_late() -> None:
    fine, late = row(told_of()), row(told_of(late=[0.0, 25.0]))
    assert len(fine) == len(load.TABLE) <= 80
    assert late.startswith(fine) and "callers 25 ms late" in late
    assert row(told_of(overhead=[])).split()[1:3] == ["-", "-"]


def test_the_command_prints_a_row_a_number_and_fails_with_a_failed_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[Any, ...]] = []

    def measure(command: Any, url: str, *, calls: int, seconds: float, **_: Any) -> Load:
        asked.append((command, url, calls, seconds))
        return told_of(calls=calls, failures=["call 0: gone"] if calls == 3 else [])

    monkeypatch.setattr("aybiza.benchmarks.load.measured", measure)
    run = CliRunner().invoke
    options = ["--url", "ws://here", "--seconds", "10"]
    done = run(bench.app, ["load", "--calls", "1,2", *options, "--", "python", "bot.py"])
    assert done.exit_code == 0, done.output
    rows = [line for line in done.stdout.splitlines() if not line.startswith("      ")]
    assert [line.split()[0] for line in rows] == ["calls", "1", "2"]
    assert "0 MB a call not given back" in done.stdout
    assert asked == [(["python", "bot.py"], "ws://here", n, 10.0) for n in (1, 2)]
    page = run(bench.app, ["load", "--calls", "1", "--markdown", *options, "--", "x"])
    head, line, figures = page.stdout.splitlines()
    assert (head.count("|"), line.count("|"), figures.count("|")) == (12, 12, 12)
    assert figures.startswith("| 1 | 9 | 9 |")
    failed = run(bench.app, ["load", "--calls", "3", *options, "--json", "--", "x"])
    assert failed.exit_code == 1
    assert json.loads(failed.stdout)["loads"][0]["failures"] == ["call 0: gone"]
    wrong = run(bench.app, ["load", "--calls", "0"])
    assert wrong.exit_code == 2 and "numbers from 1 to 1000" in wrong.output


@pytest.mark.parametrize(("most", "found"), [(0, 0), (9, 0), (10, 10), (57, 55), (5000, 910)])
def test_the_most_calls_of_a_core_are_found_to_a_tenth(most: int, found: int) -> None:
    tried: list[int] = []

    def measure(calls: int) -> Load:
        tried.append(calls)
        return told_of(calls=calls, overhead=[61.0 if calls > most else 59.0])

    assert load.most_calls(measure, 60.0)[0] == found
    assert len(tried) <= 10


def test_who_is_not_answered_or_hears_gaps_counts_as_one_call_too_many() -> None:
    for fault in ({"gaps": 1}, {"unanswered": 1}, {"failures": ["gone"]}):
        spoilt = told_of(overhead=[1.0], **fault)
        assert load.most_calls(lambda _, spoilt=spoilt: spoilt, 60.0)[0] == 0  # type: ignore[misc]


def test_memory_that_stays_money_and_breaking_in_are_told() -> None:
    told = told_of(left_mb=101.0, cleared=[100.0, 300.0], uncleared=1)
    figures = told.as_dict()
    assert figures["mb_left_a_call"] == 0.5
    assert figures["usd_of_cores_a_thousand_call_minutes"] == pytest.approx(0.0186)
    assert load.details(told) == (
        "0.5 MB a call not given back, 0.0186 USD of cores a 1000 call-minutes,"
        " break-in to clear p95 300.0 ms, 1 not cleared"
    )
