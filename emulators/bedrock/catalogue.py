"""The models that the emulator serves, as the service knows them.

Contract: data, and `find`, which resolves a base id, an inference profile id or an ARN of either.
It is written down apart from the production's own catalogue on purpose: an emulator that shared it
would agree with its mistakes.
Errors: `find` raises `UnknownModel`, `EndOfLife` or `ProfileNeeded`; their text is the service's.
Source: Bedrock: supported models, inference profiles, model lifecycle.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

BUDGET = "budget"
ADAPTIVE = "adaptive"

_PREFIXES = frozenset({"us", "eu", "apac", "jp", "au", "us-gov", "global"})


class UnknownModel(LookupError):
    """No model has this id."""


class EndOfLife(LookupError):
    """The model was retired."""


class ProfileNeeded(LookupError):
    """The bare id is not served on demand: an inference profile has to be named."""


@dataclass(frozen=True, slots=True)
class Model:
    """What a model takes. `sampling`: how many of temperature and topP, `none` at all.

    `context`: how many tokens it reads at most. `min_cache_tokens`: what is shorter is not kept.
    """

    id: str
    max_output: int
    thinking: frozenset[str]
    sampling: Literal["one", "none"]
    always_thinks: bool = False
    prefill: bool = False
    system_messages: bool = False
    context: int = 1_000_000
    min_cache_tokens: int = 1_024
    profiles: frozenset[str] = _PREFIXES


def _one(model_id: str, max_output: int, *thinking: str, prefill: bool = False) -> Model:
    return Model(
        f"anthropic.{model_id}",
        max_output,
        frozenset(thinking),
        "one",
        prefill=prefill,
        context=200_000 if prefill else 1_000_000,
    )


def _none(model_id: str, *, always_thinks: bool = False, system: bool = True) -> Model:
    return Model(
        f"anthropic.{model_id}",
        128_000,
        frozenset({ADAPTIVE}),
        "none",
        always_thinks=always_thinks,
        system_messages=system,
    )


def _keeping(model: Model, least: int) -> Model:
    return replace(model, min_cache_tokens=least)


def _without(model: Model, *prefixes: str) -> Model:
    return replace(model, profiles=model.profiles.difference(prefixes))


MODELS: dict[str, Model] = {
    model.id: model
    for model in (
        _keeping(_one("claude-haiku-4-5-20251001-v1:0", 64_000, BUDGET, prefill=True), 4_096),
        _without(_one("claude-sonnet-4-5-20250929-v1:0", 64_000, BUDGET, prefill=True), "apac"),
        _keeping(
            _without(_one("claude-opus-4-5-20251101-v1:0", 64_000, BUDGET, prefill=True), "jp"),
            4_096,
        ),
        _one("claude-sonnet-4-6", 64_000, BUDGET, ADAPTIVE),
        _keeping(_one("claude-opus-4-6-v1", 128_000, BUDGET, ADAPTIVE), 4_096),
        _keeping(_none("claude-opus-4-7", system=False), 4_096),
        _none("claude-opus-4-8", system=False),
        _keeping(_none("claude-haiku-5-5"), 512),
        _none("claude-sonnet-5"),
        _keeping(_none("claude-opus-5"), 512),
        _keeping(_none("claude-sonnet-5-5", always_thinks=True), 512),
        _keeping(_none("claude-opus-5-5", always_thinks=True), 512),
    )
}

RETIRED = frozenset(
    {
        "anthropic.claude-3-haiku-20240307-v1:0",
        "anthropic.claude-3-sonnet-20240229-v1:0",
        "anthropic.claude-3-opus-20240229-v1:0",
        "anthropic.claude-3-5-haiku-20241022-v1:0",
        "anthropic.claude-3-5-sonnet-20240620-v1:0",
        "anthropic.claude-3-5-sonnet-20241022-v2:0",
        "anthropic.claude-3-7-sonnet-20250219-v1:0",
        "anthropic.claude-sonnet-4-20250514-v1:0",
        "anthropic.claude-opus-4-20250514-v1:0",
    }
)


def find(model_id: str) -> Model:
    """The model behind a base id, an inference profile id, or an ARN of either."""
    named = model_id.rpartition("/")[2] if model_id.startswith("arn:") else model_id
    prefix, dot, rest = named.partition(".")
    profile, base = (prefix, rest) if dot and prefix in _PREFIXES else (None, named)
    if base in RETIRED:
        raise EndOfLife(
            "This model version has reached the end of its life. "
            "Please refer to the AWS documentation for more details."
        )
    model = MODELS.get(base)
    if model is None or (profile is not None and profile not in model.profiles):
        raise UnknownModel("The provided model identifier is invalid.")
    if profile is None:
        raise ProfileNeeded(
            f"Invocation of model ID {model_id} with on-demand throughput isn’t supported. "
            "Retry your request with the ID or ARN of an inference profile "
            "that contains this model."
        )
    return model
