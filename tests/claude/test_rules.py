"""The rules of selection, by name, and every factor of a decision."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.claude.rules import PHONE_THINKING, RULES, Decision, Question
from aybiza.claude.thinking import Thinking
from aybiza.config.rule_sets import (
    CLAUDE_3_5_HAIKU,
    CLAUDE_3_5_SONNET,
    CLAUDE_3_7_SONNET,
    CLAUDE_3_HAIKU,
    CLAUDE_4_OPUS,
    CLAUDE_4_SONNET,
)
from tests.cases import each
from tests.claude.golden import cases

HARDEST = " ".join(["analyze troubleshoot calculate explain why"] * 20)
# Hard, and without a word of those that ask for thinking.
HARD_SUM = " ".join(["calculate explain why"] * 20)
LONG_PUZZLE = (
    "My heating keeps switching itself off in the night, could you please help me to"
    " troubleshoot it, because I have tried it all"
)


def decide(rule: str, transcript: str, **given: Any) -> Decision:
    return RULES[rule](Question(transcript, **given))


def factor(decision: Decision, name: str) -> Any:
    return next(factor for factor in decision.factors if factor.name == name)


class TestCurrent:
    @pytest.mark.parametrize(
        ("transcript", "given", "tier"),
        [
            ("Hello.", {"options": {"max_latency": 150}}, "economy"),
            ("Hello.", {"options": {"max_latency": 150, "cost_optimize": False}}, "fast"),
            ("Hello.", {"options": {"max_latency": 150}, "cost_optimize": False}, "fast"),
            ("Hello.", {}, "economy"),
            ("Hello.", {"cost_optimize": False}, "fast"),
            ("Hello.", {"options": {"max_latency": 201}}, "fast"),
            ("Hello.", {"options": {"max_latency": 201}, "cost_optimize": False}, "balanced"),
            ("Hello.", {"options": {"max_latency": 201, "cost_optimize": False}}, "balanced"),
            ("Please book me in.", {"options": {"max_latency": 500}}, "balanced"),
            ("Please book me in.", {}, "fast"),
            (HARDEST, {"options": {"max_latency": 500}}, "balanced"),
            (HARDEST, {}, "deep"),
            (HARDEST, {"options": {"max_latency": 2_000}}, "deep"),
            (HARDEST, {"options": {"extended_thinking": False}}, "balanced"),
            ("Hello.", {"options": {"extended_thinking": True}}, "deep"),
            (HARD_SUM, {"context": {"requires_tools": True}}, "deep"),
            (
                HARD_SUM,
                {"context": {"requires_tools": True}, "thinking_threshold": 1.0},
                "balanced",
            ),
            (LONG_PUZZLE, {}, "deep"),
            (LONG_PUZZLE, {"options": {"max_latency": 1_000}}, "fast"),
            (
                LONG_PUZZLE,
                {"options": {"max_latency": 1_000}, "cost_optimize": False},
                "balanced",
            ),
        ],
    )
    def test_the_ladder(self, transcript: str, given: dict[str, Any], tier: str) -> None:
        decision = decide("current", transcript, **given)
        assert decision.tier == tier
        assert decision.thinking == (PHONE_THINKING if tier == "deep" else None)

    def test_the_complexity_is_the_sum_of_its_factors(self) -> None:
        decision = decide("current", "Please analyze my bill, and book a visit.")
        parts = [factor(decision, name) for name in ("words", "patterns", "conversation")]
        for part in parts[:2]:
            assert part.adds == pytest.approx(
                part.weight * part.value / (50 if part is parts[0] else 4)
            )
        assert parts[2].adds == 0.4
        assert factor(decision, "complexity").value == pytest.approx(sum(p.adds for p in parts))

    def test_of_what_the_conversation_adds_the_weightiest_counts(self) -> None:
        long = {"conversation_history": ["a turn"] * 6, "requires_tools": True}
        assert factor(decide("current", "Yes.", context=long), "conversation").adds == 0.4
        long = {"conversation_history": ["a turn"] * 6, "multi_turn": True}
        assert factor(decide("current", "Yes.", context=long), "conversation").adds == 0.3
        plain = factor(decide("current", "Yes."), "conversation")
        assert (plain.adds, plain.value) == (0.0, "adds nothing")

    def test_an_agent_without_tools_needs_none(self) -> None:
        assert factor(decide("current", "Book it.", context={"tools": []}), "tools").value is False
        assert factor(decide("current", "Book it."), "tools").value is True

    def test_every_rung_down_to_the_one_that_decided_is_told(self) -> None:
        decision = decide("current", "Hello.", cost_optimize=False)
        rungs = [factor for factor in decision.factors if factor.name.startswith("rung")]
        assert [rung.value for rung in rungs] == [False, False, False, True]
        assert rungs[-1].says == decision.because

    @pytest.mark.parametrize(
        "given",
        [
            {"options": {"max_latency": None, "cost_optimize": None}},
            {"context": {"conversation_history": None}},
            {"context": {"conversation_history": "none"}},
            {"options": {"max_latency": "soon"}},
        ],
    )
    def test_values_that_say_nothing_change_nothing(self, given: dict[str, Any]) -> None:
        assert decide("current", "Hello.", **given) == decide("current", "Hello.")


class TestSpecification:
    @each(cases("select_optimal_model_and_region"))
    def test_spec_3x_names_the_recorded_model(self, case: dict[str, Any]) -> None:
        given = case["input"]
        decision = decide(
            "spec-3x", given["prompt"], context=given["context"], options=given["options"]
        )
        assert decision.model == case["output"][0]

    @each(cases("select_optimal_model_claude4"))
    def test_spec_4_names_the_recorded_model(self, case: dict[str, Any]) -> None:
        given = case["input"]
        decision = decide("spec-4", given["transcript"], context=given["context"])
        assert decision.model == case["output"]

    @pytest.mark.parametrize(
        ("transcript", "given", "model"),
        [
            (HARDEST, {}, CLAUDE_4_OPUS),
            ("Please book me in.", {}, CLAUDE_4_SONNET),
            ("Hello.", {"options": {"max_latency": 100}}, CLAUDE_3_5_HAIKU),
            ("Hello.", {}, CLAUDE_3_5_SONNET),
        ],
    )
    def test_spec_4_best_goes_by_criteria(
        self, transcript: str, given: dict[str, Any], model: str
    ) -> None:
        given.setdefault("context", {"requires_tools": transcript is HARDEST})
        assert decide("spec-4-best", transcript, **given).model == model

    def test_only_the_models_that_think_are_asked_to(self) -> None:
        patient = {"max_latency": 2_000}
        context = {"requires_tools": True}
        deep = decide("spec-3x", HARDEST, context=context, options=patient)
        assert (deep.model, deep.thinking) == (CLAUDE_3_7_SONNET, Thinking(3_000))
        ordered = decide(
            "spec-3x", HARDEST, context=context, options={**patient, "thinking_budget": 5_000}
        )
        assert ordered.thinking == Thinking(5_000)
        forbidden = decide(
            "spec-3x", HARDEST, context=context, options={**patient, "extended_thinking": False}
        )
        assert forbidden.thinking is None
        quick = {"max_latency": 100, "cost_optimize": True, "extended_thinking": True}
        cheap = decide("spec-3x", "Hi.", options=quick)
        assert (cheap.model, cheap.thinking) == (CLAUDE_3_HAIKU, None)
        assert decide("spec-4", LONG_PUZZLE).thinking == Thinking(3_000)


def test_the_configured_rule_looks_at_nothing() -> None:
    assert decide("configured", HARDEST) == Decision("the settings name it first")


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("history", [None, "none", 7, {}])
def test_no_history_is_too_odd_for_a_rule(rule: str, history: object) -> None:
    odd = decide(rule, LONG_PUZZLE, context={"conversation_history": history})
    assert odd == decide(rule, LONG_PUZZLE)


@pytest.mark.parametrize("rule", sorted(set(RULES) - {"configured"}))
def test_every_other_rule_tells_its_factors(rule: str) -> None:
    decision = decide(rule, "Please compare the prices.")
    assert decision.factors
    assert (decision.tier is None) != (decision.model is None)
