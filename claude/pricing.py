"""What a request costs by the specification's price lists, in USD.

Purpose: the specification's two cost functions. Contract: pure; prices are per million tokens.
Errors: `UnknownModel` for a model without a price in the list in question.
Source: Bedrock guide, section 2 (`calculate_cost`); Claude 4 guide, "Cost Management".
"""

from __future__ import annotations

from typing import Final

from aybiza.claude.spec_models import CLAUDE_4_GUIDE_PRICES, UnknownModel, capabilities

_TOKENS_PER_PRICE: Final = 1_000_000
_TOKENS_PER_PRICE_AS_PRINTED: Final = 1000


def calculate_cost(
    model_id: str,
    input_tokens: int,
    output_tokens: int,
    thinking_tokens: int = 0,
    *,
    as_printed: bool = False,
) -> float:
    """Cost by the Bedrock guide's list; thinking tokens are billed as output.

    thinking_tokens: only those that `output_tokens` does not contain; Bedrock's usage contains
    them. as_printed: divide by a thousand as the guide's text does, which is a thousand times too
    high.
    """
    model = capabilities(model_id)
    divisor = _TOKENS_PER_PRICE_AS_PRINTED if as_printed else _TOKENS_PER_PRICE
    input_cost = (input_tokens / divisor) * model.input_price
    output_cost = ((output_tokens + thinking_tokens) / divisor) * model.output_price
    return input_cost + output_cost


def calculate_request_cost(model: str, input_tokens: int, output_tokens: int) -> float:
    """Cost by the Claude 4 guide's list, which lacks 3.7 Sonnet and 3 Haiku."""
    prices = CLAUDE_4_GUIDE_PRICES.get(model)
    if prices is None:
        raise UnknownModel(model)
    input_price, output_price = prices
    input_cost = (input_tokens / _TOKENS_PER_PRICE) * input_price
    output_cost = (output_tokens / _TOKENS_PER_PRICE) * output_price
    return input_cost + output_cost
