"""`aybiza dial --live`: telephones call the node of this machine, and its records tell of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aybiza.console.cli import app
from tests.actors.node.kit import RunningCommand, free_port, until

SCRIPTS = ("asks", "asks_twice")
"""Those that come to the same end however slow the machine is: nobody breaks in."""


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningCommand]:
    """`aybiza run --emulated=scripted`."""
    monkeypatch.setenv("AYBIZA_MEMORY_PATH", str(tmp_path / "memory.sqlite3"))
    ports = {"AYBIZA_HTTP_PORT": str(free_port()), "AYBIZA_MEDIA_PORT": str(free_port())}
    with RunningCommand("", "--emulated=scripted", **ports) as command:
        command.ready()
        monkeypatch.setenv("AYBIZA_CLUSTER_PORT", str(command.port))
        yield command


def aybiza(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.mark.real_time
def test_the_records_of_dialled_calls_are_reported_and_audited(
    node: RunningCommand, tmp_path: Path
) -> None:
    dialled = aybiza("dial", *SCRIPTS, "--live", "--at-once", "1", "--slack-ms", "60000", "--json")
    told = json.loads(dialled.stdout)
    assert (dialled.exit_code, told["wrong"]) == (0, 0), dialled.stdout
    assert [row["result"] for row in told["scripts"]] == ["ok"] * len(SCRIPTS)

    def reported() -> Any:
        told = json.loads(aybiza("report", "--json").stdout)
        return told if told["calls"]["count"] == len(SCRIPTS) else None

    report = until(reported, "the calls are recorded")
    assert report["turns"]["count"] >= len(SCRIPTS)
    assert report["latency"]["first_frame"]["count"] >= len(SCRIPTS)
    costs = json.loads(aybiza("costs", "--json", "--by", "call").stdout)
    spent = sum(row["micro_usd"] for row in costs["rows"])
    assert costs["micro_usd"] == spent == round(report["cost"]["usd"] * 1_000_000) > 0
    assert len({row["call_id"] for row in costs["rows"]} - {None, ""}) == len(SCRIPTS)
    calls = aybiza("calls", "list")
    assert f"{len(SCRIPTS)} calls" in calls.stdout
    trail = next(tmp_path.glob("audit-*.jsonl"))
    verified = aybiza("audit", "verify", str(trail))
    assert verified.exit_code == 0 and "entries hold" in verified.stdout


def test_two_nodes_cannot_be_named() -> None:
    result = aybiza("dial", "asks", "--live", "--url", "ws://127.0.0.1:9/media")
    assert result.exit_code == 2 and "name two nodes" in " ".join(result.stderr.split())


def test_where_no_node_runs_none_is_called() -> None:
    result = aybiza("dial", "asks", "--live", "--port", str(free_port()))
    assert result.exit_code == 1 and "no node runs" in " ".join(result.stderr.split())
