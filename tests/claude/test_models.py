"""Model ids and what the models behind them accept."""

from __future__ import annotations

import pytest

from aybiza.claude.models import SHIPPED, profile_of

HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"


@pytest.mark.parametrize(
    ("model_id", "surcharge"),
    [
        (HAIKU, 0),
        (f"us.{HAIKU}", 10),
        (f"us-gov.{HAIKU}", 10),
        (f"global.{HAIKU}", 0),
        (f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{HAIKU}", 10),
        (f"arn:aws:bedrock:us-east-1::foundation-model/{HAIKU}", 0),
    ],
)
def test_profiles_and_arns_lead_to_their_model_and_its_price(model_id: str, surcharge: int) -> None:
    profile = profile_of(model_id)
    assert profile.model is SHIPPED.models[HAIKU]
    assert (profile.id, profile.surcharge_percent, profile.known) == (model_id, surcharge, True)


def test_another_name_leads_to_the_real_model() -> None:
    profile = profile_of("us.anthropic.claude-4-opus-20250120")
    assert profile.model.id == "anthropic.claude-opus-4-20250514-v1:0"


def test_an_unknown_model_gets_what_every_model_accepts_and_no_price() -> None:
    profile = profile_of("us.anthropic.claude-of-the-future")
    model = profile.model
    assert (profile.id, model.id) == (
        "us.anthropic.claude-of-the-future",
        "anthropic.claude-of-the-future",
    )
    assert not profile.known
    assert model.max_output == min(m.max_output for m in SHIPPED.models.values())
    assert (model.sampling, model.thinking, model.no_thinking) == ("none", (), "omit")
    assert not (model.forced_tools or model.prefill or model.min_cache_tokens)
    assert (model.prices.input, model.prices.output) == (0, 0)
