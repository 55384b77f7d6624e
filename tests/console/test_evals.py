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


def test_an_agent_with_tools_of_ones_own_is_refused_with_the_reason(tmp_path: Path) -> None:
    agent = tmp_path / "shop.toml"
    agent.write_text('name = "Shop"\ngreeting = "Hello."\ntools = ["brew"]\n')
    result = ran("clinic", "--agent", str(agent))
    assert result.exit_code == 2
    told = " ".join(result.stderr.split())
    assert "no such tool: brew" in told
    assert "evals try none of your own" in told
