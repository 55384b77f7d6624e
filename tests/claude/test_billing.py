"""What a request has cost."""

from __future__ import annotations

import doctest
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.claude import billing
from aybiza.claude.billing import Cost, calculate_cost, calculate_request_cost, cost_of
from aybiza.claude.models import SHIPPED, profile_of
from aybiza.claude.stream import Usage
from aybiza.config.catalogue import load
from aybiza.config.rule_sets import UnknownModel
from tests.cases import each
from tests.claude.golden import cases

Case = dict[str, Any]
HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"
LONG = "global.anthropic.claude-haiku-5-5"


def test_each_class_of_tokens_has_its_price() -> None:
    usage = Usage(1_000, 200, cache_read_input_tokens=5_000, cache_write_input_tokens=400)
    cost = cost_of(profile_of(f"global.{HAIKU}"), usage)
    assert cost == Cost(input=1_000, output=1_000, cache_read=500, cache_write=500)
    assert (cost.total, cost.usd) == (3_000, 0.003)


def test_an_hour_in_the_cache_costs_more_than_five_minutes() -> None:
    usage = Usage(cache_write_input_tokens=1_000)
    assert cost_of(profile_of(HAIKU), usage, ttl="5m").total == 1_250
    assert cost_of(profile_of(HAIKU), usage, ttl="1h").total == 2_000


@pytest.mark.parametrize(("prefix", "total"), [("", 1_000), ("global.", 1_000), ("eu.", 1_100)])
def test_a_geographic_profile_costs_a_tenth_more(prefix: str, total: int) -> None:
    assert cost_of(profile_of(prefix + HAIKU), Usage(1_000)).total == total


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (Usage(100_000, 1_000), Cost(10_000, 500)),
        (Usage(100_001, 1_000), Cost(50_001, 2_500)),
        (Usage(1, 1_000, cache_read_input_tokens=100_000), Cost(1, 2_500, 5_000)),
        (Usage(1, 1_000, 50_000, 50_000), Cost(1, 2_500, 2_500, 31_250)),
    ],
)
def test_a_long_prompt_makes_the_whole_request_dearer(usage: Usage, cost: Cost) -> None:
    assert cost_of(profile_of(LONG), usage) == cost


def test_a_model_whose_price_nobody_knows_costs_nothing_and_says_so() -> None:
    assert cost_of(profile_of("us.a-model"), Usage(1_000, 1_000)) == Cost(priced=False)
    assert (Cost(1) + Cost(priced=False)) == Cost(1, priced=False)


def test_what_a_model_cannot_cache_costs_as_a_prompt_does(tmp_path: Path) -> None:
    haiku = profile_of("anthropic.claude-3-haiku-20240307-v1:0")
    usage = Usage(cache_read_input_tokens=4_000, cache_write_input_tokens=4_000)
    assert cost_of(haiku, usage) == Cost(0, 0, 1_000, 1_000)


def test_a_users_price_counts(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text(f'[models."{HAIKU}".prices]\ninput = 0.5\n')
    assert cost_of(profile_of(HAIKU, load(path)), Usage(1_000)).total == 500


def test_costs_add_up() -> None:
    assert Cost(1, 2, 3, 4) + Cost(10, 20, 30, 40) == Cost(11, 22, 33, 44)


TOKENS = st.integers(0, 10**7)
USAGES = st.builds(Usage, TOKENS, TOKENS, TOKENS, TOKENS)


@given(model=st.sampled_from(sorted(SHIPPED.models)), usage=USAGES)
def test_every_class_is_exact_to_half_a_millionth_of_a_dollar(model: str, usage: Usage) -> None:
    entry = SHIPPED.models[model]
    asked = usage.input_tokens + usage.cache_read_input_tokens + usage.cache_write_input_tokens
    long = entry.long_context is not None and asked > entry.long_context.above
    prices = entry.long_context if long and entry.long_context else entry.prices
    cost = cost_of(profile_of(f"us.{model}"), usage)
    for micro, tokens, price in (
        (cost.input, usage.input_tokens, prices.input),
        (cost.output, usage.output_tokens, prices.output),
        (cost.cache_read, usage.cache_read_input_tokens, prices.cache_read or prices.input),
        (cost.cache_write, usage.cache_write_input_tokens, prices.cache_write_5m or prices.input),
    ):
        exact = Decimal(tokens) * price / 1_000_000 * Decimal("1.1")
        assert abs(micro - exact) <= Decimal("0.5")


@given(TOKENS, TOKENS)
def test_where_the_specification_is_right_it_agrees(asked: int, said: int) -> None:
    model = "anthropic.claude-3-5-sonnet-20241022-v2:0"
    usd = calculate_request_cost(model, asked, said)
    assert cost_of(profile_of(model), Usage(asked, said)).total == pytest.approx(usd * 1e6, abs=1)


@each(cases("calculate_cost"))
def test_calculate_cost_answers_as_recorded(case: Case) -> None:
    response = dict(case["input"])
    model = response.pop("model_id")
    if "raises" in case:
        with pytest.raises(UnknownModel, match="no figures"):
            calculate_cost(model, response)
    else:
        assert calculate_cost(model, response) == case["output"]
        assert calculate_cost(model, response, rules="printed") == case["spec_bug_output"]


@each(cases("calculate_request_cost"))
def test_calculate_request_cost_answers_as_recorded(case: Case) -> None:
    if "raises" in case:
        with pytest.raises(UnknownModel):
            calculate_request_cost(**case["input"])
    else:
        assert calculate_request_cost(**case["input"]) == case["output"]


@given(model=st.sampled_from(sorted(SHIPPED.models)), usage=USAGES)
def test_by_a_calls_rules_both_are_what_is_charged(model: str, usage: Usage) -> None:
    assert calculate_cost(model, usage, rules="call") == cost_of(profile_of(model), usage).usd
    charged = cost_of(profile_of(model), Usage(usage.input_tokens, usage.output_tokens))
    asked, said = usage.input_tokens, usage.output_tokens
    assert calculate_request_cost(model, asked, said, rules="call") == charged.usd


def test_the_examples_hold() -> None:
    ran = doctest.testmod(billing)
    assert ran.attempted > 0
    assert ran.failed == 0
