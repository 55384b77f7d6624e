"""What the model behind an id accepts and costs.

Purpose: the request builder drops what a model would refuse, and a request has a price. Contract:
`profile_of(model_id)` always answers; an id that is not in the catalogue gets what every model
accepts (no thinking, no sampling parameter, the smallest output limit) and no price, for unknown
ids are refused where a node starts. What the specification says of a model is the same entry under
a rule set (`aybiza.config.rule_sets`). Errors: `UnknownModel` of the specification's functions.
Source: `config/models.toml`; Bedrock guide, section 2 (`@model_capabilities`,
`determine_max_tokens`, `supports_tool_use?`, `handle_throttling_with_model_fallback`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aybiza.config.catalogue import TIERS, Catalogue, Model, Prices, Scores, shipped
from aybiza.config.rule_sets import BEDROCK_GUIDE, RULE_SETS, Rules, UnknownModel

# Read when a node is put together, never while it carries calls.
SHIPPED: Final = shipped()

# Spoken English has some 1.3 tokens a word; an answer that runs long is not to break off.
TOKENS_A_WORD: Final = 2
# An answer's limit where the agent has none.
MAX_TOKENS: Final = 300
# A tool's input has to fit whatever length the answer should have.
MIN_TOKENS: Final = 256

_SMALLEST_OUTPUT_LIMIT: Final = 4_096
_SMALLEST_CONTEXT: Final = 200_000


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """A model as requests name it.

    id: the id that goes into a request. model: what the catalogue says of it. surcharge_percent:
    how much more this id costs than the catalogue's prices. known: False for an id that the
    catalogue does not have.
    """

    id: str
    model: Model
    surcharge_percent: int = 0
    known: bool = True


def profile_of(model_id: str, catalogue: Catalogue = SHIPPED) -> ModelProfile:
    """The profile of a model id, inference-profile id, ARN, or another name of one."""
    model = catalogue.find(model_id)
    if model is None:
        return ModelProfile(model_id, _unknown(catalogue.split(model_id)[1]), known=False)
    return ModelProfile(model_id, model, catalogue.surcharge_percent(model_id))


def listed(model_id: str | None, ids: Sequence[str] | None = BEDROCK_GUIDE) -> Model:
    """The model of an id that is among `ids`, or of any. Raises UnknownModel."""
    model = SHIPPED.find(model_id or "") if ids is None or model_id in ids else None
    if model is None:
        raise UnknownModel(model_id)
    return model


def model_capabilities(model_id: str, *, rules: Rules = "specification") -> dict[str, Any]:
    """What `@model_capabilities` has for a model. Raises UnknownModel.

    >>> model_capabilities("anthropic.claude-3-5-haiku-20241022-v1:0")["tool_use"]
    False
    """
    model = listed(model_id, RULE_SETS[rules].models)
    return {
        **model.scores.model_dump(),
        "extended_thinking": bool(model.thinking),
        "tool_use": supports_tool_use(model_id, rules=rules),
        "vision": model.vision,
        "max_tokens": model.max_output,
    }


def supports_tool_use(model_id: str | None, *, rules: Rules = "specification") -> bool:
    """Whether the model is given tools. The Bedrock guide denies them to both Haikus, which had
    them.

    >>> haiku = "anthropic.claude-3-5-haiku-20241022-v1:0"
    >>> supports_tool_use(haiku), supports_tool_use(haiku, rules="call")
    (False, True)
    """
    known = RULE_SETS[rules]
    if known.models is not None and model_id not in known.models:
        return False
    model = profile_of(model_id or "").model
    return model.tools and known.has_tools(model.tier)


def determine_max_tokens(
    model_id: str, options: Mapping[str, Any], *, rules: Rules = "specification"
) -> int | None:
    """Tokens of a spoken answer, without what thinking takes.

    The specification: `max_tokens` of the options, an explicit None included, else the model's
    figure; raises UnknownModel even if the options say how many. A call: `max_tokens`, the agent's
    limit, and no more than the `words` of the options need.

    >>> determine_max_tokens("anthropic.claude-3-haiku-20240307-v1:0", {})
    256
    >>> determine_max_tokens("anthropic.claude-sonnet-4-6", {"words": 140}, rules="call")
    280
    """
    sizes = RULE_SETS[rules].voice_tokens
    limit: Any = options.get("max_tokens")
    if sizes is not None:
        default = sizes[listed(model_id, RULE_SETS[rules].models).tier]
        chosen: int | None = limit if "max_tokens" in options else default
        return chosen
    most: int = limit if type(limit) is int and limit > 0 else MAX_TOKENS
    words = options.get("words")
    return most if words is None else min(most, max(MIN_TOKENS, words * TOKENS_A_WORD))


def downwards(models: Sequence[ModelProfile], chosen: ModelProfile) -> tuple[ModelProfile, ...]:
    """The chosen model, then those of its tier and below, downwards, as the specification's
    fallback goes; what is above comes last."""
    top = TIERS.index(chosen.model.tier)

    def rung(profile: ModelProfile) -> tuple[bool, int]:
        at = TIERS.index(profile.model.tier)
        return at > top, abs(at - top)

    others = [profile for profile in models if profile.id != chosen.id]
    return (chosen, *sorted(others, key=rung))


def _unknown(base_id: str) -> Model:
    return Model.model_construct(
        id=base_id,
        name=base_id,
        tier="balanced",
        scores=Scores(intelligence=1, speed=1, cost=1),
        context=_SMALLEST_CONTEXT,
        max_output=_SMALLEST_OUTPUT_LIMIT,
        prices=Prices(input=0, output=0),
        sampling="none",
        forced_tools=False,
    )
