"""What a request has cost, in whole micro-USD.

Contract: `cost_of` is pure and exact to a millionth of a dollar a class of tokens: prompt, answer,
prompt read from the cache, prompt written to it. Thinking is inside the answer's tokens and is not
added again. A long prompt, cached tokens included, has the long-context prices for all of the
request; a geographic profile costs its surcharge more. The specification's two functions go by the
same table, in USD and by their own rules.
Errors: `UnknownModel` of those two; a model whose price nobody knows costs a call nothing, and the
cost says so (`priced`).
Source: Bedrock pricing; Converse, `usage`; Bedrock guide, section 2 (`calculate_cost`); Claude 4
guide, "Cost Management".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aybiza.claude.models import ModelProfile, listed, profile_of
from aybiza.claude.stream import Usage, get_thinking_tokens, usage_of
from aybiza.config.catalogue import MICRO, Prices, Ttl
from aybiza.config.rule_sets import RULE_SETS, Rules

_PERCENT: Final = 100


@dataclass(frozen=True, slots=True)
class Cost:
    """Micro-USD of one request, or of several added up."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    priced: bool = True

    @property
    def total(self) -> int:
        """All four classes together."""
        return self.input + self.output + self.cache_read + self.cache_write

    @property
    def usd(self) -> float:
        """For metrics and people; sums are kept in micro-USD."""
        return self.total / MICRO

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
            self.priced and other.priced,
        )


def cost_of(profile: ModelProfile, usage: Usage, *, ttl: Ttl = "5m") -> Cost:
    """The cost of one answer. ttl: how long the request's cache points are kept."""
    if not profile.known:
        return Cost(priced=False)
    prices = _prices(profile, usage)
    percent = _PERCENT + profile.surcharge_percent
    read = prices.input if prices.cache_read is None else prices.cache_read
    return Cost(
        input=_micro_usd(usage.input_tokens, prices.input, percent),
        output=_micro_usd(usage.output_tokens, prices.output, percent),
        cache_read=_micro_usd(usage.cache_read_input_tokens, read, percent),
        cache_write=_micro_usd(usage.cache_write_input_tokens, _write(prices, ttl), percent),
    )


def _prices(profile: ModelProfile, usage: Usage) -> Prices:
    longer = profile.model.long_context
    prompt = usage.input_tokens + usage.cache_read_input_tokens + usage.cache_write_input_tokens
    return longer if longer is not None and prompt > longer.above else profile.model.prices


def _write(prices: Prices, ttl: Ttl) -> int:
    hour, minutes = prices.cache_write_1h, prices.cache_write_5m
    if ttl == "1h" and hour is not None:
        return hour
    return prices.input if minutes is None else minutes


def _micro_usd(tokens: int, price: int, percent: int) -> int:
    """Rounded to the nearest; half of one is rounded up."""
    divisor = MICRO * _PERCENT
    return (max(tokens, 0) * price * percent + divisor // 2) // divisor


def calculate_cost(model_id: str, response: object, *, rules: Rules = "specification") -> float:
    """USD of one answer; `response` is whatever `usage_of` takes.

    In the specification's rules caches cost nothing, and thinking that is told apart is charged
    like the answer; it raises UnknownModel for what the Bedrock guide does not list. As printed it
    is a thousand times too much, for the guide divides prices per million by a thousand.

    >>> calculate_cost("anthropic.claude-3-7-sonnet-20250219-v1:0", {"output_tokens": 1000})
    0.015
    """
    usage, known = usage_of(response), RULE_SETS[rules]
    if known.tokens_a_price is None:
        return cost_of(profile_of(model_id), usage).usd
    prices = listed(model_id, known.models).prices
    output = usage.output_tokens + get_thinking_tokens(response)
    return _usd(prices, usage.input_tokens, output, known.tokens_a_price)


def calculate_request_cost(
    model: str, input_tokens: int, output_tokens: int, *, rules: Rules = "specification"
) -> float:
    """USD of one request. In the specification's rules it raises UnknownModel for 3.7 Sonnet and
    3 Haiku, which the Claude 4 guide has no prices for.

    >>> calculate_request_cost("anthropic.claude-4-opus-20250120", 1000, 1000)
    0.09
    """
    known = RULE_SETS[rules]
    if known.tokens_a_price is None:
        return cost_of(profile_of(model), Usage(input_tokens, output_tokens)).usd
    prices = listed(model, known.priced).prices
    return _usd(prices, input_tokens, output_tokens, known.tokens_a_price)


def _usd(prices: Prices, input_tokens: int, output_tokens: int, tokens_a_price: int) -> float:
    """In the order of the specification's operations, so that sums are equal to the last digit."""
    input_cost = (input_tokens / tokens_a_price) * (prices.input / MICRO)
    output_cost = (output_tokens / tokens_a_price) * (prices.output / MICRO)
    return input_cost + output_cost
