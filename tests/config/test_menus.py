"""Menus and prompts of an agent's file: what leads nowhere is told with its line."""

from __future__ import annotations

from pathlib import Path

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
