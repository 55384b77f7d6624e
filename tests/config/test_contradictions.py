"""What cannot be true of a catalogue is said, with model, field and reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from aybiza.config.catalogue import Catalogue, LongContext, Prices, load, shipped
from aybiza.config.contradictions import contradictions

HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"
SONNET = "anthropic.claude-sonnet-4-6"
ALWAYS = "anthropic.claude-opus-5-5"


def with_model(model_id: str, **fields: Any) -> Catalogue:
    models = dict(shipped().models)
    models[model_id] = models[model_id].model_copy(update=fields)
    return replace(shipped(), models=models)


def prices(**usd: float | None) -> Prices:
    given: dict[str, Any] = {"input": 1, "output": 5, "cache_read": 0.1, "cache_write_5m": 1.25}
    return Prices(**(given | usd))


def long(**usd: float | None) -> LongContext:
    given: dict[str, Any] = {"input": 2, "output": 9, "cache_read": 0.2, "cache_write_5m": 2.5}
    return LongContext(**(given | {"cache_write_1h": 4} | usd), above=100_000)


def test_what_is_shipped_does_not_contradict_itself() -> None:
    assert contradictions(shipped()) == []


@pytest.mark.parametrize(
    ("model", "fields", "problem"),
    [
        (HAIKU, {"id": f"us.{HAIKU}"}, f"id = us.{HAIKU}: us. is an inference profile"),
        (HAIKU, {"profiles": ("mars",)}, "profiles = ['mars']: mars is not declared"),
        (HAIKU, {"profiles": ()}, "profiles = []: without a profile and without on_demand"),
        (HAIKU, {"max_output": 200_001}, "max_output = 200001: is more than its context of 200000"),
        (HAIKU, {"min_cache_tokens": 200_001}, "min_cache_tokens = 200001: is more than"),
        (
            HAIKU,
            {"long_context": long(), "context": 100_000},
            "long_context.above = 100000: no prompt is that long",
        ),
        (HAIKU, {"thinking": ("budget", "budget")}, "thinking = ['budget', 'budget']: names a"),
        (ALWAYS, {"thinking": ("always", "budget")}, "has no other mode"),
        (ALWAYS, {"no_thinking": "disabled"}, "no_thinking = disabled: a model that always"),
        (HAIKU, {"thinking": (), "no_thinking": "disabled"}, "it does not think"),
        (HAIKU, {"no_thinking": "effort", "forced_tools": False, "prefill": False}, "no effort"),
        (ALWAYS, {"forced_tools": True}, "forced_tools = true: a model that cannot be kept"),
        (ALWAYS, {"prefill": True}, "prefill = true: a model that cannot be kept"),
        (HAIKU, {"tools": False}, "forced_tools = true: it takes no tools"),
        (HAIKU, {"prices": prices(cache_read=None)}, "prices.cache_read = none: is missing"),
        (HAIKU, {"prices": prices(cache_write_5m=None)}, "prices.cache_write_5m = none: is"),
        (HAIKU, {"min_cache_tokens": None}, "prices.cache_read = 0.1: is given although"),
        (HAIKU, {"prices": prices(cache_read=1.5)}, "prices.cache_read = 1.5: costs more than"),
        (
            HAIKU,
            {"prices": prices(cache_write_1h=1)},
            "prices.cache_write_1h = 1: costs less than five minutes",
        ),
        (HAIKU, {"long_context": long(input=0.5, cache_read=0.1)}, "long_context.input = 0.5: is"),
        (HAIKU, {"long_context": long(output=4)}, "long_context.output = 4: is less than"),
        (HAIKU, {"long_context": long(cache_write_1h=None)}, "long_context.cache_write_1h = none"),
        (
            HAIKU,
            {"end_of_life": date(2025, 1, 1), "successor": SONNET},
            "end_of_life = 2025-01-01: comes before launched",
        ),
        (HAIKU, {"legacy": date(2025, 1, 1)}, "legacy = 2025-01-01: comes before launched"),
        (HAIKU, {"end_of_life": date(2027, 1, 1)}, "end_of_life = 2027-01-01: a model that ends"),
        (HAIKU, {"successor": "a.b"}, "successor = a.b: there is no such model; nearest: "),
        (HAIKU, {"successor": HAIKU}, f"successor = {HAIKU}: leads in a circle"),
    ],
)
def test_a_contradiction_is_named(model: str, fields: Mapping[str, Any], problem: str) -> None:
    found = contradictions(with_model(model, **fields))
    assert any(problem in line for line in found), found
    assert all(line.startswith(f"{fields.get('id', model)}: ") for line in found)


def test_a_circle_is_told_of_those_that_stand_in_it() -> None:
    models = dict(shipped().models)
    for one, other in ((HAIKU, SONNET), (SONNET, ALWAYS), (ALWAYS, SONNET)):
        models[one] = models[one].model_copy(update={"successor": other})
    found = contradictions(replace(shipped(), models=models))
    assert found == [
        f"{SONNET}: successor = {ALWAYS}: leads in a circle back to it",
        f"{ALWAYS}: successor = {SONNET}: leads in a circle back to it",
    ]


@pytest.mark.parametrize(
    ("name", "target", "problem"),
    [
        ("a.b", "c.d", "aliases: a.b = 'c.d': there is no such model; nearest: "),
        (HAIKU, SONNET, f"aliases: {HAIKU} = '{SONNET}': {HAIKU} is a model of its own"),
    ],
)
def test_a_name_that_leads_nowhere_is_named(name: str, target: str, problem: str) -> None:
    (found,) = contradictions(replace(shipped(), aliases={name: target}))
    assert found.startswith(problem)


def test_a_file_with_a_contradiction_is_refused_with_its_own_name(tmp_path: Any) -> None:
    path = tmp_path / "models.toml"
    path.write_text(f'[models."{ALWAYS}"]\nforced_tools = true\n')
    with pytest.raises(ValueError, match=f"models.toml: {ALWAYS}: forced_tools = true: a model"):
        load(path)
