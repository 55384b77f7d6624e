"""`aybiza trace`: a process's messages, as they come."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from aybiza.console import trace
from aybiza.console.cli import app

ROWS = [
    [1, 0.25, "call", "<str of 4>", "<one.7>"],
    [2, 0.5, "reply", "1", "<one.7>"],
    [3, 1.0, "cast", "(<str of 9>, \x1b[2J)", ""],
]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a node was asked whose process is started anew after its third event."""
    made: list[dict[str, Any]] = []

    def answer(port: int | None, request: dict[str, Any], node: str | None) -> dict[str, Any]:
        made.append(request)
        if request["op"] == "trace":
            return {"traced": "<one.2>", "on": False}
        after = request["after"]
        if after == 3:
            return {
                "traced": "<one.9>",
                "last": 5,
                "rows": [[5, 2.0, "info", "Down", ""]],
                "lost": 4,
            }
        rows = ROWS[after : after + 2]
        return {"traced": "<one.2>", "last": rows[-1][0], "rows": rows, "lost": 0}

    looks = iter([0.0, 0.1, 0.2, 9.0])
    monkeypatch.setattr(trace, "ask_about", answer)
    monkeypatch.setattr(trace, "POLL_SECONDS", 0.0)
    monkeypatch.setattr("aybiza.console.trace.time.monotonic", lambda: next(looks))
    return made


def test_events_are_printed_as_they_come_and_the_trace_is_ended(
    asked: list[dict[str, Any]],
) -> None:
    result = CliRunner().invoke(app, ["trace", "metrics", "--seconds", "5"])
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == "<one.2> is traced"
    assert [line[12:].split() for line in lines[1:4]] == [
        ["got", "call", "<str", "of", "4>", "<one.7>"],
        ["replied", "1", "<one.7>"],
        ["got", "cast", "(<str", "of", "9>,", "?[2J)"],
    ]
    assert lines[4:6] == ["<one.9> took its place", "4 events came too fast to be fetched"]
    assert [request.get("after") for request in asked] == [0, 2, 3, None]
    assert asked[-1] == {"op": "trace", "process": "metrics", "on": False}


def test_events_as_json(asked: list[dict[str, Any]]) -> None:
    result = CliRunner().invoke(app, ["trace", "metrics", "--seconds", "5", "--json"])
    told = [json.loads(line) for line in result.output.splitlines()]
    assert [each["number"] for each in told] == [1, 2, 3, 5]
    assert told[0]["event"] == "call" and told[3]["pid"] == "<one.9>"
