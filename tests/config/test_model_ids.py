"""From the id that somebody wrote to the one that Bedrock answers to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.claude.regions import REGION_OF_COUNTRY
from aybiza.config.catalogue import shipped
from aybiza.config.model_ids import ModelIdError, Resolved, resolve
from aybiza.emulators.bedrock import catalogue as emulated

TODAY = date(2026, 11, 20)
HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"
SONNET = "anthropic.claude-sonnet-4-6"
OPUS_4 = "anthropic.claude-4-opus-20250120"
ARN = f"arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.{SONNET}"


def resolved(model_id: str, region: str | None = None, today: date = TODAY) -> Resolved:
    return resolve(shipped(), model_id, today=today, region=region)


@pytest.mark.parametrize("model_id", [f"global.{HAIKU}", f"us.{SONNET}", ARN])
def test_a_good_id_is_left_as_it_is(model_id: str) -> None:
    found = resolved(model_id)
    assert (found.asked, found.id, found.warning) == (model_id, model_id, None)


@pytest.mark.parametrize(
    ("model_id", "region", "sent"),
    [
        (OPUS_4, "us-east-1", "us.anthropic.claude-opus-4-6-v1"),
        (f"global.{OPUS_4}", "eu-west-1", "global.anthropic.claude-opus-4-6-v1"),
        ("anthropic.claude-4-sonnet-20250120", "eu-west-1", f"eu.{SONNET}"),
        ("anthropic.claude-3-7-sonnet-20250219-v1:0", "us-west-2", f"us.{SONNET}"),
        ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", None, f"us.{SONNET}"),
        ("apac.anthropic.claude-3-7-sonnet-20250219-v1:0", "ap-south-1", f"global.{SONNET}"),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", "ap-northeast-1", f"jp.{SONNET}"),
        ("anthropic.claude-3-5-haiku-20241022-v1:0", "us-east-1", f"us.{HAIKU}"),
        ("anthropic.claude-3-haiku-20240307-v1:0", None, "global.anthropic.claude-haiku-5-5"),
        (ARN.replace(SONNET, OPUS_4), None, "eu.anthropic.claude-opus-4-6-v1"),
    ],
)
def test_a_retired_model_becomes_its_successor_through_the_nearest_profile(
    model_id: str, region: str | None, sent: str
) -> None:
    found = resolved(model_id, region)
    assert found.id == sent
    assert found.warning is not None
    assert found.warning.startswith(model_id)
    assert "was retired by Bedrock on 2026-" in found.warning
    assert found.warning.endswith(f"; {sent} is asked instead")


def test_another_name_is_said_to_be_one() -> None:
    assert resolved(OPUS_4, "us-east-1").warning == (
        f"{OPUS_4} is another name of anthropic.claude-opus-4-20250514-v1:0, which was retired by"
        " Bedrock on 2026-05-31; us.anthropic.claude-opus-4-6-v1 is asked instead"
    )


def test_before_its_end_the_specifications_model_itself_is_asked() -> None:
    found = resolved(OPUS_4, "us-east-1", date(2025, 7, 1))
    assert found.id == "us.anthropic.claude-opus-4-20250514-v1:0"
    assert found.warning == (
        f"{OPUS_4} is another name of anthropic.claude-opus-4-20250514-v1:0, which is served"
        f" through inference profiles only; {found.id} is asked instead"
    )
    on_demand = "anthropic.claude-3-5-haiku-20241022-v1:0"
    assert resolved(on_demand, "us-east-1", date(2025, 7, 1)) == Resolved(
        on_demand, on_demand, shipped().models[on_demand]
    )


@pytest.mark.parametrize(
    ("region", "sent"),
    [
        ("us-east-1", f"us.{SONNET}"),
        ("eu-central-1", f"eu.{SONNET}"),
        ("ap-southeast-2", f"au.{SONNET}"),
        ("ap-south-1", f"global.{SONNET}"),
        (None, f"global.{SONNET}"),
    ],
)
def test_a_base_id_is_asked_through_the_profile_of_its_region(
    region: str | None, sent: str
) -> None:
    found = resolved(SONNET, region)
    assert found.id == sent
    assert found.warning == (
        f"{SONNET} is served through inference profiles only; {sent} is asked instead"
    )


def test_the_narrowest_profile_of_a_region_is_taken() -> None:
    models = dict(shipped().models)
    models[SONNET] = models[SONNET].model_copy(update={"profiles": ("apac", "jp", "global")})
    catalogue = replace(shipped(), models=models)
    for region, prefix in (("ap-northeast-1", "jp"), ("ap-south-1", "apac")):
        found = resolve(catalogue, SONNET, today=TODAY, region=region)
        assert found.id == f"{prefix}.{SONNET}"


def test_an_end_that_is_near_is_told() -> None:
    model_id = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    near = resolved(model_id)
    assert (near.id, near.warning) == (
        model_id,
        "anthropic.claude-sonnet-4-5-20250929-v1:0 reaches its end of life on 2027-04-08;"
        " its successor is anthropic.claude-sonnet-4-6",
    )
    assert resolved(model_id, today=date(2026, 1, 1)).warning is None


@pytest.mark.parametrize(
    ("model_id", "region", "says"),
    [
        ("us.anthropic.claude-haiku-4-6", None, f"no such model; the nearest are {HAIKU}, "),
        ("mars.anthropic.claude-sonnet-4-6", None, "no such model; the nearest are anthropic"),
        (
            "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc",
            None,
            "this ARN does not say which model stands behind it",
        ),
        (
            "jp.anthropic.claude-opus-4-5-20251101-v1:0",
            None,
            r"Claude Opus 4.5 has no jp. profile; it has us., eu., global. If Bedrock offers",
        ),
        (f"eu.{SONNET}", "us-east-1", "the eu. profile cannot be asked from us-east-1, only from"),
        (f"global.{SONNET}", "us-gov-west-1", "the global. profile cannot be asked from us-gov"),
    ],
)
def test_what_no_request_can_name_is_refused_in_words(
    model_id: str, region: str | None, says: str
) -> None:
    with pytest.raises(ModelIdError, match=says) as caught:
        resolved(model_id, region)
    assert str(caught.value).startswith(f"{model_id}: ")


def test_an_unknown_id_comes_with_the_three_nearest_in_service() -> None:
    with pytest.raises(ModelIdError) as caught:
        resolved("anthropic.claude-3-sonnet-20240229-v1:0")
    nearest = str(caught.value).partition("nearest are ")[2].partition(". `aybiza")[0].split(", ")
    assert len(nearest) == 3
    assert not any(shipped().models[model_id].retired(TODAY) for model_id in nearest)


def test_an_arn_of_ones_own_goes_to_bedrock_as_it_is() -> None:
    arn = "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc"
    catalogue = replace(shipped(), aliases={arn: SONNET})
    found = resolve(catalogue, arn, today=TODAY, region="us-east-1")
    assert (found.id, found.model.id, found.warning) == (arn, SONNET, None)


@given(
    model_id=st.sampled_from([*shipped().models, *shipped().aliases]),
    prefix=st.sampled_from(["", *(f"{name}." for name in shipped().profiles)]),
    region=st.none() | st.sampled_from(sorted(set(REGION_OF_COUNTRY.values()))),
)
def test_whatever_is_resolved_is_an_id_that_the_emulator_serves(
    model_id: str, prefix: str, region: str | None
) -> None:
    try:
        found = resolved(prefix + model_id, region)
    except ModelIdError as error:
        assert "profile" in str(error)
        return
    assert emulated.find(found.id).id == found.model.id
    assert resolved(found.id, region).id == found.id
