"""Complexity, model, thinking, tools and length, by their recorded cases."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.claude.selection import (
    assess_query_complexity,
    complexity_of,
    determine_response_length,
    has_tool_intent,
    needs_deep_thinking,
    select_best_model,
    select_optimal_model_and_region,
    select_optimal_model_claude4,
    should_use_extended_thinking,
)
from tests.cases import each
from tests.claude.golden import cases

Case = dict[str, Any]


@each(cases("assess_query_complexity"))
def test_assess_query_complexity(case: Case) -> None:
    if "raises" in case:
        with pytest.raises(TypeError, match="conversation_history"):
            assess_query_complexity(**case["input"])
    else:
        assert assess_query_complexity(**case["input"]) == case["output"]


@each(cases("select_optimal_model_and_region"))
def test_select_optimal_model_and_region(case: Case) -> None:
    assert list(select_optimal_model_and_region(**case["input"])) == case["output"]


@each(cases("select_optimal_model_claude4"))
def test_select_optimal_model_claude4(case: Case) -> None:
    given = case["input"]
    assert select_optimal_model_claude4(**given) == case["output"]
    assert needs_deep_thinking(given["transcript"]) == given["needs_deep_thinking"]
    assert has_tool_intent(given["transcript"]) == given["has_tool_requirements"]


@each(cases("select_best_model"))
def test_select_best_model(case: Case) -> None:
    assert select_best_model(case["input"]) == case["output"]


@each(cases("should_use_extended_thinking"))
def test_should_use_extended_thinking(case: Case) -> None:
    if "raises" in case:
        with pytest.raises(TypeError, match="conversation_history"):
            should_use_extended_thinking(**case["input"])
    else:
        assert should_use_extended_thinking(**case["input"]) == case["output"]


@each(cases("determine_response_length"))
def test_determine_response_length(case: Case) -> None:
    assert determine_response_length(**case["input"]) == case["output"]


@each(cases("has_tool_intent"))
def test_has_tool_intent(case: Case) -> None:
    assert has_tool_intent(**case["input"]) == case["output"]


def test_a_complexity_says_what_it_is_made_of() -> None:
    made = complexity_of("Please analyze my bill", 0.4)
    assert (made.word_count, made.patterns, made.context) == (4, 1, 0.4)
    assert (made.word_factor, made.pattern_score) == (0.08, 0.25)
    assert made.total == pytest.approx(0.08 * 0.3 + 0.25 * 0.5 + 0.4)
    assert complexity_of("analyze " * 99, 0.9).total == 1.0


def test_the_default_latency_never_selects_the_thinking_model() -> None:
    hardest = " ".join(["analyze troubleshoot calculate explain why"] * 20)
    context = {"requires_tools": True}
    assert assess_query_complexity(hardest, context) == 1.0
    by_default, _ = select_optimal_model_and_region(hardest, context, {}, None)
    patient, _ = select_optimal_model_and_region(hardest, context, {"max_latency": 2000}, None)
    assert "3-5-sonnet" in by_default
    assert "3-7-sonnet" in patient
