"""`aybiza node drain`: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aybiza.actors.node import client
from aybiza.console import drain
from aybiza.console.cli import app
from aybiza.console.operate import operator
from tests.actors.node.kit import RunningCommand, free_port

PROGRESS = {
    "state": "draining",
    "round": 1,
    "calls": 2,
    "leaving": 0,
    "ended": 0,
    "handed_over": 0,
    "lost": 0,
    "seconds_left": 4.5,
}
DRAINED = PROGRESS | {
    "state": "drained",
    "round": 2,
    "calls": 0,
    "ended": 1,
    "handed_over": 1,
    "seconds_left": 0.0,
}


def aybiza(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["node", "drain", *arguments])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Answers in the place of a node; what it was asked."""
    questions: list[Any] = []

    def answer(_port: int, request: dict[str, Any], **_where: Any) -> dict[str, Any]:
        questions.append(request)
        if request["node"] == "nobody":
            return {"unknown": "nobody", "nodes": ["front", "back"]}
        rounds = {"drain": PROGRESS, "undrain": PROGRESS | {"state": "up", "round": 0}}
        return {"progress": rounds.get(request["op"], DRAINED)}

    monkeypatch.setattr(client, "ask_node", answer)
    monkeypatch.setattr(drain, "POLL_SECONDS", 0.0)
    return questions


def test_each_round_has_a_line_and_an_empty_node_is_a_success(asked: list[Any]) -> None:
    result = aybiza("back", "--timeout", "5")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [
        "back draining: 2 calls here, 0 leaving, 0 ended, 0 handed over; 4.5 s left",
        "back drained: 0 calls here, 0 leaving, 1 ended, 1 handed over",
    ]
    assert asked[0] == {"op": "drain", "node": "back", "seconds": 5.0, "by": operator()}
    lines = aybiza("back", "--json").stdout.splitlines()
    assert [json.loads(line)["round"] for line in lines] == [1, 2]


def test_calls_that_are_left_after_the_time_are_a_failure(
    asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DRAINED, "state", "draining")
    monkeypatch.setitem(DRAINED, "calls", 3)
    monkeypatch.setitem(DRAINED, "lost", 1)
    monkeypatch.setattr(drain, "MARGIN_SECONDS", -13.0)
    result = aybiza("back", "--timeout", "0")
    assert result.exit_code == 1
    assert "calls are left on back; no other node has room for them" in result.stderr


def test_a_node_that_nobody_knows_is_wrong_usage(asked: list[Any]) -> None:
    result = aybiza("nobody")
    assert result.exit_code == 2
    assert result.stderr == "aybiza: there is no node 'nobody', but front, back\n"


def test_undo_has_the_node_take_calls_again(asked: list[Any]) -> None:
    result = aybiza("back", "--undo")
    assert (result.exit_code, result.stdout) == (0, "back takes calls\n")
    assert asked == [{"op": "undrain", "node": "back", "by": operator()}]


def test_calls_that_did_not_come_back_are_told() -> None:
    assert "1 did not come back" in drain.line("back", DRAINED | {"lost": 1})


def test_without_a_node_it_says_so_and_fails() -> None:
    result = aybiza("back", "--port", str(free_port()))
    assert result.exit_code == 1
    assert "no node runs on port" in result.stderr


def test_the_help_has_an_example_and_the_exit_codes() -> None:
    text = aybiza("--help").stdout
    assert "aybiza node drain back-1" in text
    assert "Exit code 0" in text


def test_a_node_of_a_running_machine_is_drained_by_its_name(tmp_path: Path) -> None:
    variables = {
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "DEEPGRAM_URL": "ws://127.0.0.1:9",
        "DEEPGRAM_API_KEY": "key",
        "AYBIZA_HTTP_PORT": "0",
        "AYBIZA_MEDIA_PORT": "0",
        "AYBIZA_MEMORY_PATH": str(tmp_path / "memory.sqlite3"),
    }
    with RunningCommand("", "--name", "n", "--nodes", "2", **variables) as command:
        command.ready()
        port = ("--port", str(command.port))
        result = aybiza("n-2", "--timeout", "0", *port)
        assert (result.exit_code, result.stdout.partition(":")[0]) == (0, "n-2 drained")
        shown = CliRunner().invoke(app, ["node", "list", "--json", *port])
        members = {each["node"]: each for each in json.loads(shown.stdout)["members"]}
        assert members["n-2"]["load"]["refusal"] == "draining"
        assert members["n-1"]["load"]["refusal"] == ""
        assert aybiza("n-2", "--undo", *port).stdout == "n-2 takes calls\n"
        assert aybiza("n-3", *port).exit_code == 2
