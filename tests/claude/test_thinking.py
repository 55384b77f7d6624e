"""One wish to think becomes what each model understands."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.claude.models import SHIPPED
from aybiza.claude.thinking import Plan, Thinking, plan
from aybiza.config.catalogue import Model

BUDGET = SHIPPED.models["anthropic.claude-haiku-4-5-20251001-v1:0"]
ADAPTIVE = SHIPPED.models["anthropic.claude-sonnet-4-6"]
UNASKED = SHIPPED.models["anthropic.claude-haiku-5-5"]
HELD = SHIPPED.models["anthropic.claude-sonnet-5"]
ALWAYS = SHIPPED.models["anthropic.claude-opus-5-5"]
NEVER = SHIPPED.models["anthropic.claude-3-haiku-20240307-v1:0"]


def changed(model: Model, **fields: Any) -> Model:
    return model.model_copy(update=fields)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (NEVER, Plan(300)),
        (BUDGET, Plan(300)),
        (ADAPTIVE, Plan(300)),
        (UNASKED, Plan(300, fields={"thinking": {"type": "disabled"}})),
        (HELD, Plan(2_348, thinks=True, effort="low")),
        (ALWAYS, Plan(2_348, thinks=True, effort="low")),
    ],
)
def test_without_the_wish_a_model_is_kept_from_thinking_as_far_as_it_can_be(
    model: Model, expected: Plan
) -> None:
    assert plan(model, None, 300) == expected


def test_a_model_that_does_not_think_is_not_asked_to() -> None:
    assert plan(NEVER, Thinking(), 300) == Plan(300)


@pytest.mark.parametrize(("wanted", "budget"), [(0, 1_024), (1_024, 1_024), (3_000, 3_000)])
def test_a_budget_is_at_least_1024_and_does_not_take_from_the_answer(
    wanted: int, budget: int
) -> None:
    thinking = {"type": "enabled", "budget_tokens": budget}
    expected = Plan(budget + 300, thinks=True, fields={"thinking": thinking})
    assert plan(BUDGET, Thinking(wanted), 300) == expected


def test_a_budget_gives_way_to_the_answer_at_the_models_limit() -> None:
    planned = plan(BUDGET, Thinking(64_000), 10_000)
    assert planned.max_tokens == 64_000
    assert planned.fields["thinking"]["budget_tokens"] == 54_000


def test_a_model_whose_answers_are_too_short_for_a_budget_does_not_think() -> None:
    assert plan(changed(BUDGET, max_output=1_024), Thinking(), 300) == Plan(300)
    planned = plan(changed(BUDGET, max_output=1_025), Thinking(), 300)
    assert (planned.max_tokens, planned.fields["thinking"]["budget_tokens"]) == (1_025, 1_024)


@pytest.mark.parametrize(
    ("wish", "effort"),
    [
        (Thinking(1_024), "low"),
        (Thinking(3_000), "medium"),
        (Thinking(9_000), "high"),
        (Thinking(9_000, effort="low"), "low"),
    ],
)
@pytest.mark.parametrize("model", [ADAPTIVE, UNASKED, ALWAYS])
def test_a_budget_becomes_effort_where_that_is_understood(
    model: Model, wish: Thinking, effort: str
) -> None:
    planned = plan(model, wish, 300)
    assert planned.effort == effort
    assert planned.fields == {"thinking": {"type": "adaptive"}}
    assert planned.max_tokens >= 300 + wish.budget


def test_a_budget_cannot_begin_where_tools_were_asked_for_without_thought() -> None:
    assert plan(BUDGET, Thinking(), 300, resumes=False) == Plan(300)
    assert plan(ADAPTIVE, Thinking(), 300, resumes=False).thinks


def test_a_budget_below_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="not -1"):
        Thinking(-1)


@given(
    model=st.sampled_from(list(SHIPPED.models.values())),
    wish=st.none() | st.builds(Thinking, st.integers(0, 10**6)),
    max_tokens=st.integers(1, 10**6),
)
def test_the_answer_keeps_what_it_was_given_as_far_as_the_limit_allows(
    model: Model, wish: Thinking | None, max_tokens: int
) -> None:
    planned = plan(model, wish, max_tokens)
    assert min(max_tokens, model.max_output) <= planned.max_tokens <= model.max_output
    budget = planned.fields.get("thinking", {}).get("budget_tokens", 0)
    assert planned.max_tokens - budget >= min(max_tokens, model.max_output - 1_024)
