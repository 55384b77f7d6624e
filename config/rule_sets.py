"""The rule sets of the specification's functions: one code, and what it goes by as data.

    rules="specification"   what the recordings of the Elixir have: the guides' text, mended where
                            it does not run
    rules="printed"         the same with the two defects that the recordings tell apart
    rules="call"            what a telephone call runs on

A function of the specification takes `rules`, and is a porter's without it. Models, prices and
scores are the catalogue's in every set. Contract: pure data. Errors: none; `UnknownModel` is for
functions whose text raises for a model that it does not list.
Source: Bedrock guide, section 2 (`@model_capabilities`, `determine_max_tokens`, `calculate_cost`,
`supports_tool_use?`); Claude 4 guide, "Pricing Overview".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from aybiza.config.catalogue import TIERS, Tier

Rules = Literal["printed", "specification", "call"]

CLAUDE_4_OPUS: Final = "anthropic.claude-4-opus-20250120"
CLAUDE_4_SONNET: Final = "anthropic.claude-4-sonnet-20250120"
CLAUDE_3_7_SONNET: Final = "anthropic.claude-3-7-sonnet-20250219-v1:0"
CLAUDE_3_5_SONNET: Final = "anthropic.claude-3-5-sonnet-20241022-v2:0"
CLAUDE_3_5_HAIKU: Final = "anthropic.claude-3-5-haiku-20241022-v1:0"
CLAUDE_3_HAIKU: Final = "anthropic.claude-3-haiku-20240307-v1:0"

BEDROCK_GUIDE: Final = (CLAUDE_3_7_SONNET, CLAUDE_3_5_SONNET, CLAUDE_3_5_HAIKU, CLAUDE_3_HAIKU)
"""The models of the Bedrock guide, one a tier, the most capable first."""
CLAUDE_4_GUIDE: Final = (CLAUDE_4_OPUS, CLAUDE_4_SONNET, CLAUDE_3_5_SONNET, CLAUDE_3_5_HAIKU)
"""The models that the Claude 4 guide has prices for."""


class UnknownModel(LookupError):
    """The specification says nothing of this model."""

    def __init__(self, model_id: object) -> None:
        super().__init__(f"the specification has no figures for model {model_id!r}")


@dataclass(frozen=True, slots=True)
class RuleSet:
    """models, priced: the ids that the Bedrock guide's functions and the Claude 4 guide's price
    list know; None: any. tools_from: the lowest tier that is given tools. voice_tokens: the limit
    of a spoken answer by tier; None: by the words that it should have. tokens_a_price: how many
    tokens a price is divided by; None: the price of each class of tokens, to a millionth of a
    dollar. counts_sentences: whether the sentences of one chunk have numbers of their own."""

    models: tuple[str, ...] | None = None
    priced: tuple[str, ...] | None = None
    tools_from: Tier = "economy"
    voice_tokens: Mapping[Tier, int] | None = None
    tokens_a_price: int | None = None
    counts_sentences: bool = True

    def has_tools(self, tier: Tier) -> bool:
        """Whether models of this tier are given tools."""
        return TIERS.index(tier) >= TIERS.index(self.tools_from)


_VOICE_TOKENS: Final[Mapping[Tier, int]] = {
    "deep": 2048,
    "balanced": 1024,
    "fast": 512,
    "economy": 256,
}
_SPECIFICATION: Final = RuleSet(
    models=BEDROCK_GUIDE,
    priced=CLAUDE_4_GUIDE,
    tools_from="balanced",
    voice_tokens=_VOICE_TOKENS,
    tokens_a_price=1_000_000,
)
RULE_SETS: Final[Mapping[Rules, RuleSet]] = {
    "specification": _SPECIFICATION,
    "printed": replace(_SPECIFICATION, tokens_a_price=1_000, counts_sentences=False),
    "call": RuleSet(),
}
