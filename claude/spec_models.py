"""The models that the specification names, with the figures it gives for them.

Purpose: data for the specification's own functions. What a request of today may carry is in
`aybiza.claude.models`: none of these ids can be invoked any more. Errors: `UnknownModel`.
Source: Bedrock guide, section 2 (`@model_capabilities`, `determine_max_tokens`, `calculate_cost`);
Claude 4 guide, "Pricing Overview".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


class UnknownModel(LookupError):
    """The specification says nothing of this model."""

    def __init__(self, model_id: object) -> None:
        super().__init__(f"the specification has no figures for model {model_id!r}")


CLAUDE_4_OPUS: Final = "anthropic.claude-4-opus-20250120"
CLAUDE_4_SONNET: Final = "anthropic.claude-4-sonnet-20250120"
CLAUDE_3_7_SONNET: Final = "anthropic.claude-3-7-sonnet-20250219-v1:0"
CLAUDE_3_5_SONNET: Final = "anthropic.claude-3-5-sonnet-20241022-v2:0"
CLAUDE_3_5_HAIKU: Final = "anthropic.claude-3-5-haiku-20241022-v1:0"
CLAUDE_3_HAIKU: Final = "anthropic.claude-3-haiku-20240307-v1:0"


@dataclass(frozen=True, slots=True)
class ModelCapabilities:
    """What the Bedrock guide says of one model.

    intelligence, speed, cost: marks out of 10 (cost out of 12, higher is cheaper). max_tokens: its
    output limit. voice_max_tokens: what one spoken answer gets. input_price, output_price: USD per
    million tokens. throttled_to: the model to take when this one is throttled.
    """

    intelligence: int
    speed: int
    cost: int
    extended_thinking: bool
    tool_use: bool
    vision: bool
    max_tokens: int
    voice_max_tokens: int
    input_price: float
    output_price: float
    throttled_to: str


MODEL_CAPABILITIES: Final = {
    CLAUDE_3_7_SONNET: ModelCapabilities(
        intelligence=10,
        speed=6,
        cost=1,
        extended_thinking=True,
        tool_use=True,
        vision=True,
        max_tokens=64_000,
        voice_max_tokens=2048,
        input_price=3.00,
        output_price=15.00,
        throttled_to=CLAUDE_3_5_SONNET,
    ),
    CLAUDE_3_5_SONNET: ModelCapabilities(
        intelligence=9,
        speed=8,
        cost=1,
        extended_thinking=False,
        tool_use=True,
        vision=True,
        max_tokens=8192,
        voice_max_tokens=1024,
        input_price=3.00,
        output_price=15.00,
        throttled_to=CLAUDE_3_5_HAIKU,
    ),
    CLAUDE_3_5_HAIKU: ModelCapabilities(
        intelligence=7,
        speed=10,
        cost=4,
        extended_thinking=False,
        tool_use=False,
        vision=False,
        max_tokens=8192,
        voice_max_tokens=512,
        input_price=0.80,
        output_price=4.00,
        throttled_to=CLAUDE_3_HAIKU,
    ),
    CLAUDE_3_HAIKU: ModelCapabilities(
        intelligence=5,
        speed=9,
        cost=12,
        extended_thinking=False,
        tool_use=False,
        vision=True,
        max_tokens=4096,
        voice_max_tokens=256,
        input_price=0.25,
        output_price=1.25,
        throttled_to=CLAUDE_3_HAIKU,
    ),
}

# USD per million tokens, input and output, as the Claude 4 guide lists them.
CLAUDE_4_GUIDE_PRICES: Final = {
    CLAUDE_4_OPUS: (15.00, 75.00),
    CLAUDE_4_SONNET: (3.00, 15.00),
    CLAUDE_3_5_SONNET: (3.00, 15.00),
    CLAUDE_3_5_HAIKU: (0.80, 4.00),
}


def capabilities(model_id: str) -> ModelCapabilities:
    """The Bedrock guide's figures for a model. Raises UnknownModel."""
    known = MODEL_CAPABILITIES.get(model_id)
    if known is None:
        raise UnknownModel(model_id)
    return known
