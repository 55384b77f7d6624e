"""`aybiza performance`: how the models have done, by the records of nodes and their restarts."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aybiza.actors.measures.records import NAME, Records
from aybiza.claude.performance_trends import PerformanceLog, analyze_model_performance_trends
from aybiza.console.cli import app
from aybiza.console.performance import performance_lines
from tests.actors.measures.report_kit import turn


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of which two nodes have written 30 turns, late and by another than the fitting
    model."""
    monkeypatch.setenv("AYBIZA_MEMORY_PATH", str(tmp_path / "memory.sqlite3"))
    late = {"first_token": 2.1, "model": "haiku", "optimal": "sonnet", "micro_usd": 10_000}
    late["optimal_micro_usd"] = 10_000
    for node, count in (("vm-1", 20), ("vm-2", 10)):
        records = Records(tmp_path / NAME, node=node, days=90)
        at = time.time() - 600
        records.put([("turns", turn(n, **late, at=at, node=node)) for n in range(count)])
        records.close()


def test_it_tells_how_the_models_have_done_and_what_to_do() -> None:
    result = CliRunner().invoke(app, ["performance", "--period", "7d", "--here"])
    lines = result.stdout.replace("\n    ", " ").splitlines()
    assert lines[0] == "haiku  30 turns (100%)  first token within 2000 ms, 95% within 2000 ms"
    assert lines[1].startswith("cost  0.3000 USD, 0.01000 a turn; 0.0000 that")
    assert lines[2] == "quality  100% answered, 0% cut off, 0% by the fitting model"
    assert [line.partition(":")[0] for line in lines[3:]] == [
        "advice on latency",
        "advice on model selection",
    ]
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_it_is_json_and_of_one_node_too() -> None:
    of_one = CliRunner().invoke(app, ["performance", "--json", "--here", "--node", "vm-2"])
    assert json.loads(of_one.stdout)["performance"]["quality_metrics"]["turns"] == 10
    long = CliRunner().invoke(app, ["performance", "--here", "--period", "90d"])
    assert long.exit_code == 2 and "at most 7d" in " ".join(long.stderr.split())


def test_of_nodes_without_turns_it_says_so() -> None:
    told = analyze_model_performance_trends(PerformanceLog(), now=0.0)
    assert performance_lines(told) == ["no turn was answered in this time"]


def test_where_no_model_answered_no_share_is_told() -> None:
    quality = {"turns": 2, "answered_share": 0.0, "cut_share": 0.0, "fitting_share": None}
    cost = {"usd": 0.0, "usd_a_turn": 0.0, "change_percent": None, "needless_usd": 0.0}
    told = {
        "model_usage_distribution": {},
        "latency_trends": {},
        "cost_trends": cost,
        "quality_metrics": quality,
        "optimization_recommendations": [],
    }
    lines = performance_lines(told)
    assert lines[-1] == "quality  0% answered, 0% cut off, none by the fitting model"
