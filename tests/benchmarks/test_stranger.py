"""A stranger's server is started, called, killed and started again, and its calls are judged."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from aybiza.benchmarks import stranger
from aybiza.benchmarks.resilience import COLUMNS, PLANS, plans
from aybiza.console import bench

STAND_IN = [sys.executable, str(Path(__file__).parent / "stand_in.py")]
URL = "ws://127.0.0.1:{port}/ws"
SPEED = 10.0


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


def measured(*more: str) -> Any:
    options = ["--url", URL, "--jobs", "2", "--speed", str(SPEED), *more, "--", *STAND_IN]
    return CliRunner().invoke(bench.app, ["resilience", *options])


def test_a_server_that_answers_and_is_then_killed_is_told_of_row_by_row() -> None:
    done = measured("--plans", "no fault,server killed", "--json")
    assert done.exit_code == 0, done.output
    fine, killed = json.loads(done.stdout)["plans"]
    assert (fine["answered"], fine["lost"], fine["doubled"]) == (3, 0, 0)
    assert fine["connections"] == {"listen": 0, "speak": 1, "model": 0}
    assert fine["silence"] < 4.0 and fine["back"] < 4.0
    # Without a webhook nobody leads the caller back to it.
    assert (killed["answered"], killed["back"]) == (1, None)
    assert killed["lost"] == 6


def test_what_is_said_twice_is_counted_and_the_table_has_the_columns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STAND_IN", "doubles")
    done = measured("--plans", "no fault")
    assert done.exit_code == 0, done.output
    head, _, row = done.stdout.splitlines()
    assert head == f"| {' | '.join(COLUMNS)} |"
    assert [cell.strip() for cell in row.split("|")[1:5]] == ["no fault", "3/3", "0", "3"]


def test_a_server_that_does_not_come_up_is_told_with_its_last_words() -> None:
    command = [sys.executable, "-c", "raise SystemExit('no key')"]
    with pytest.raises(stranger.StrangerError, match=r"ended with code 1:\nno key"):
        stranger.run(command, URL, plans=PLANS[:1])
    with pytest.raises(stranger.StrangerError, match="No such file"):
        stranger.run(["./nobody"], URL, plans=PLANS[:1])


def test_a_plan_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    assert plans("") == PLANS
    assert [plan.name for plan in plans("speak stalls, no fault")] == ["speak stalls", "no fault"]
    done = measured("--plans", "no fualt")
    assert done.exit_code == 2
    with pytest.raises(ValueError, match="there is no plan 'no fualt'; there are: no fault, "):
        plans("no fualt")
