"""The conversation in the terminal: its lines, and its ends."""

from __future__ import annotations

import io

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
    assert talk("winery", agent, load({}), POLICY, real=False) == 1
    assert "no such tool: fly" in capsys.readouterr().err
