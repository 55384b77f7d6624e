"""The conversation in the terminal: its lines, and its ends."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import structlog

from aybiza.config.agents import load_agent
from aybiza.config.settings import load
from aybiza.console.try_agent import talk
from tests.gateway.kit import POLICY


def talked(name: str, said: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(said))
    return talk(name, load_agent(name), load({}), POLICY, real=False)


def test_the_end_of_the_input_hangs_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert talked("winery", "For a steak, please.\n", monkeypatch) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "agent:  Hillside Wines, what may I help you find?"
    assert lines[1] == "you:    For a steak, please."
    assert lines[2].startswith("agent:  The Pinot Noir")


def test_the_log_is_as_it_was_when_the_conversation_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = structlog.get_config()
    assert talked("winery", "Hello.\n", monkeypatch) == 0
    assert structlog.get_config() == before


def test_nothing_said_is_no_turn(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert talked("winery", "\n  \n", monkeypatch) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_an_agent_whose_tools_there_are_not_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    agent = load_agent("winery").model_copy(update={"tools": ("fly",)})
    assert talk("winery", agent, load({}), POLICY, real=False) == 2
    assert "no such tool: fly" in capsys.readouterr().err


TOOLS = """
from aybiza.dialogue.tool_registry import Tool

async def brew(given, use):
    return {"minutes": 3}

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
SHOP = """
name = "Tea Shop"
greeting = "Tea Shop."
tools = ["brew"]
"""


def test_an_agent_uses_the_tools_of_the_users_own_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tea_tools.py").write_text(TOOLS)
    (tmp_path / "tools.toml").write_text('[python.tea]\nfile = "tea_tools.py"\n')
    (tmp_path / "shop.toml").write_text(SHOP)
    (tmp_path / "shop.rules.toml").write_text(RULES)
    name, own = str(tmp_path / "shop.toml"), {"AYBIZA_TOOLS_FILE": str(tmp_path / "tools.toml")}
    monkeypatch.setattr("sys.stdin", io.StringIO("A green tea.\n"))
    assert talk(name, load_agent(name), load(own), POLICY, real=False) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:] == ["        (brew: ok)", "agent:  It brews for 3 minutes."]


def test_a_file_of_tools_that_cannot_be_used_is_a_wrong_setting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = {"AYBIZA_TOOLS_FILE": str(tmp_path / "tools.toml")}
    assert talk("winery", load_agent("winery"), load(own), POLICY, real=False) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert told.startswith("aybiza: AYBIZA_TOOLS_FILE: ")
    assert "cannot be read" in told
