"""The model catalogue: what is shipped, what a user's file changes, what it must not say."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.config.catalogue import SHIPPED, TIERS, CatalogueError, load, shipped
from aybiza.config.rule_sets import BEDROCK_GUIDE, CLAUDE_4_GUIDE
from aybiza.emulators.bedrock import catalogue as emulated
from tests.claude import bedrock_rules

HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"
TODAY = date(2026, 11, 20)
IN_SERVICE = {m.id: m for m in shipped().models.values() if not m.retired(TODAY)}

OWN = """
[models."anthropic.claude-haiku-9"]
name = "Claude Haiku 9"
tier = "fast"
scores = { intelligence = 20, speed = 10, cost = 60 }
context = 2_000_000
max_output = 256_000
prices = { input = 0.05, output = 0.25 }
profiles = ["in", "global"]
thinking = ["adaptive"]
sampling = "none"

[profiles]
in = { regions = ["ap-south-"], surcharge_percent = 5 }

[aliases]
"arn:aws:bedrock:us-east-1:1:application-inference-profile/abc" = "anthropic.claude-haiku-9"
"""


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "models.toml"
    path.write_text(text, encoding="utf-8")
    return path


class TestShipped:
    def test_every_model_of_the_specification_is_there(self) -> None:
        for model_id in (*BEDROCK_GUIDE, *CLAUDE_4_GUIDE):
            assert shipped().find(model_id) is not None

    @pytest.mark.parametrize(
        ("model_id", "scores", "max_output", "usd"),
        [
            (BEDROCK_GUIDE[0], (10, 6, 1), 64_000, (3.00, 15.00)),
            (BEDROCK_GUIDE[1], (9, 8, 1), 8_192, (3.00, 15.00)),
            (BEDROCK_GUIDE[2], (7, 10, 4), 8_192, (0.80, 4.00)),
            (BEDROCK_GUIDE[3], (5, 9, 12), 4_096, (0.25, 1.25)),
        ],
    )
    def test_it_keeps_the_specifications_figures_where_they_are_true(
        self, model_id: str, scores: tuple[int, ...], max_output: int, usd: tuple[float, ...]
    ) -> None:
        model = shipped().models[model_id]
        found = model.scores
        assert (found.intelligence, found.speed, found.cost) == scores
        assert model.max_output == max_output
        assert (model.prices.input / 1e6, model.prices.output / 1e6) == usd
        # The specification denies two of them tools, which both had.
        assert model.tools

    def test_it_keeps_the_claude_4_guides_prices(self) -> None:
        found = [shipped().find(model_id) for model_id in CLAUDE_4_GUIDE]
        prices = [(model.prices.input, model.prices.output) for model in found if model]
        printed = [(15.00, 75.00), (3.00, 15.00), (3.00, 15.00), (0.80, 4.00)]
        assert prices == [(asked * 1_000_000, said * 1_000_000) for asked, said in printed]

    def test_the_two_claude_4_models_have_their_own_output_limits(self) -> None:
        limits = {
            name: model.max_output
            for name in ("anthropic.claude-4-opus-20250120", "anthropic.claude-4-sonnet-20250120")
            if (model := shipped().find(name))
        }
        assert list(limits.values()) == [32_000, 64_000]

    def test_the_specifications_models_are_all_out_of_service(self) -> None:
        for model_id in (*BEDROCK_GUIDE, *CLAUDE_4_GUIDE):
            model = shipped().find(model_id)
            assert model is not None
            assert model.lifecycle(TODAY) == "retired"
            assert model.successor in shipped().models

    def test_bedrock_is_described_as_its_rules_are_written_down_elsewhere(self) -> None:
        letters = {"b": "budget", "a": "adaptive", "w": "always"}
        assert set(IN_SERVICE) == set(bedrock_rules.MODELS)
        for model_id, takes in bedrock_rules.MODELS.items():
            model = IN_SERVICE[model_id]
            assert model.max_output == takes.limit
            assert set(model.thinking) == {letters[letter] for letter in takes.thinking}
            assert model.sampling == ("one_of" if takes.sampling else "none")
            assert model.prefill == takes.prefill

    def test_the_emulator_serves_the_same_models_with_the_same_limits(self) -> None:
        assert set(IN_SERVICE) == set(emulated.MODELS)
        for model_id, model in IN_SERVICE.items():
            served = emulated.MODELS[model_id]
            assert (served.max_output, served.prefill) == (model.max_output, model.prefill)
            assert served.always_thinks == (model.thinking == ("always",))
            assert set(model.profiles) <= served.profiles
        retired = {model.id for model in shipped().models.values() if model.retired(TODAY)}
        assert retired <= emulated.RETIRED

    def test_every_tier_has_a_model_in_service(self) -> None:
        assert {model.tier for model in IN_SERVICE.values()} == set(TIERS)

    def test_cached_prompts_cost_what_bedrock_says(self) -> None:
        for model in IN_SERVICE.values():
            prices = model.prices
            assert prices.cache_read is not None
            assert prices.cache_read * 5 <= prices.input
            assert prices.cache_write_5m == prices.input * 5 // 4
            assert prices.cache_write_1h == prices.input * 2

    def test_it_is_read_once(self) -> None:
        assert shipped() is shipped()

    def test_every_key_that_is_written_is_one_that_is_described(self) -> None:
        keys = set(re.findall(r"^([a-z_]+) =", SHIPPED.read_text(encoding="utf-8"), re.MULTILINE))
        fields = set(type(shipped().models[HAIKU]).model_fields)
        assert keys - set(shipped().profiles) <= fields


class TestFind:
    @pytest.mark.parametrize(
        "model_id",
        [
            HAIKU,
            f"us-gov.{HAIKU}",
            f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{HAIKU}",
            f"arn:aws:bedrock:us-east-1::foundation-model/{HAIKU}",
        ],
    )
    def test_profiles_and_arns_lead_to_their_model(self, model_id: str) -> None:
        assert shipped().find(model_id) is shipped().models[HAIKU]

    @pytest.mark.parametrize("model_id", ["", "mars." + HAIKU, "useful.model", HAIKU + "x"])
    def test_what_is_unknown_is_not_found(self, model_id: str) -> None:
        assert shipped().find(model_id) is None

    @pytest.mark.parametrize(
        ("wanted", "nearest"),
        [
            ("anthropic.claude-haiku-4.5", HAIKU),
            ("us.anthropic.claude-sonnet-4-6-v1:0", "anthropic.claude-sonnet-4-6"),
            ("claude-opus-5.5", "anthropic.claude-opus-5-5"),
            ("Sonnet 5", "anthropic.claude-sonnet-5"),
        ],
    )
    def test_the_nearest_come_first(self, wanted: str, nearest: str) -> None:
        near = shipped().nearest(wanted)
        assert (len(near), near[0]) == (3, nearest)

    @given(st.text())
    def test_there_are_always_three_nearest_in_service(self, wanted: str) -> None:
        near = shipped().nearest(wanted, today=TODAY)
        assert len(set(near)) == 3
        assert set(near) <= set(IN_SERVICE)


class TestOwnFile:
    def test_a_model_a_profile_and_another_name_are_added(self, tmp_path: Path) -> None:
        catalogue = load(own(tmp_path, OWN))
        arn = next(name for name in catalogue.aliases if name.startswith("arn:"))
        model = catalogue.find(arn)
        assert model is not None
        assert catalogue.find("in.anthropic.claude-haiku-9") is model
        assert (model.name, model.prices.input, model.tools) == ("Claude Haiku 9", 50_000, True)
        assert catalogue.surcharge_percent("in.anthropic.claude-haiku-9") == 5
        assert set(shipped().models) < set(catalogue.models)

    def test_a_model_is_changed_key_by_key(self, tmp_path: Path) -> None:
        path = own(tmp_path, f'[models."{HAIKU}"]\ntier = "deep"\nprices = {{ input = 0.8 }}\n')
        changed, before = load(path).models[HAIKU], shipped().models[HAIKU]
        assert (changed.tier, changed.prices.input) == ("deep", 800_000)
        assert changed.prices.output == before.prices.output
        assert changed.name == before.name

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            (f'[models."{HAIKU}"]\ntier = "cheap"', f"{HAIKU}: tier = 'cheap': "),
            (f'[models."{HAIKU}"]\ntir = "fast"', f"{HAIKU}: tir is unknown; did you mean tier?"),
            (
                f'[models."{HAIKU}".prices]\ninput = -1',
                f"{HAIKU}: prices.input = -1: should be greater than or equal to 0",
            ),
            (
                f'[models."{HAIKU}".prices]\ninput = 0.0000001',
                f"{HAIKU}: prices.input = 1E-7: must be a number of USD with at most six decimals",
            ),
            (
                f'[models."{HAIKU}".prices]\ninput = "3"',
                f"{HAIKU}: prices.input = '3': must be a number of USD",
            ),
            (f'[models."{HAIKU}".prices]\ninput = nan', "must be a number of USD with"),
            ('[models."a.new"]\nname = "New"', "a.new: tier is missing"),
            ("[models.a.new]\nname = 1", "a: new is unknown"),
            ('models."a.new" = 1', "a.new: must be a table; a model id is written in quotes"),
            ("[model.x]", "model: is none of the tables models, aliases, profiles"),
            ("models = 1", "models: must be a table"),
            ("[profiles]\nmars = 1", "mars: must be a table"),
            ("[profiles]\nmars = { regions = [] }", "mars: regions = []: "),
            ("[aliases]\na = 1", "aliases.a = 1: must be a model id"),
            ("x = ", "is not TOML: "),
        ],
    )
    def test_what_is_wrong_is_named_with_file_model_field_and_reason(
        self, tmp_path: Path, text: str, problem: str
    ) -> None:
        path = own(tmp_path, text)
        with pytest.raises(CatalogueError) as caught:
            load(path)
        assert all(re.match(rf"{path}(:[12])?: ", line) for line in caught.value.problems)
        line = "" if "is not TOML" in problem else ":[12]"
        assert re.search(rf"{path}{line}: .*{re.escape(problem)}", str(caught.value))

    def test_all_problems_are_named_at_once(self, tmp_path: Path) -> None:
        path = own(tmp_path, f'[models."{HAIKU}"]\ntier = "x"\ncontext = 0\nsampling = "y"\n')
        with pytest.raises(CatalogueError) as caught:
            load(path)
        assert len(caught.value.problems) == 3

    def test_a_file_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogueError, match=r"none\.toml: cannot be read: No such file"):
            load(tmp_path / "none.toml")

    def test_a_file_that_is_no_text_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "models.toml"
        path.write_bytes(b"\xff\xfe")
        with pytest.raises(CatalogueError, match="is not UTF-8 text"):
            load(path)


def test_a_model_goes_from_active_over_legacy_to_retired() -> None:
    model = (
        shipped()
        .models[HAIKU]
        .model_copy(update={"legacy": date(2027, 1, 1), "end_of_life": date(2027, 7, 1)})
    )
    days = [date(2026, 12, 31), date(2027, 1, 1), date(2027, 6, 30), date(2027, 7, 1)]
    assert [model.lifecycle(day) for day in days] == ["active", "legacy", "legacy", "retired"]


def test_a_model_says_how_long_it_keeps_a_prompt() -> None:
    ttls = {name: model.cache_ttls() for name, model in shipped().models.items()}
    assert ttls[HAIKU] == ("5m", "1h")
    assert ttls["anthropic.claude-sonnet-4-20250514-v1:0"] == ("5m",)
    assert ttls["anthropic.claude-3-haiku-20240307-v1:0"] == ()
