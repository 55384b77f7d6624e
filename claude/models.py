"""What a Claude model on Bedrock accepts, by model id.

Purpose: the request builder drops what a model would refuse. Contract: `profile_of(model_id)`
always answers; an id that is not in the table gets the profile that every model accepts (no
sampling parameter, the smallest output limit). Errors: none.
Source: Bedrock model cards and Anthropic's model overview (limits, sampling), 2026-11.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Sampling(StrEnum):
    """Which of temperature and topP a request may carry."""

    NONE = "none"
    ONE_OF = "one_of"


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """Capabilities of one model.

    base_id: the id without an inference profile's prefix. sampling: which sampling parameters it
    takes. max_output_tokens: upper bound of `maxTokens`.
    """

    base_id: str
    sampling: Sampling
    max_output_tokens: int


_PROFILE_PREFIX = re.compile(r"^(?:us-gov|us|eu|apac|jp|au|global)\.")

_PROFILES = {
    profile.base_id: profile
    for profile in (
        ModelProfile("anthropic.claude-haiku-4-5-20251001-v1:0", Sampling.ONE_OF, 64_000),
        ModelProfile("anthropic.claude-sonnet-4-5-20250929-v1:0", Sampling.ONE_OF, 64_000),
        ModelProfile("anthropic.claude-opus-4-5-20251101-v1:0", Sampling.ONE_OF, 64_000),
        ModelProfile("anthropic.claude-sonnet-4-6", Sampling.ONE_OF, 64_000),
        ModelProfile("anthropic.claude-opus-4-6-v1", Sampling.ONE_OF, 128_000),
        ModelProfile("anthropic.claude-opus-4-7", Sampling.NONE, 128_000),
        ModelProfile("anthropic.claude-opus-4-8", Sampling.NONE, 128_000),
        ModelProfile("anthropic.claude-haiku-5-5", Sampling.NONE, 128_000),
        ModelProfile("anthropic.claude-sonnet-5", Sampling.NONE, 128_000),
        ModelProfile("anthropic.claude-sonnet-5-5", Sampling.NONE, 128_000),
        ModelProfile("anthropic.claude-opus-5", Sampling.NONE, 128_000),
        ModelProfile("anthropic.claude-opus-5-5", Sampling.NONE, 128_000),
    )
}

_SMALLEST_OUTPUT_LIMIT = 4_096


def base_model_id(model_id: str) -> str:
    """The base id behind an inference-profile id or an ARN of either; other ids are unchanged.

    `us.anthropic.claude-x`, `arn:aws:bedrock:…:inference-profile/us.anthropic.claude-x` and
    `arn:aws:bedrock:…::foundation-model/anthropic.claude-x` all give `anthropic.claude-x`.
    """
    if model_id.startswith("arn:"):
        model_id = model_id.rsplit("/", 1)[-1]
    return _PROFILE_PREFIX.sub("", model_id)


def profile_of(model_id: str) -> ModelProfile:
    """The profile of a model id, inference-profile id or ARN."""
    base_id = base_model_id(model_id)
    known = _PROFILES.get(base_id)
    return known or ModelProfile(base_id, Sampling.NONE, _SMALLEST_OUTPUT_LIMIT)
