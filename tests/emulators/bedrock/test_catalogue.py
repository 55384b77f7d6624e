"""The models that are served."""

import pytest

from aybiza.emulators.bedrock import catalogue

HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"


@pytest.mark.parametrize(
    "model_id",
    [
        f"global.{HAIKU}",
        f"us.{HAIKU}",
        f"us-gov.{HAIKU}",
        f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{HAIKU}",
    ],
)
def test_an_inference_profile_leads_to_its_model(model_id: str) -> None:
    assert catalogue.find(model_id).id == HAIKU


@pytest.mark.parametrize(
    "model_id", [HAIKU, f"arn:aws:bedrock:us-east-1::foundation-model/{HAIKU}"]
)
def test_a_bare_id_needs_a_profile(model_id: str) -> None:
    with pytest.raises(catalogue.ProfileNeeded, match="inference profile"):
        catalogue.find(model_id)


@pytest.mark.parametrize("prefix", ["", "us."])
def test_a_retired_model_is_at_its_end_of_life(prefix: str) -> None:
    with pytest.raises(catalogue.EndOfLife, match="end of its life"):
        catalogue.find(f"{prefix}anthropic.claude-3-haiku-20240307-v1:0")


@pytest.mark.parametrize(
    "model_id",
    [
        "",
        "claude",
        "anthropic.claude-4-opus-20250120",
        "apac.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "mars.anthropic.claude-sonnet-4-6",
    ],
)
def test_what_never_existed_is_invalid(model_id: str) -> None:
    with pytest.raises(catalogue.UnknownModel, match="invalid"):
        catalogue.find(model_id)


def test_a_model_that_always_thinks_takes_no_sampling() -> None:
    always = [model for model in catalogue.MODELS.values() if model.always_thinks]
    assert always
    assert all(model.sampling == "none" for model in always)
