"""Model ids and what the models behind them accept."""

from __future__ import annotations

import doctest
from typing import Any

import pytest

from aybiza.claude import models
from aybiza.claude.models import (
    SHIPPED,
    determine_max_tokens,
    listed,
    model_capabilities,
    profile_of,
    supports_tool_use,
)
from aybiza.config.rule_sets import BEDROCK_GUIDE, UnknownModel
from tests.cases import each
from tests.claude.golden import cases

Case = dict[str, Any]

HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"


@pytest.mark.parametrize(
    ("model_id", "surcharge"),
    [
        (HAIKU, 0),
        (f"us.{HAIKU}", 10),
        (f"us-gov.{HAIKU}", 10),
        (f"global.{HAIKU}", 0),
        (f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{HAIKU}", 10),
        (f"arn:aws:bedrock:us-east-1::foundation-model/{HAIKU}", 0),
    ],
)
def test_profiles_and_arns_lead_to_their_model_and_its_price(model_id: str, surcharge: int) -> None:
    profile = profile_of(model_id)
    assert profile.model is SHIPPED.models[HAIKU]
    assert (profile.id, profile.surcharge_percent, profile.known) == (model_id, surcharge, True)


def test_another_name_leads_to_the_real_model() -> None:
    profile = profile_of("us.anthropic.claude-4-opus-20250120")
    assert profile.model.id == "anthropic.claude-opus-4-20250514-v1:0"


def test_an_unknown_model_gets_what_every_model_accepts_and_no_price() -> None:
    profile = profile_of("us.anthropic.claude-of-the-future")
    model = profile.model
    assert (profile.id, model.id) == (
        "us.anthropic.claude-of-the-future",
        "anthropic.claude-of-the-future",
    )
    assert not profile.known
    assert model.max_output == min(m.max_output for m in SHIPPED.models.values())
    assert (model.sampling, model.thinking, model.no_thinking) == ("none", (), "omit")
    assert not (model.forced_tools or model.prefill or model.min_cache_tokens)
    assert (model.prices.input, model.prices.output) == (0, 0)


@each(cases("determine_max_tokens"))
def test_determine_max_tokens_answers_as_recorded(case: Case) -> None:
    if "raises" in case:
        with pytest.raises(UnknownModel):
            determine_max_tokens(**case["input"])
    else:
        assert determine_max_tokens(**case["input"]) == case["output"]


@pytest.mark.parametrize(
    ("options", "tokens"),
    [({}, 300), ({"words": 150}, 300), ({"words": 20}, 256), ({"max_tokens": 90, "words": 20}, 90)],
)
def test_a_call_gives_an_answer_as_many_tokens_as_its_words_need(
    options: dict[str, int], tokens: int
) -> None:
    assert determine_max_tokens(HAIKU, options, rules="call") == tokens


@each(cases("supports_tool_use"))
def test_supports_tool_use_answers_as_recorded(case: Case) -> None:
    assert supports_tool_use(**case["input"]) is case["output"]


def test_a_call_gives_tools_to_every_model_that_has_them() -> None:
    assert all(supports_tool_use(each, rules="call") for each in (*BEDROCK_GUIDE, HAIKU))


def test_the_printed_capabilities_are_the_catalogues() -> None:
    found = {each: model_capabilities(each) for each in BEDROCK_GUIDE}
    thinks, tools, sees = (
        [each[name] for each in found.values()]
        for name in ("extended_thinking", "tool_use", "vision")
    )
    assert thinks == [True, False, False, False]
    assert tools == [True, True, False, False]
    assert sees == [True, True, False, True]
    assert found[BEDROCK_GUIDE[0]]["max_tokens"] == 64_000


def test_an_unknown_model_is_named() -> None:
    with pytest.raises(UnknownModel, match="'x'"):
        listed("x")


def test_the_examples_hold() -> None:
    ran = doctest.testmod(models)
    assert ran.attempted > 0
    assert ran.failed == 0
