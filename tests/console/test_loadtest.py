"""`aybiza loadtest`: what it prints, and how it ends."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from aybiza.benchmarks import load_test
from aybiza.console import loadtest
from aybiza.console.cli import app

TOLD: dict[str, Any] = {
    "calls": 20,
    "failed": 3,
    "seconds": 70.0,
    "asked": 90,
    "unanswered": 1,
    "gaps": 2,
    "response_ms": {"p50": 810.2, "p90": 900.0, "p95": 1300.0, "p99": 1500.0, "max": 2222.2},
    "late_p95_ms": 44.0,
    "failures": {"InvalidStatus: server rejected WebSocket connection: HTTP 403 " + "x " * 30: 3},
}


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[load_test.Plan]:
    made: list[load_test.Plan] = []

    async def answer(url: str, plan: load_test.Plan, over: Any) -> dict[str, Any]:
        made.append(plan)
        over()
        return TOLD

    monkeypatch.setattr(load_test, "load_test", answer)
    return made


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["loadtest", "--url", "ws://127.0.0.1:1/media", *arguments])


def test_percentiles_and_failures_are_told_in_80_columns(plans: list[load_test.Plan]) -> None:
    result = run("--calls", "20", "--ramp", "10")
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "20 calls in 70 s: 17 carried, 3 failed"
    assert "p95 1,300 ms" in lines[2] and lines[3].startswith("    3 times  InvalidStatus")
    assert "44 ms late" in result.output
    assert (plans[0].calls, plans[0].ramp) == (20, 10.0)
    assert plans[0].voice is not None and len(plans[0].voice("")) > 20


def test_as_json_and_in_codes(plans: list[load_test.Plan]) -> None:
    assert json.loads(run("--json", "--codes").output) == TOLD
    assert plans[0].voice is None


def test_what_cannot_be_called_or_said_is_refused(
    plans: list[load_test.Plan], tmp_path: Path
) -> None:
    refused = CliRunner().invoke(app, ["loadtest", "--url", "ftp://x"])
    assert refused.exit_code == 2 and "must be ws" in refused.output
    missing = run("--wav", str(tmp_path / "none.wav"))
    assert missing.exit_code == 1 and "No such file" in " ".join(missing.output.split())
    assert plans == []


@pytest.mark.parametrize("url", ["ftp://x", "ws://", 'ws://127.0.0.1:80"', "ws://h:99999/m", "x"])
def test_what_is_no_address_is_refused_before_any_call(
    plans: list[load_test.Plan], url: str
) -> None:
    result = CliRunner().invoke(app, ["loadtest", "--url", url])
    assert result.exit_code == 2
    assert "host:port" in result.output
    assert plans == []


async def test_how_it_goes_is_shown_on_a_terminal_and_leaves_no_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await loadtest._progress(3, lambda: 1)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    shown = asyncio.create_task(loadtest._progress(3, lambda: 1))
    await asyncio.sleep(0)
    shown.cancel()
    await asyncio.gather(shown, return_exceptions=True)
    told = capsys.readouterr().err
    assert "0 s, 1 of 3 calls are over" in told
    assert told.endswith(" \r")
