"""`aybiza calls follow` and `hangup`: a call that goes on, until it is over."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from aybiza.console import follow
from aybiza.console.cli import app

ROWS = [
    [1, 0.0, {"type": "agent_sentence", "turn": 0, "seq": 1, "text": "Welcome."}],
    [2, 1.0, {"type": "sentence_heard", "turn": 0, "seq": 1}],
    [3, 2.0, {"type": "caller_turn", "turn": 1, "text": "My number is 4711."}],
    [4, 3.0, {"type": "tool_exchange", "turn": 1, "tools": ["look_up"], "failed": True}],
    [5, 4.0, {"type": "interrupted", "turn": 1, "seq": 1, "fraction": 0.25}],
    [6, 5.0, {"type": "ended", "reason": "hangup"}],
]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a node was asked that has these rows, half of them at a time."""
    made: list[dict[str, Any]] = []

    def answer(port: int | None, request: dict[str, Any], node: str | None) -> dict[str, Any]:
        made.append(request)
        assert node == "n-2"
        if request["op"] == "hangup":
            return {"hung_up": request["call"]}
        after = request["after"]
        return {"rows": ROWS[after : after + 3], "over": after >= 3}

    monkeypatch.setattr(follow, "asked", answer)
    monkeypatch.setattr(follow, "node_with", lambda _port, which: {"call:CA1": "n-2"}[which])
    monkeypatch.setattr(follow, "POLL_SECONDS", 0.0)
    return made


def test_a_call_is_told_as_it_is_spoken_until_it_is_over(asked: list[dict[str, Any]]) -> None:
    result = CliRunner().invoke(app, ["calls", "follow", "CA1"])
    assert result.exit_code == 0
    assert [line[10:] for line in result.output.splitlines()] == [
        "agent    Welcome.",
        "caller   My number is 4711.",
        "         (failed: look_up)",
        "         (the caller broke in, 25% of the sentence heard)",
        "         (the call is over: hangup)",
    ]
    assert [request["after"] for request in asked] == [0, 3, 6]


def test_every_entry_is_told_as_json(asked: list[dict[str, Any]]) -> None:
    result = CliRunner().invoke(app, ["calls", "follow", "CA1", "--json"])
    told = [json.loads(line) for line in result.output.splitlines()]
    assert [each["number"] for each in told] == [1, 2, 3, 4, 5, 6]
    assert told[0]["text"] == "Welcome."


def test_a_call_is_hung_up(asked: list[dict[str, Any]]) -> None:
    result = CliRunner().invoke(app, ["calls", "hangup", "CA1"])
    assert (result.exit_code, result.output) == (0, "CA1 was hung up\n")
    assert asked == [{"op": "hangup", "call": "CA1"}]
