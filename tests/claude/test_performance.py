"""What is said of one turn: its model, its cost, its time."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.claude.billing import cost_of
from aybiza.claude.models import profile_of
from aybiza.claude.performance import (
    STAGES,
    LatencyBreakdown,
    ModelAssessment,
    actual_complexity,
    analyze_latency_breakdown,
    assess_model_selection,
    calculate_cost_efficiency,
    calculate_edge_processing_time,
    calculate_efficiency_score,
    determine_optimal_model_for_complexity,
    enhanced,
    optimal_cost_usd,
)
from aybiza.claude.stream import Usage

HAIKU = profile_of("global.anthropic.claude-haiku-4-5-20251001-v1:0")
SONNET = profile_of("global.anthropic.claude-sonnet-4-6")
OPUS = profile_of("global.anthropic.claude-opus-5")
MODELS = (HAIKU, SONNET, OPUS)
TOKENS = {"input_tokens": 1_000, "output_tokens": 100}


def test_the_models_are_of_three_tiers() -> None:
    assert [profile.model.tier for profile in MODELS] == ["fast", "balanced", "deep"]


def test_the_time_at_the_edge_is_the_difference_of_its_timestamps() -> None:
    assert calculate_edge_processing_time({"cloudflare_timestamp": 5, "aws_timestamp": 17}) == 12
    assert calculate_edge_processing_time({"cloudflare_timestamp": 0, "aws_timestamp": 17}) == 17


@pytest.mark.parametrize(
    "metrics",
    [
        {},
        {"cloudflare_timestamp": 5},
        {"aws_timestamp": 5},
        {"cloudflare_timestamp": None, "aws_timestamp": 5},
        {"cloudflare_timestamp": "5", "aws_timestamp": 5},
        {"cloudflare_timestamp": math.nan, "aws_timestamp": 5},
    ],
)
def test_without_both_timestamps_there_is_none(metrics: dict[str, Any]) -> None:
    assert calculate_edge_processing_time(metrics) is None


@pytest.mark.parametrize(
    ("complexity", "optimal"),
    [(0.0, HAIKU), (0.6, HAIKU), (0.61, SONNET), (0.9, SONNET), (0.91, OPUS), (1.0, OPUS)],
)
def test_the_complexity_asks_for_a_tier(complexity: float, optimal: Any) -> None:
    assert determine_optimal_model_for_complexity(complexity, MODELS) == optimal


def test_without_a_model_of_the_tier_the_nearest_is_taken_the_lower_of_two() -> None:
    assert determine_optimal_model_for_complexity(0.7, (OPUS, HAIKU)) == HAIKU
    assert determine_optimal_model_for_complexity(0.1, (OPUS, SONNET)) == SONNET


def test_a_turn_without_a_complexity_counts_as_half_hard() -> None:
    told = assess_model_selection({"model_used": HAIKU.id}, MODELS)
    assert told == ModelAssessment(HAIKU.id, HAIKU.id, True, 1.0)


def test_a_model_that_nobody_permits_has_no_score() -> None:
    for used in ("another", None):
        told = assess_model_selection({"model_used": used, "actual_complexity": 0.7}, MODELS)
        assert told == ModelAssessment(used, SONNET.id, False, None)


def test_a_weaker_model_has_a_part_of_the_intelligence_and_a_dearer_one_of_its_price() -> None:
    needed = OPUS.model.scores.intelligence
    assert calculate_efficiency_score(HAIKU, OPUS) == HAIKU.model.scores.intelligence / needed
    typical = Usage(10, 1)
    worth = cost_of(HAIKU, typical).total / cost_of(OPUS, typical).total
    assert calculate_efficiency_score(OPUS, HAIKU) == worth < 0.5


@given(st.sampled_from(MODELS), st.sampled_from(MODELS))
def test_a_score_is_a_share_and_whole_for_the_optimal_model_alone(used: Any, optimal: Any) -> None:
    score = calculate_efficiency_score(used, optimal)
    assert 0 < score <= 1
    assert (score == 1) == (used == optimal)


def test_what_the_optimal_model_would_have_charged_is_compared_with_the_charge() -> None:
    charged = cost_of(OPUS, Usage(1_000, 100)).usd
    cheaper = cost_of(HAIKU, Usage(1_000, 100)).usd
    metrics = {**TOKENS, "model_used": OPUS.id, "actual_complexity": 0.1, "cost_usd": charged}
    assert optimal_cost_usd(metrics, MODELS) == cheaper
    assert calculate_cost_efficiency(metrics, MODELS) == cheaper / charged
    assert calculate_cost_efficiency({**metrics, "actual_complexity": 1.0}, MODELS) == 1.0
    assert calculate_cost_efficiency({**metrics, "cost_usd": cheaper / 2}, MODELS) == 1.0


@pytest.mark.parametrize("metrics", [{}, TOKENS, {"cost_usd": 1}, {**TOKENS, "cost_usd": 0}])
def test_without_tokens_or_charge_there_is_no_cost_efficiency(metrics: dict[str, Any]) -> None:
    assert calculate_cost_efficiency(metrics, MODELS) is None


def test_cached_tokens_count_at_their_price() -> None:
    metrics = {"cache_read_input_tokens": 1_000, "cache_write_input_tokens": 2_000}
    assert optimal_cost_usd(metrics, MODELS) == cost_of(HAIKU, Usage(0, 0, 1_000, 2_000)).usd


def test_the_time_is_broken_down_into_the_stages_that_are_known() -> None:
    metrics = {
        "cloudflare_timestamp": 100,
        "aws_timestamp": 120,
        "first_token_ms": 400,
        "generation_ms": 900,
        "synthesis_ms": "soon",
        "total_ms": 1_500,
    }
    stages = {"edge": 20.0, "first_token": 400.0, "generation": 900.0}
    assert analyze_latency_breakdown(metrics) == LatencyBreakdown(stages, 1_500.0, "generation")
    assert list(analyze_latency_breakdown(metrics).stages) == [s for s in STAGES if s in stages]


def test_without_a_total_the_stages_are_added_up() -> None:
    told = analyze_latency_breakdown({"recognition_ms": 250, "synthesis_ms": 150})
    assert told == LatencyBreakdown(
        {"recognition": 250.0, "synthesis": 150.0}, 400.0, "recognition"
    )
    assert analyze_latency_breakdown({}) == LatencyBreakdown({}, None, None)


def test_a_turn_turns_out_hard_by_its_words_tools_and_length() -> None:
    plain = actual_complexity("Hello.", messages=1, tools_called=0)
    tools = actual_complexity("Hello.", messages=1, tools_called=2)
    both = actual_complexity("Hello.", messages=9, tools_called=2)
    long = actual_complexity("Hello.", messages=9, tools_called=0)
    assert plain < long < tools == both
    hard = "Please analyze and troubleshoot this step by step, and explain why it fails."
    assert actual_complexity(hard, messages=1, tools_called=0) > plain


def test_a_turn_is_told_with_what_can_be_said_of_it() -> None:
    metrics = {"model_used": SONNET.id, "actual_complexity": 0.7, "total_ms": 5, "mine": "x"}
    told = enhanced(metrics, MODELS)
    assert told["mine"] == "x"
    assert set(told) - set(metrics) == {
        "edge_processing_time",
        "model_selection_accuracy",
        "cost_optimization_score",
        "latency_breakdown",
    }
    assert told["model_selection_accuracy"].was_optimal


VALUES = st.one_of(st.none(), st.booleans(), st.text(max_size=3), st.integers(), st.floats())
KEYS = [
    "model_used",
    "actual_complexity",
    "cost_usd",
    *TOKENS,
    "cloudflare_timestamp",
    "aws_timestamp",
    *(f"{stage}_ms" for stage in STAGES),
    "total_ms",
]


@given(st.dictionaries(st.sampled_from(KEYS), VALUES))
def test_whatever_stands_in_the_metrics_something_is_said(metrics: dict[str, Any]) -> None:
    told = enhanced(metrics, MODELS)
    score = told["cost_optimization_score"]
    assert score is None or score <= 1
