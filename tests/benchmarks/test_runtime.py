"""The measures of the runtime give figures, and a busy machine is not a missed target."""

from __future__ import annotations

import json

import pytest
import structlog
from typer.testing import CliRunner

from aybiza.benchmarks.runtime import Figure, run
from aybiza.console import bench


def test_every_measure_gives_a_figure_and_those_of_ours_have_targets() -> None:
    done = CliRunner().invoke(bench.app, ["runtime", "--rounds", "1", "--no-peers", "--json"])
    assert done.exit_code == 0
    figures = json.loads(done.stdout)
    # What a process of tests has freed before may hide the memory of the processes measured.
    memory = "memory of an idle process"
    assert all(figure["value"] > 0 for name, figure in figures.items() if name != memory)
    assert figures["crash to restarted"]["unit"] == "us"
    on_both = {
        "GenServer.call and reply": 12,
        "supervised start": 60,
        "crash to restarted": 300,
        "asyncio.Queue there and back": None,
    }
    assert {name: figure["target"] for name, figure in figures.items()} == {
        **on_both,
        **{f"{name} on uvloop": target for name, target in on_both.items()},
        "memory of an idle process": 3_000,
        "longest collection beside 10,000 processes": 5,
        "8,000 subscribers that end together": 50,
    }


def test_logs_are_as_before_after_a_run_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails() -> float:
        raise LookupError("no figure")

    before = structlog.get_config()
    monkeypatch.setattr("aybiza.benchmarks.runtime.memory", fails)
    with pytest.raises(LookupError):
        run(1, peers=False)
    assert structlog.get_config() == before


@pytest.mark.parametrize(
    ("value", "target", "missed"), [(11.9, 12, False), (12.1, 12, True), (99.0, None, False)]
)
def test_a_target_is_missed_by_what_is_above_it(
    value: float, target: float | None, missed: bool
) -> None:
    assert Figure("x", value, "us", target).missed is missed
