"""The models' trends, read from the records of nodes and their restarts."""

from __future__ import annotations

from typing import Any

from aybiza.actors.measures.performance_records import log_of
from aybiza.claude.performance_trends import analyze_model_performance_trends
from tests.actors.measures.report_kit import DEEP, FAST, SINCE, turn

NOW = SINCE + 85_800.0


def trends(*turns: dict[str, Any]) -> dict[str, Any]:
    return analyze_model_performance_trends(log_of(turns), "24h", now=NOW)


def test_turns_of_all_nodes_and_both_halves_are_taken_together() -> None:
    slow = {"first_token": 0.36 + 0.6, "at": NOW - 60, "node": "vm-2", "micro_usd": 200}
    told = trends(*(turn(1) for _ in range(10)), *(turn(2, **slow) for _ in range(10)))
    assert told["quality_metrics"]["turns"] == 20
    assert told["latency_trends"][FAST]["change_percent"] > 300
    assert told["cost_trends"]["change_percent"] == 100.0
    assert told["cost_trends"]["usd"] == 0.003


def test_an_excuse_an_older_answer_and_a_cut_one_are_told_apart() -> None:
    none = {"model": None, "optimal": None, "micro_usd": None, "first_token": None}
    told = trends(
        turn(1, stop_reason="end_turn"),
        turn(2, stop_reason="max_tokens"),
        turn(3, outcome="apology", stop_reason="error"),
        turn(4, outcome="cached", **none),
        turn(5, outcome="interrupted", **none),
        turn(6, optimal=DEEP),
    )
    quality = told["quality_metrics"]
    assert quality["turns"] == 5
    assert quality["answered_share"] == 3 / 5
    assert quality["cut_share"] == 1 / 5
    assert quality["fitting_share"] == 2 / 3


def test_an_answer_begun_before_its_turn_has_no_negative_time() -> None:
    told = trends(turn(1, request=0.5, first_token=0.2))
    assert told["latency_trends"][FAST]["p50_ms"] == 50.0
