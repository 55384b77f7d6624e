"""Model ids and what the models behind them accept."""

from __future__ import annotations

import pytest

from claude.models import Sampling, base_model_id, profile_of

HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"


@pytest.mark.parametrize(
    "model_id",
    [
        HAIKU,
        f"us.{HAIKU}",
        f"us-gov.{HAIKU}",
        f"eu.{HAIKU}",
        f"global.{HAIKU}",
        f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{HAIKU}",
        f"arn:aws:bedrock:us-east-1::foundation-model/{HAIKU}",
    ],
)
def test_profiles_and_arns_lead_to_their_base_model(model_id: str) -> None:
    assert base_model_id(model_id) == HAIKU
    assert profile_of(model_id).sampling is Sampling.ONE_OF
    assert profile_of(model_id).max_output_tokens == 64_000


def test_only_the_prefix_of_a_profile_is_taken_off() -> None:
    assert base_model_id("useful.model") == "useful.model"


def test_newer_models_take_no_sampling_parameter() -> None:
    assert profile_of("global.anthropic.claude-haiku-5-5").sampling is Sampling.NONE


def test_an_unknown_model_gets_what_every_model_accepts() -> None:
    profile = profile_of("anthropic.claude-of-the-future")
    assert profile.sampling is Sampling.NONE
    assert profile.max_output_tokens == 4_096
