"""How the models have done over a period, and what is recommended."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.claude import performance_trends as module
from aybiza.claude.performance import ModelAssessment
from aybiza.claude.performance_trends import (
    BOUNDS_MS,
    SLOT_SECONDS,
    Figures,
    PerformanceData,
    PerformanceLog,
    analyze_cost_trends,
    analyze_latency_trends,
    analyze_model_performance_trends,
    assess_conversation_quality,
    generate_optimization_recommendations,
    get_model_usage_stats,
    get_performance_data,
    has_cost_optimization_potential,
    has_latency_issues,
    seconds_of,
    should_adjust_model_selection,
)

NOW = 1_795_262_400.0
HOUR = 3_600.0


def record(
    log: PerformanceLog,
    *,
    ago: float = 0.0,
    times: int = 1,
    model: str = "haiku",
    optimal: str | None = None,
    first_token_ms: float | None = 300,
    stop_reason: str = "end_turn",
    cost: float = 0.001,
    optimal_cost: float | None = None,
) -> None:
    best = optimal or model
    metrics: dict[str, Any] = {
        "model_used": model,
        "cost_usd": cost,
        "stop_reason": stop_reason,
        "first_token_ms": first_token_ms,
    }
    assessment = ModelAssessment(model, best, best == model, 1.0)
    for _ in range(times):
        log.record(metrics, assessment, now=NOW - ago, optimal_usd=optimal_cost)


def data(log: PerformanceLog, period: str = "24h") -> PerformanceData:
    return get_performance_data(log, period, now=NOW)


@pytest.mark.parametrize(
    ("period", "seconds"), [("30m", 1_800), ("24h", 86_400), ("7d", 604_800), ("168h", 604_800)]
)
def test_a_period_is_a_number_with_its_unit(period: str, seconds: int) -> None:
    assert seconds_of(period) == seconds


@pytest.mark.parametrize("period", ["", "24", "h", "0h", "-1h", "1.5h", "8d", "169h", "24H", "1w"])
def test_what_is_no_period_is_told(period: str) -> None:
    with pytest.raises(ValueError, match="is no period: write 30m, 24h or 7d, at most 7d"):
        get_performance_data(PerformanceLog(), period, now=NOW)


def test_only_the_period_counts() -> None:
    log = PerformanceLog()
    record(log, times=3)
    record(log, ago=2 * HOUR, times=5)
    assert data(log, "1h").whole.turns == 3
    assert data(log, "3h").whole.turns == 8
    record(log, ago=-SLOT_SECONDS)
    assert data(log, "3h").whole.turns == 8


def test_the_shares_of_the_models() -> None:
    log = PerformanceLog()
    record(log, times=3)
    record(log, model="sonnet")
    assert get_model_usage_stats(data(log)) == {
        "haiku": {"turns": 3, "share": 0.75},
        "sonnet": {"turns": 1, "share": 0.25},
    }


def test_latencies_are_told_by_model_and_compared_with_the_half_before() -> None:
    log = PerformanceLog()
    record(log, ago=20 * HOUR, times=10, first_token_ms=190)
    record(log, times=10, first_token_ms=390)
    record(log, times=1, first_token_ms=None)
    told = analyze_latency_trends(data(log))["haiku"]
    assert told == {"p50_ms": 200.0, "p95_ms": 400.0, "change_percent": 100.0}


def test_costs_are_told_by_turn_and_compared_with_the_half_before() -> None:
    log = PerformanceLog()
    record(log, ago=20 * HOUR, times=2, cost=0.002)
    record(log, times=2, cost=0.003, optimal_cost=0.001)
    told = analyze_cost_trends(data(log))
    assert told["usd"] == 0.01
    assert told["usd_a_turn"] == 0.0025
    assert told["change_percent"] == pytest.approx(50)
    assert told["needless_usd"] == 0.004


def test_quality_is_what_was_answered_whole_and_by_the_fitting_model() -> None:
    log = PerformanceLog()
    for reason in ("end_turn", "error", "cached", "max_tokens"):
        record(log, stop_reason=reason)
    record(log, optimal="sonnet")
    assert assess_conversation_quality(data(log)) == {
        "turns": 5,
        "answered_share": 0.6,
        "cut_share": 0.2,
        "fitting_share": 2 / 3,
    }


def test_where_no_model_answered_none_was_the_fitting_one() -> None:
    log = PerformanceLog()
    for reason in ("error", "cached"):
        record(log, stop_reason=reason, first_token_ms=100)
    assert assess_conversation_quality(data(log))["fitting_share"] is None
    assert analyze_latency_trends(data(log))["haiku"]["p50_ms"] is None


def test_of_nothing_nothing_is_said() -> None:
    told = analyze_model_performance_trends(PerformanceLog(), now=NOW)
    assert told["model_usage_distribution"] == {}
    assert told["quality_metrics"]["answered_share"] is None
    assert told["cost_trends"]["usd_a_turn"] is None
    assert told["optimization_recommendations"] == []


def test_all_answers_come_at_once_and_json_can_carry_them() -> None:
    log = PerformanceLog()
    record(log, times=30, optimal="sonnet", first_token_ms=1_900, cost=0.01, optimal_cost=0.001)
    told = json.loads(json.dumps(analyze_model_performance_trends(log, "1h", now=NOW)))
    assert [each["about"] for each in told["optimization_recommendations"]] == [
        "cost",
        "latency",
        "model_selection",
    ]


def test_another_model_is_recommended_where_too_few_turns_had_the_fitting_one() -> None:
    log = PerformanceLog()
    record(log, times=80)
    record(log, times=20, optimal="sonnet")
    assert not should_adjust_model_selection(data(log))
    record(log, optimal="sonnet")
    (advice,) = generate_optimization_recommendations(data(log))
    assert advice.about == "model_selection"
    assert "21 of 101 turns were answered by haiku where sonnet fits" in advice.says
    assert "AYBIZA_SELECTION=current" in advice.says


def test_a_model_that_lets_one_caller_in_twenty_wait_is_named() -> None:
    log = PerformanceLog()
    record(log, times=96, first_token_ms=900)
    record(log, times=5, first_token_ms=1_600)
    assert not has_latency_issues(data(log))
    record(log, times=1, first_token_ms=1_600)
    (advice,) = generate_optimization_recommendations(data(log))
    assert advice.about == "latency"
    assert "haiku (2000 ms)" in advice.says


def test_costs_that_others_would_not_have_charged_are_told() -> None:
    log = PerformanceLog()
    record(log, times=91, cost=0.01, optimal_cost=0.01)
    record(log, times=9, cost=0.01, optimal_cost=0.0)
    assert not has_cost_optimization_potential(data(log))
    record(log, times=2, model="opus", cost=0.01, optimal_cost=0.0)
    (advice,) = generate_optimization_recommendations(data(log))
    assert advice.about == "cost"
    assert advice.says.startswith("0.11 of 1.02 USD would not have been charged")


def test_of_few_turns_nothing_is_concluded() -> None:
    log = PerformanceLog()
    few = module.ENOUGH_TURNS - 1
    record(log, times=few, optimal="x", first_token_ms=9_000, cost=1, optimal_cost=0)
    assert generate_optimization_recommendations(data(log)) == []


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SLOTS", 3)
    monkeypatch.setattr(module, "MAX_MODELS", 2)
    log = PerformanceLog()
    for slot in range(6):
        for model in ("a", "b", "c", "d"):
            record(log, ago=slot * SLOT_SECONDS, model=model)
    found = log.between(NOW - 100 * SLOT_SECONDS, NOW + SLOT_SECONDS)
    assert {model: figures.turns for model, figures in found.items()} == {
        "a": 3,
        "b": 3,
        "other": 6,
    }


@given(st.lists(st.floats(0, 19_000), min_size=1, max_size=50), st.integers(1, 100))
def test_a_percentile_is_read_to_the_width_of_a_bucket(seen: list[float], percent: int) -> None:
    log = PerformanceLog()
    for ms in seen:
        record(log, first_token_ms=ms)
    told = data(log).whole.percentile(percent)
    exact = sorted(seen)[max(0, -(-len(seen) * percent // 100) - 1)]
    below = max((bound for bound in (0, *BOUNDS_MS) if bound < exact), default=0)
    assert told is not None
    assert below < told or exact == 0
    assert exact <= told <= min(bound for bound in BOUNDS_MS if bound >= exact)


def test_what_is_later_than_every_bucket_counts_as_the_last() -> None:
    log = PerformanceLog()
    record(log, first_token_ms=99_000)
    assert data(log).whole.percentile(50) == BOUNDS_MS[-1]
    assert Figures().percentile(50) is None
