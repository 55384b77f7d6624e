"""`aybiza bench`: figures, targets, exit codes."""

from __future__ import annotations

import json

import pytest
import structlog
from typer.testing import CliRunner

from aybiza.benchmarks.runtime import Figure
from aybiza.benchmarks.turn import STAGES, Overhead
from aybiza.console import bench

COMMAND = CliRunner()


def test_the_figures_of_the_runtime_are_told_with_units_and_logs_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[int, bool]] = []

    def measured(rounds: int, peers: bool) -> list[Figure]:
        asked.append((rounds, peers))
        return [Figure("GenServer.call and reply", 8.25, "us", 12), Figure("other", 9, "us")]

    monkeypatch.setattr("aybiza.benchmarks.runtime.run", measured)
    before = structlog.get_config()
    done = COMMAND.invoke(bench.app, ["runtime", "--rounds", "1", "--no-peers", "--json"])
    assert done.exit_code == 0
    assert asked == [(1, False)]
    assert json.loads(done.stdout) == {
        "GenServer.call and reply": {"value": 8.25, "unit": "us", "target": 12},
        "other": {"value": 9, "unit": "us", "target": None},
    }
    assert structlog.get_config() == before


def test_a_figure_over_its_target_is_missed_and_fails_the_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figures = [Figure("fast", 1.0, "us", 2), Figure("slow", 3.0, "us", 2), Figure("other", 9, "us")]
    monkeypatch.setattr("aybiza.benchmarks.runtime.run", lambda rounds, peers: figures)
    shown = COMMAND.invoke(bench.app, ["runtime"])
    assert shown.exit_code == 0
    fast, slow, other = shown.stdout.splitlines()
    assert slow.endswith("at most 2  MISSED")
    assert fast.endswith("at most 2  met")
    assert "at most" not in other
    assert COMMAND.invoke(bench.app, ["runtime", "--check"]).exit_code == 1
    figures.pop(1)
    assert COMMAND.invoke(bench.app, ["runtime", "--check"]).exit_code == 0


def test_the_figures_of_claude_are_shown_with_their_targets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[int, int, float]] = []

    def run(turns: int, rounds: int, seconds: float) -> list[Figure]:
        asked.append((turns, rounds, seconds))
        return [Figure("cancel to thread free, p50", 0.4, "ms", 5), Figure("slow", 9.0, "ms", 3)]

    monkeypatch.setattr("aybiza.benchmarks.claude.run", run)
    options = ["--turns", "3", "--rounds", "2", "--seconds", "1"]
    shown = COMMAND.invoke(bench.app, ["claude", *options])
    assert asked == [(3, 2, 1.0)]
    free, slow = shown.stdout.splitlines()
    assert "0.4 ms" in free and "at most 5" in free
    assert "MISSED" in slow
    assert COMMAND.invoke(bench.app, ["claude", *options, "--check"]).exit_code == 1
    table = json.loads(COMMAND.invoke(bench.app, ["claude", *options, "--json"]).stdout)
    assert table["slow"] == {"value": 9.0, "unit": "ms", "target": 3}


def test_a_call_that_did_not_come_about_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object) -> list[Figure]:
        raise RuntimeError("the measured call failed: no turns")

    monkeypatch.setattr("aybiza.benchmarks.claude.run", run)
    failed = COMMAND.invoke(bench.app, ["claude"])
    assert failed.exit_code == 1
    assert "no turns" in failed.output


@pytest.mark.parametrize("command", ["runtime", "claude", "turn"])
def test_the_help_shows_an_example(command: str) -> None:
    shown = COMMAND.invoke(bench.app, [command, "--help"])
    assert shown.exit_code == 0
    assert f"Example: aybiza bench {command}" in shown.stdout


def test_a_wrong_number_of_rounds_is_a_wrong_call() -> None:
    assert COMMAND.invoke(bench.app, ["runtime", "--rounds", "0"]).exit_code == 2


def test_the_figures_of_a_cluster_are_shown_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def run(sizes: list[int], seconds: float, calls: int) -> list[Figure]:
        asked.append((sizes, seconds, calls))
        return [Figure("2 nodes: call, p50", 1.6, "ms", 1.5)]

    monkeypatch.setattr("aybiza.benchmarks.cluster.run", run)

    def names_cost(count: int) -> list[Figure]:
        asked.append(count)
        return []

    monkeypatch.setattr("aybiza.benchmarks.cluster.names_cost", names_cost)
    shown = COMMAND.invoke(bench.app, ["cluster", "--nodes", "2,12", "--seconds", "3"])
    assert (shown.exit_code, asked) == (0, [([2, 12], 3.0, 1000), 10_000])
    assert "at most 1.5  MISSED" in shown.stdout
    assert COMMAND.invoke(bench.app, ["cluster", "--names", "0", "--check"]).exit_code == 1
    for wrong in ("1", "65", "two", "2,", ""):
        assert COMMAND.invoke(bench.app, ["cluster", "--nodes", wrong]).exit_code == 2


@pytest.mark.parametrize(("total", "verdict", "code"), [(9.0, "met", 0), (11.0, "MISSED", 1)])
def test_a_turn_is_held_against_its_target(
    monkeypatch: pytest.MonkeyPatch, total: float, verdict: str, code: int
) -> None:
    overhead = Overhead(2, {stage: [total / 3] for stage in STAGES}, [total])
    monkeypatch.setattr("aybiza.benchmarks.turn.run", lambda calls, turns: overhead)
    shown = COMMAND.invoke(bench.app, ["turn", "--check"])
    assert f"target total p50 at most 10 ms: {verdict}" in shown.stdout
    assert shown.exit_code == code
