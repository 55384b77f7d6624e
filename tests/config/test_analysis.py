"""The table `[analysis]` of an agent's file."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.config import analysis
from aybiza.config.agents import AgentError, agent_of

HEAD = 'name = "Desk"\ngreeting = "Hello."\n'
DATA = 'data = { type = "object", properties = { seats = { type = "integer" } } }'


def problems(text: str) -> str:
    with pytest.raises(AgentError) as refused:
        agent_of(HEAD + text, "desk.toml")
    return "\n".join(refused.value.problems)


def test_an_empty_table_sums_up_and_measures() -> None:
    wanted = agent_of(f"{HEAD}[analysis]\n", "desk.toml").analysis
    assert wanted is not None and wanted.asks_a_model and not wanted.judges_turns
    assert agent_of(HEAD, "desk.toml").analysis is None


def test_a_table_has_a_schema_intents_and_offers() -> None:
    rows = '[analysis.intents]\nbooking = ["table"]\n[[analysis.offers]]\nwhen = "repeats"\n'
    wanted = agent_of(f'{HEAD}[analysis]\n{DATA}\n{rows}offer = "to spell it"\n', "f").analysis
    assert wanted is not None and wanted.judges_turns
    assert wanted.data["type"] == "object"
    assert dict(wanted.intents) == {"booking": ("table",)}
    assert [(one.when, one.after, one.offer) for one in wanted.offers] == [
        ("repeats", 1, "to spell it")
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[analysis]\ndata = { type = "string" }', "desk.toml:4: analysis.data"),
        ('[analysis]\ndata = { type = "object", required = 1 }', "the schema is none"),
        ('[analysis.data]\ntype = "object"\n"$ref" = "http://x"', "not to itself"),
        ('[[analysis.offers]]\nwhen = "unhappy"\noffer = "help"', "told by sentiment = true"),
        ("[analysis]\nsumary = true", "desk.toml:4: analysis.sumary"),
        ('language = "de"\n[analysis]\nsentiment = true', "is English"),
        ("health_data = true\n[analysis]", "figures only"),
        (f"health_data = true\n[analysis]\nsummary = false\n{DATA}", "figures only"),
    ],
)
def test_what_cannot_be_is_told_with_its_line(text: str, why: str) -> None:
    assert why in problems(text)


def test_a_schema_that_is_too_long_is_refused() -> None:
    assert "more than" in problems(
        f'[analysis]\ndata = {{ type = "object", title = "{"x" * analysis.SCHEMA_CHARACTERS}" }}'
    )


def test_health_data_leaves_the_figures() -> None:
    own = agent_of(f"{HEAD}health_data = true\n[analysis]\nsummary = false\n", "desk.toml")
    assert own.analysis is not None


def test_without_its_lexicon_the_file_says_what_to_install(monkeypatch: Any) -> None:
    monkeypatch.setattr(analysis, "find_spec", lambda name: None)
    assert "pip install 'aybiza[analysis]'" in problems("[analysis]\nsentiment = true")
