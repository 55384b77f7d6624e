"""What a request has cost, in whole micro-USD.

Contract: `cost_of` is pure and exact to a millionth of a dollar a class of tokens: prompt, answer,
prompt read from the cache, prompt written to it. Thinking is inside the answer's tokens and is not
added again. A long prompt, cached tokens included, has the long-context prices for all of the
request; a geographic profile costs its surcharge more. Errors: none; a model whose price nobody
knows costs nothing, and the cost says so (`priced`).
Source: Bedrock pricing; Converse, `usage`. The specification's own two functions are in
`aybiza.claude.pricing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aybiza.claude.models import ModelProfile
from aybiza.claude.stream import Usage
from aybiza.config.catalogue import MICRO, Prices, Ttl

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
