"""What tools and files of others hold orders nothing of the terminal that it is printed to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aybiza.actors.memory.store import CallRecord
from aybiza.console import campaign
from aybiza.console.calls import table
from aybiza.console.cli import app
from tests.security.test_lines_of_the_log import ORDERS

TOOL = """
from aybiza.dialogue.tool_registry import Tool

async def look(given, use):
    return {"found": ODD}

TOOLS = [Tool("look", "Looks.", look, {"type": "object"})]
"""


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    assert all(sign.isprintable() or sign == "\n" for sign in result.output)
    return result.stdout


def test_what_a_tool_gives_is_no_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    odd = "".join(ORDERS)
    Path("odd.py").write_text(TOOL.replace("ODD", ascii(odd)))
    Path("odd.toml").write_text('[python.odd]\nfile = "odd.py"\n')
    told = printed("tools", "try", "odd.toml", "--call", "look")
    assert json.loads(told) == {"found": odd}


def test_an_assistant_of_others_is_no_order(tmp_path: Path) -> None:
    path = tmp_path / "assistant.json"
    prompt = "You answer." + "".join(ORDERS[3:])
    messages = [{"role": "system", "content": prompt}]
    config = {"name": "Desk", "firstMessage": "Hi\x9b2J.", "model": {"messages": messages}}
    path.write_text(json.dumps(config))
    told = printed("agents", "import", "--vapi", str(path))
    assert "\\u009b2J" in told


def test_a_forged_store_is_no_order() -> None:
    odd = "".join(ORDERS)
    found = [CallRecord(odd, odd, odd, odd, 1.0, 2.0, odd, 3, 4.0)]
    for numbers in (False, True):
        lines = table(found, numbers)
        assert len(lines) == 3
        assert all(line.isprintable() for line in lines)


def test_a_forged_ledger_of_placed_calls_is_no_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    odd = "".join(ORDERS)
    rows = [{"name": odd, "state": odd, "numbers": 1, "attempts": 1, "outcomes": {odd: 1}}]
    attempt = {"id": odd, "to": odd, "at": 1.0, "outcome": odd, "call": odd, "code": odd}
    told = {"campaigns": rows, "attempts": [attempt]}
    monkeypatch.setattr(campaign, "asked", lambda *_: told)
    assert printed("campaign", "status").count("\n") == 3


def test_why_nothing_was_done_is_no_order(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = {"refused": "agent\x9b2J", "words": "".join(ORDERS)}
    monkeypatch.setattr(campaign, "asked", lambda *_: refused)
    result = CliRunner().invoke(app, ["campaign", "stop", "c"])
    assert result.exit_code == 1
    assert all(sign.isprintable() or sign == "\n" for sign in result.output)
