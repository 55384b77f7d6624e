"""Menus and prompts of an agent's file: what leads nowhere is told with its line."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from aybiza.config.agents import AgentError, agent_of, load_agent
from tests.cases import each

ALONE = 'name = "Desk"\ngreeting = "Hello."\n'
MAIN = '[menus.main]\nprompt = "Press one."\n[menus.main.keys]\n'


@each(
    [
        (MAIN + '1 = { menu = "bills" }', "[menus.main] key 1: there is no menu bills"),
        (MAIN + '1 = { transfer = "Ann" }', "[menus.main] key 1: Ann is none of transfer_numbers"),
        (MAIN + '"*" = { back = true }', "key *: there is no menu before main"),
        (MAIN + "1 = {}", "a key does one thing"),
        (MAIN + '1 = { repeat = true, menu = "main" }', "a key does one thing"),
        (MAIN + '1 = { say = "Yes.", ask = "Hours?" }', "leave say out"),
        (MAIN.replace("main", "first") + '1 = { say = "Hi." }', "one of them is called main"),
        (MAIN + '12 = { say = "Hi." }', "menus.main.keys.12"),
        ('[prompts.a]\ntext = "Hi."', "a prompt has a file or tones"),
        ('[prompts.a]\ntext = "Hi."\nfile = "a.wav"\ntones = "1"', "a prompt has a file or tones"),
        ('[prompts.a]\ntext = "Hi."\ntones = "1x"', "prompts.a.tones"),
    ]
)
def test_what_cannot_be_is_refused_with_the_reason(text: str, why: str) -> None:
    try:
        agent_of(ALONE + text, "desk.toml")
    except AgentError as error:
        assert why in str(error)
        assert "desk.toml:" in str(error)
    else:
        raise AssertionError("it was taken")


def test_a_prompts_file_stands_beside_the_agents(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    path.write_text(ALONE + '[prompts.a]\ntext = "Hi."\nfile = "sound/a.wav"\n', encoding="utf-8")
    assert load_agent(str(path)).prompts["a"].file == str(tmp_path / "sound" / "a.wav")


def test_menus_that_lead_somewhere_are_taken() -> None:
    more = (
        '[transfer_numbers]\nAnn = "+14155550100"\n'
        + MAIN
        + '1 = { menu = "bills" }\n2 = { transfer = "Ann" }\n'
        + '[menus.bills]\nprompt = "Two?"\n[menus.bills.keys]\n"*" = { back = true }\n'
    )
    assert set(agent_of(ALONE + more, "desk.toml").menus) == {"main", "bills"}


@each([("prompts = 5\n", "prompts"), ("[prompts]\na = 5\n", "prompts.a")])
def test_prompts_of_a_wrong_type_are_named(text: str, named: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "desk.toml"
        path.write_text(ALONE + text, encoding="utf-8")
        with pytest.raises(AgentError, match=named):
            load_agent(str(path))


def test_a_prompt_of_tones_has_no_file_to_find(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    path.write_text(ALONE + '[prompts.a]\ntext = "Hi."\ntones = "1,2"\n', encoding="utf-8")
    assert load_agent(str(path)).prompts["a"].file == ""
