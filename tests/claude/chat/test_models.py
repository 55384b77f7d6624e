"""Ids of chat models, and what is known of the models behind them."""

from __future__ import annotations

import doctest

from aybiza.claude.billing import cost_of
from aybiza.claude.chat import models
from aybiza.claude.chat.models import chat_profile, is_chat, name_of, provider_of
from aybiza.claude.stream import Usage
from aybiza.config.prices import ServicePrices, shipped

MODEL = "openai:gpt-4o-mini"


def test_an_id_tells_whose_model_it_is() -> None:
    assert is_chat(MODEL) and provider_of(MODEL) == "openai"
    assert name_of("openai:meta-llama/Llama-3.3-70B:free") == "meta-llama/Llama-3.3-70B:free"
    assert not is_chat("anthropic.claude-haiku-4-5")
    assert provider_of("arn:aws:bedrock:us-east-1::x") == "bedrock"


def test_a_profile_costs_what_the_table_of_prices_says() -> None:
    profile = chat_profile(MODEL, shipped())
    cost = cost_of(profile, Usage(1_000_000, 1_000_000, 1_000_000))
    assert (cost.input, cost.output, cost.cache_read) == (150_000, 600_000, 75_000)
    assert cost.priced


def test_a_model_without_a_price_costs_nothing_and_says_so() -> None:
    cost = cost_of(chat_profile("openai:own", ServicePrices()), Usage(10, 10))
    assert (cost.total, cost.priced) == (0, False)


def test_the_examples_hold() -> None:
    assert doctest.testmod(models).failed == 0
