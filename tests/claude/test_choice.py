"""Which model answers a turn, where, and how long."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.claude.choice import Choice, Policy, choose_model
from aybiza.claude.converse import converse_request
from aybiza.claude.experiments import Assignment, SelectionError
from aybiza.claude.models import SHIPPED
from aybiza.claude.thinking import Thinking
from aybiza.config.settings import load
from tests.claude.bedrock_rules import refusals

TODAY = date(2026, 11, 20)
HAIKU = "global.anthropic.claude-haiku-4-5-20251001-v1:0"
SONNET = "global.anthropic.claude-sonnet-4-6"
SMALL = "global.anthropic.claude-haiku-5-5"
OPUS = "us.anthropic.claude-opus-4-6-v1"
SPECIFICATION = ",".join(
    [
        "anthropic.claude-3-7-sonnet-20250219-v1:0",
        "anthropic.claude-3-5-sonnet-20241022-v2:0",
        "anthropic.claude-3-5-haiku-20241022-v1:0",
        "anthropic.claude-3-haiku-20240307-v1:0",
    ]
)
HARDEST = " ".join(["analyze troubleshoot calculate explain why"] * 20)


def policy(selection: str = "current", **environment: str) -> Policy:
    settings = load({"AYBIZA_SELECTION": selection, **environment})
    return Policy.of(settings, SHIPPED, today=TODAY)


def choose(transcript: str, selection: str = "current", **given: Any) -> Choice:
    environment = {name: given.pop(name) for name in list(given) if name.isupper()}
    return choose_model(policy(selection, **environment), transcript, **given)


def says(choice: Choice, name: str) -> str:
    return next(factor.says for factor in choice.factors if factor.name == name)


class TestPolicy:
    def test_the_default_is_the_ladder_over_the_models_that_may_be_asked(self) -> None:
        by_default = Policy.of(load({}), SHIPPED, today=TODAY)
        assert by_default.rule == "current"
        assert [profile.id for profile in by_default.models] == [HAIKU, SONNET]
        assert choose_model(by_default, "Hello.").model == HAIKU
        assert choose_model(by_default, HARDEST).model == SONNET

    def test_configured_is_always_the_first_model(self) -> None:
        first = Policy.of(load({"AYBIZA_SELECTION": "configured"}), SHIPPED, today=TODAY)
        for transcript in ("Hello.", HARDEST):
            choice = choose_model(first, transcript)
            assert (choice.model, choice.thinking) == (HAIKU, None)
            assert choice.because == "the settings name it first"

    def test_the_specifications_models_become_todays_with_one_warning_each(self) -> None:
        made = policy("spec-3x", AWS_BEDROCK_MODELS=SPECIFICATION)
        assert [profile.id for profile in made.models] == [
            "us.anthropic.claude-sonnet-4-6",
            "us.anthropic.claude-haiku-4-5-20251001-v1:0",
            "us.anthropic.claude-haiku-5-5",
        ]
        assert len(made.warnings) == 4
        assert "was retired by Bedrock on 2026-04-28" in made.warnings[0]

    def test_every_wrong_id_is_named_with_its_setting(self) -> None:
        with pytest.raises(SelectionError) as caught:
            policy("current=1,a.b=2", AWS_BEDROCK_MODELS="a.one", AWS_DEFAULT_BEDROCK_MODEL="a.two")
        assert [problem.split(": there")[0] for problem in caught.value.problems] == [
            "AWS_DEFAULT_BEDROCK_MODEL: a.two",
            "AWS_BEDROCK_MODELS: a.one",
            "AYBIZA_SELECTION: inline, arm a.b: a.b",
        ]

    def test_a_rule_that_does_not_exist_is_named_with_its_setting(self) -> None:
        with pytest.raises(SelectionError, match=r"^AYBIZA_SELECTION: there is no rule"):
            policy("curent")

    def test_the_cheapest_is_one_that_may_be_asked_whatever_stands_first(self) -> None:
        models = "anthropic.claude-sonnet-4-6,anthropic.claude-haiku-4-5-20251001-v1:0"
        made = policy(AWS_BEDROCK_MODELS=models)
        assert "haiku" in made.cheapest.id
        assert made.cheapest in made.models
        assert min(one.model.prices.input for one in made.models) == (
            made.cheapest.model.prices.input
        )

    def test_all_models_that_a_choice_can_name_are_told(self) -> None:
        assert policy(f"current=1,{OPUS}=1").ids == (HAIKU, SONNET, OPUS)

    def test_a_model_is_found_by_its_id_known_or_not(self) -> None:
        made = policy(f"current=1,{OPUS}=1")
        assert [made.profile(model_id) for model_id in made.ids] == list(made.every)
        assert made.profile("us.other").known is False

    @pytest.mark.parametrize(
        ("models", "away", "fallback"),
        [
            (f"{HAIKU},{SONNET}", "eu-west-1", "eu-west-1"),
            (f"{HAIKU},{OPUS}", "us-west-2", "us-west-2"),
            (f"{HAIKU},{OPUS}", "eu-west-1", None),
        ],
    )
    def test_the_fallback_region_is_one_from_which_every_model_may_be_asked(
        self, models: str, away: str, fallback: str | None
    ) -> None:
        made = policy(AWS_BEDROCK_MODELS=models, AWS_FALLBACK_REGION=away)
        assert made.fallback == fallback

    def test_all_regions_that_a_choice_can_name_are_told(self) -> None:
        everywhere = policy().regions
        assert everywhere[0] == "us-east-1"
        assert {"eu-west-1", "ap-south-1"} <= set(everywhere)
        us = policy(AWS_BEDROCK_MODELS=OPUS)
        assert us.regions == ("us-east-1",)
        assert policy(CLOUDFLARE_REGION_MAPPING="false").regions == ("us-east-1",)


class TestFallback:
    def test_a_failed_model_is_followed_down_the_tiers_and_then_up(self) -> None:
        big = "global.anthropic.claude-opus-5"
        made = policy(AWS_BEDROCK_MODELS=f"{SMALL},{big},{HAIKU},{SONNET},{OPUS}")
        by_id = {profile.id: profile for profile in made.models}
        assert [profile.id for profile in made.after(by_id[SONNET])] == [
            SONNET,
            HAIKU,
            SMALL,
            big,
            OPUS,
        ]
        assert [profile.id for profile in made.after(by_id[OPUS])] == [
            OPUS,
            big,
            SONNET,
            HAIKU,
            SMALL,
        ]

    def test_the_specifications_chain_is_kept_by_todays_models(self) -> None:
        made = policy("spec-3x", AWS_BEDROCK_MODELS=SPECIFICATION)
        chain = [profile.model.name for profile in made.after(made.models[0])]
        assert chain == ["Claude Sonnet 4.6", "Claude Haiku 4.5", "Claude Haiku 5.5"]

    def test_a_model_that_thinks_first_is_not_a_faster_one(self) -> None:
        always = "global.anthropic.claude-sonnet-5-5"
        speeds = policy(f"current=1,{OPUS}=1", AWS_BEDROCK_MODELS=f"{always},{SONNET}").speeds
        assert set(speeds) == {always, SONNET, OPUS}
        assert speeds[always] < speeds[OPUS] < speeds[SONNET]


class TestModel:
    @pytest.mark.parametrize(
        ("permitted", "transcript", "options", "model"),
        [
            (f"{HAIKU},{SONNET}", "Hello.", {}, HAIKU),
            (f"{HAIKU},{SONNET}", HARDEST, {}, SONNET),
            (f"{HAIKU},{SONNET},{OPUS}", HARDEST, {}, OPUS),
            (f"{OPUS},{SMALL}", "Hello.", {}, SMALL),
            (f"{OPUS},{SONNET}", "Hello.", {}, SONNET),
            (f"{SMALL},{SONNET}", "Hello.", {}, SMALL),
            (OPUS, "Hello.", {}, OPUS),
            (f"{SONNET},{HAIKU}", "Hello.", {"avoid": [HAIKU]}, SONNET),
            (f"{SONNET},{HAIKU}", "Hello.", {"avoid": [HAIKU, SONNET]}, HAIKU),
            (f"{OPUS},{SONNET},{SMALL}", HARDEST, {"degrade": True}, SMALL),
        ],
    )
    def test_the_nearest_permitted_tier_is_taken(
        self, permitted: str, transcript: str, options: dict[str, Any], model: str
    ) -> None:
        choice = choose(transcript, options=options, AWS_BEDROCK_MODELS=permitted)
        assert choice.model == model

    def test_the_settings_order_decides_within_a_tier(self) -> None:
        opus, sonnet = "global.anthropic.claude-opus-5", "global.anthropic.claude-sonnet-5-5"
        assert choose(HARDEST, AWS_BEDROCK_MODELS=f"{opus},{sonnet}").model == opus
        assert choose(HARDEST, AWS_BEDROCK_MODELS=f"{sonnet},{opus}").model == sonnet

    @pytest.mark.parametrize(
        ("transcript", "options", "model"),
        [
            ("Hi.", {"max_latency": 100, "cost_optimize": True}, "us.anthropic.claude-haiku-5-5"),
            ("Hi.", {"max_latency": 100}, "us.anthropic.claude-haiku-4-5-20251001-v1:0"),
            ("Hi.", {}, "us.anthropic.claude-sonnet-4-6"),
        ],
    )
    def test_the_specifications_ids_resolve_to_what_stands_in_for_them(
        self, transcript: str, options: dict[str, Any], model: str
    ) -> None:
        choice = choose(transcript, "spec-3x", options=options, AWS_BEDROCK_MODELS=SPECIFICATION)
        assert choice.model == model
        assert says(choice, "model").startswith("for anthropic.claude-3")

    def test_the_successor_itself_goes_before_another_of_its_tier(self) -> None:
        permitted = f"global.anthropic.claude-sonnet-5,{SONNET}"
        assert choose("Hi.", "spec-3x", AWS_BEDROCK_MODELS=permitted).model == SONNET

    def test_what_is_not_permitted_is_not_asked_even_by_the_specification(self) -> None:
        choice = choose("Hi.", "spec-4", AWS_BEDROCK_MODELS=HAIKU)
        assert choice.model == HAIKU
        assert "is not permitted" in says(choice, "model")

    def test_thinking_is_for_models_that_can_and_not_for_degraded_turns(self) -> None:
        assert choose(HARDEST).thinking == Thinking(1_024, "low")
        assert choose(HARDEST, options={"degrade": True}).thinking is None


class TestRegion:
    def test_the_callers_country_chooses_it(self) -> None:
        choice = choose("Hi.", context={"cloudflare_country": "DE"})
        assert (choice.region, says(choice, "region")) == ("eu-central-1", "for DE")

    def test_a_profile_that_cannot_be_asked_from_there_keeps_it_at_home(self) -> None:
        choice = choose("Hi.", context={"cloudflare_country": "DE"}, AWS_BEDROCK_MODELS=OPUS)
        assert choice.region == "us-east-1"
        assert says(choice, "region") == f"the node's; {OPUS} cannot be asked from eu-central-1"

    @pytest.mark.parametrize("context", [{}, {"cloudflare_country": ""}, {"cloudflare_country": 7}])
    def test_without_a_country_it_is_the_nodes(self, context: dict[str, Any]) -> None:
        assert choose("Hi.", context=context, AWS_REGION="eu-west-1").region == "eu-west-1"

    def test_the_mapping_can_be_switched_off(self) -> None:
        context = {"cloudflare_country": "DE"}
        assert choose("Hi.", context=context, CLOUDFLARE_REGION_MAPPING="0").region == "us-east-1"

    def test_an_arn_belongs_to_its_own_region(self) -> None:
        arn = f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/{SONNET}"
        choice = choose("Hi.", context={"cloudflare_country": "DE"}, AWS_BEDROCK_MODELS=arn)
        assert (choice.model, choice.region) == (arn, "us-east-1")


class TestLength:
    @pytest.mark.parametrize(
        ("transcript", "limit", "words", "tokens"),
        [
            ("What is it?", None, 150, 300),
            ("Please explain it.", 4_000, 300, 600),
            ("Please explain it.", 400, 300, 400),
            ("Be quick.", 4_000, 75, 256),
            ("Be quick.", 100, 75, 100),
        ],
    )
    def test_words_become_tokens_with_room_to_spare(
        self, transcript: str, limit: int | None, words: int, tokens: int
    ) -> None:
        choice = choose(transcript, options={"max_tokens": limit})
        assert (choice.words, choice.max_tokens) == (words, tokens)


class TestExperiments:
    SELECTION = f"current=1,spec-4=1,{OPUS}=1"

    def test_a_call_gets_what_its_arm_says_and_keeps_it(self) -> None:
        made = policy(self.SELECTION)
        seen: dict[str, Choice] = {}
        for number in range(50):
            context = {"call_sid": f"CA{number}"}
            choice = choose_model(made, "Hello.", context)
            again = choose_model(made, HARDEST, context)
            assert choice.experiment is not None
            assert again.experiment == choice.experiment
            seen[choice.experiment.arm] = choice
        assert {arm: choice.rule for arm, choice in seen.items()} == {
            "current": "current",
            "spec-4": "spec-4",
            OPUS: "current",
        }
        assert seen[OPUS].model == OPUS
        assert seen[OPUS].experiment == Assignment("inline", OPUS, model=OPUS)

    def test_a_model_that_is_to_be_avoided_is_not_asked_for_an_experiment(self) -> None:
        choice = choose("Hi.", f"{OPUS}=1", context={"call_sid": "CA1"}, options={"avoid": {OPUS}})
        assert choice.model == HAIKU

    def test_without_a_call_there_is_no_experiment(self) -> None:
        assert choose("Hi.", self.SELECTION).experiment is None

    def test_a_file_is_read_once_at_the_start(self, tmp_path: Path) -> None:
        path = tmp_path / "selection.toml"
        path.write_text(
            f'rule = "spec-3x"\n[[experiment]]\nname = "x"\n'
            f'[[experiment.arm]]\nname = "opus"\nmodel = "{OPUS}"\n'
        )
        made = policy(str(path))
        path.unlink()
        choice = choose_model(made, "Hi.", {"call_sid": "CA1"})
        assert (made.rule, choice.model) == ("spec-3x", OPUS)


@given(
    transcript=st.text(max_size=200) | st.just(HARDEST),
    selection=st.sampled_from(["configured", "current", "spec-3x", "spec-4", "spec-4-best"]),
    context=st.dictionaries(
        st.sampled_from(["conversation_history", "requires_tools", "cloudflare_country", "tools"]),
        st.none() | st.booleans() | st.text(max_size=2) | st.lists(st.none(), max_size=9),
    ),
    options=st.dictionaries(
        st.sampled_from(["max_latency", "cost_optimize", "max_tokens", "degrade"]),
        st.none() | st.booleans() | st.integers() | st.floats(),
    ),
)
def test_every_choice_makes_a_request_that_bedrock_takes(
    transcript: str, selection: str, context: dict[str, Any], options: dict[str, Any]
) -> None:
    choice = choose_model(POLICIES[selection], transcript, context, options)
    request = converse_request(
        choice.profile, [], thinking=choice.thinking, max_tokens=choice.max_tokens, temperature=0.3
    )
    assert refusals(request) == []
    assert choice.factors


POLICIES = {
    rule: policy(rule, AWS_BEDROCK_MODELS=f"{HAIKU},{SONNET},{SMALL},{OPUS}")
    for rule in ("configured", "current", "spec-3x", "spec-4", "spec-4-best")
}


def test_an_agent_has_a_model_before_the_others_and_a_rule_of_its_own() -> None:
    of_node = policy("current", AWS_BEDROCK_MODELS=f"{HAIKU},{SONNET}")
    own = of_node.preferring(SONNET, "configured")
    assert choose_model(own, "Hello.").model == SONNET
    assert (own.rule, set(own.ids)) == ("configured", set(of_node.ids))
    assert of_node.preferring(None, None) == of_node


@pytest.mark.parametrize(
    ("model", "rule", "told"),
    [
        ("global.anthropic.claude-sonnet-4-7", None, "did you mean global.anthropic.claude-sonnet"),
        (None, "configurd", "there is no 'configurd'; did you mean configured?"),
    ],
)
def test_a_model_or_a_rule_that_there_is_not_is_named(
    model: str | None, rule: str | None, told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        policy(AWS_BEDROCK_MODELS=f"{HAIKU},{SONNET}").preferring(model, rule)
