"""`aybiza evals`: figures, exit codes, and the clinic's own measure."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from aybiza.console import cli
from aybiza.console.page import COLUMNS

PERSONA = """
title = "Asks for wine"
agent = "winery"
[persona]
opens = ["Something for a steak, please."]
[[says]]
when = "pinot noir"
say = ["Thank you, goodbye."]
[goal]
heard = ["eighteen dollars"]
ended = ["goodbye"]
"""


def ran(*arguments: str) -> Any:
    return CliRunner().invoke(cli.app, ["evals", "run", *arguments])


def written(folder: Path, text: str = PERSONA) -> str:
    path = folder / "persona.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_clinic_is_reached_by_nearly_all() -> None:
    result = ran("clinic", "--n", "3")
    assert result.exit_code == 0, result.stdout
    assert "3 of 3 calls" in result.stdout


def test_calls_that_are_as_they_should_be_end_with_0(tmp_path: Path) -> None:
    report = tmp_path / "evals.xml"
    result = ran(written(tmp_path), "--n", "2", "--junit", str(report))
    assert result.exit_code == 0, result.stdout
    assert "2 of 2 calls (100%" in result.stdout
    assert ET.fromstring(report.read_text()).get("tests") == "2"


def test_too_few_end_with_1_and_say_which(tmp_path: Path) -> None:
    text = PERSONA.replace("eighteen", "ninety")
    result = ran(written(tmp_path, text), "--n", "2", "--heard")
    assert result.exit_code == 1
    assert "seed 1: goal: not heard: ninety dollars" in result.stdout
    assert "Pinot Noir" in result.stdout
    assert "TOO FEW" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= COLUMNS


def test_two_agents_stand_side_by_side(tmp_path: Path) -> None:
    result = ran(written(tmp_path), "--n", "1", "--against", "helpdesk")
    assert result.exit_code == 0
    assert "Hillside Wines" in result.stdout and "Northwind Helpdesk" in result.stdout
    assert any(line.split()[-2:] == ["100%", "0%"] for line in result.stdout.splitlines())
    assert max(map(len, result.stdout.splitlines())) <= COLUMNS


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nobody"], "there is no persona 'nobody'"),
        (["clinic", "--agent", "nobody"], "there is no agent 'nobody'"),
    ],
)
def test_what_cannot_be_used_ends_with_2(arguments: list[str], told: str) -> None:
    result = ran(*arguments)
    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())


TEA = """
from aybiza.dialogue.tool_registry import Tool

async def brew(given, use):
    return {"minutes": MINUTES}

TOOLS = [Tool("brew", "How long a tea has to brew.", brew)]
"""
RULES = """
[[rules]]
when = "(?i)tea"
use = "brew"
[[rules]]
result = "brew"
say = "It brews for {minutes} minutes."
"""
REMOTE = """
[connectors.tea]
base_url = "https://tea.example.org"
[[connectors.tea.operations]]
name = "brew"
description = "Brews."
method = "GET"
path = "/brew"
input_schema = { type = "object" }
"""
DRINKER = PERSONA.replace("winery", "shop.toml").replace("Something for a steak", "A green tea")
DRINKER = DRINKER.replace("pinot noir", "minutes").replace("eighteen dollars", "3 minutes")
DRINKER += 'tools = ["brew"]\n'


def tea_shop(folder: Path, tools: str = '[python.tea]\nfile = "tea.py"\n') -> str:
    (folder / "tea.py").write_text(TEA.replace("MINUTES", "3"))
    (folder / "tools.toml").write_text(tools)
    (folder / "shop.toml").write_text(
        'name = "Shop"\ngreeting = "Hello."\ntools = ["brew", "end_call"]\n'
        'tools_file = "tools.toml"\n'
    )
    (folder / "shop.rules.toml").write_text(RULES)
    return written(folder, DRINKER)


def test_an_agent_is_tried_with_tools_of_its_own(tmp_path: Path) -> None:
    result = ran(tea_shop(tmp_path), "--n", "2", "--heard")
    assert result.exit_code == 0, result.stdout + result.stderr


def test_tools_of_another_file_take_their_place(tmp_path: Path) -> None:
    persona = tea_shop(tmp_path)
    (tmp_path / "other.py").write_text(TEA.replace("MINUTES", "4"))
    (tmp_path / "other.toml").write_text('[python.tea]\nfile = "other.py"\n')
    result = ran(persona, "--n", "1", "--tools", str(tmp_path / "other.toml"))
    assert result.exit_code == 1
    assert "not heard: 3 minutes" in " ".join(result.stdout.split())


def test_tools_that_ask_other_services_are_refused_with_what_to_do(tmp_path: Path) -> None:
    persona = tea_shop(tmp_path, REMOTE)
    shop = (tmp_path / "shop.toml").read_text().replace('"brew"', '"tea_brew"')
    (tmp_path / "shop.toml").write_text(shop)
    result = ran(persona)
    told = " ".join(result.stderr.split())
    assert result.exit_code == 2
    assert "tea_brew of [connectors.tea] asks another service" in told
    assert "--tools" in told


def played(by: str) -> str:
    """The wine's persona, with words of a model."""
    opens = 'opens = ["Something for a steak, please."]'
    model = f'[model]\nby = "{by}"\ngoal = "I need a wine for a steak."\n'
    return (
        PERSONA.replace(opens, model)
        .replace('[[says]]\nwhen = "pinot noir"', "")
        .replace('say = ["Thank you, goodbye."]\n', "")
    )


def test_words_of_a_stand_in_are_asked_of_it_and_of_rules_beside_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, played("emulator"))
    result = ran(path, "--n", "2")
    assert result.exit_code == 0, result.stdout
    assert "asked of models: 4 requests, 0.0000 USD" in result.stdout
    (tmp_path / "persona.rules.toml").write_text('otherwise = "[hang up] Wrong number."\n')
    result = ran(path, "--n", "1", "--heard")
    assert result.exit_code == 1 and "not heard: eighteen dollars" in result.stdout


def test_words_of_bedrock_without_credentials_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for arguments, asks in (
        ((written(tmp_path, played("bedrock")),), '[model] by = "bedrock"'),
        (("clinic", "--real"), "clinic: --real"),
    ):
        result = ran(*arguments)
        told = " ".join(result.stderr.split())
        assert result.exit_code == 2
        assert f"{asks}: boto3 finds none: set AWS_ACCESS_KEY_ID" in told
