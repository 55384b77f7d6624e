"""Which models may be asked, with which keys, and at what cost."""

from decimal import Decimal

import pytest

from aybiza.config.settings import Settings, SettingsError, load


def test_the_default_model_comes_first_and_once() -> None:
    assert load({"AWS_BEDROCK_MODELS": "a.one,a.two"}).models == ("a.one", "a.two")
    two = {"AWS_BEDROCK_MODELS": "a.one,a.two", "AWS_DEFAULT_BEDROCK_MODEL": "a.two"}
    assert load(two).models == ("a.two", "a.one")
    other = {"AWS_BEDROCK_MODELS": "a.one", "AWS_DEFAULT_BEDROCK_MODEL": "a.three"}
    assert load(other).models == ("a.three", "a.one")


@pytest.mark.parametrize(
    "model",
    [
        "anthropic.claude-3-haiku-20240307-v1:0",
        "global.anthropic.claude-haiku-4-5-20251001-v1:0",
        "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6",
    ],
)
def test_ids_profiles_and_arns_are_models(model: str) -> None:
    assert load({"AWS_DEFAULT_BEDROCK_MODEL": model}).models[0] == model


@pytest.mark.parametrize("only", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_half_an_access_key_is_refused(only: str) -> None:
    with pytest.raises(SettingsError, match="must be set both or neither"):
        load({only: "half"})


def test_an_amount_of_money_is_exact() -> None:
    assert load({"AYBIZA_QUOTA_CALL_USD": "0.30"}).quota_call_usd == Decimal("0.3")
    assert Settings().quota_call_usd is None


@pytest.mark.parametrize(
    "guardrail", ["abc123:DRAFT", "arn:aws:bedrock:us-east-1:123456789012:guardrail/abc123:7"]
)
def test_a_guardrail_is_named_with_its_version(guardrail: str) -> None:
    assert load({"AYBIZA_GUARDRAIL": guardrail}).guardrail == guardrail


@pytest.mark.parametrize(
    ("env", "streams"),
    [
        ({}, 110),
        ({"AYBIZA_MAX_CALLS": "1"}, 3),
        ({"AYBIZA_MAX_CALLS": "10000"}, 11_000),
        ({"AYBIZA_MAX_CALLS": "100", "BEDROCK_POOL_SIZE": "10"}, 10),
    ],
)
def test_no_call_waits_for_a_connection_unless_that_is_asked_for(
    env: dict[str, str], streams: int
) -> None:
    assert load(env).bedrock_pool_size == streams
