"""The guide to agents: its files can be used, and its conversation is what is heard."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aybiza.config.agents import available, load_agent
from aybiza.config.phrases import translations
from aybiza.config.routes import load_routes
from aybiza.console import cli

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```toml\n(.*?)^```$", DOCUMENT, re.M | re.S)


def test_the_files_can_be_used(tmp_path: Path) -> None:
    pizza, desk, menus, several, routes, *others, _, _ = BLOCKS
    for number, text in enumerate([menus, several, *others]):
        (tmp_path / f"{number}.toml").write_text(text, encoding="utf-8")
        assert load_agent(str(tmp_path / f"{number}.toml")).greeting
    for name, text in (("pizza.toml", pizza), ("desk.toml", desk), ("routes.toml", routes)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert load_agent(str(tmp_path / "pizza.toml")).voice == "aura-2-luna-en"
    assert load_agent(str(tmp_path / "desk.toml")).hours["monday"] == ("09:00-12:30", "13:30-18:00")
    found = load_routes(tmp_path / "routes.toml", "clinic")
    chosen = [
        found.choose(told).name
        for told in ({"To": "+14155550100"}, {"desk": "help"}, {"To": "+14155550199"})
    ]
    assert chosen == ["orders", "helpdesk", "everything_else"]


def test_the_personas_reach_their_goals(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    for text in BLOCKS[-2:]:
        path.write_text(text, encoding="utf-8")
        result = CliRunner().invoke(cli.app, ["evals", "run", str(path), "--n", "3"])
        assert result.exit_code == 0, result.stdout


def test_the_conversation_is_what_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (said,) = re.findall(r"printf '(.*?)' \| aybiza (.*)", DOCUMENT)
    (expected,) = re.findall(r"^```text\n(.*?)^```$", DOCUMENT, re.M | re.S)
    result = CliRunner().invoke(cli.app, said[1].split(), input=said[0].replace("\\n", "\n"))
    assert (result.exit_code, result.stdout) == (0, expected)


def test_languages_and_agents_are_those_that_there_are() -> None:
    (languages,) = re.findall(r"in its `language` \((.*?)\)", DOCUMENT)
    assert languages.split(", ") == ["en", *sorted(translations())]
    assert all(f"`{name}`" in DOCUMENT for name in available())


def test_keys_of_the_table_are_those_of_an_agent() -> None:
    keys = re.findall(r"^\| (`.*?) \|", DOCUMENT, re.M)
    named = {name.strip("[]") for row in keys for name in re.findall(r"`(.*?)`", row)}
    assert named <= set(type(load_agent("clinic")).model_fields)
