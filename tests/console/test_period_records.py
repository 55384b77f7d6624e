"""Commands that tell of a period ask all machines of the cluster, and say which do not answer."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aybiza.actors.measures.records import NAME
from aybiza.console.cli import app
from tests.actors.cluster.machines import Machine, quietly
from tests.actors.measures.report_kit import SINCE
from tests.actors.node.kit import until
from tests.console.records_kit import filled


class Place:
    """Two machines with records of an hour ago, joined."""

    def __init__(self, front: Machine, back: Machine) -> None:
        self.front, self.back = front, back

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--port", str(self.front.port)])


def joined(machine: Machine) -> bool:
    """Whether it reaches the other machine."""
    members = machine.ask("front", op="members")["members"]
    return [member["state"] for member in members] == ["here", "up"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    shift = time.time() - 3_600 * 2 - SINCE
    folders = {name: tmp_path / name for name in ("front", "back", "elsewhere")}
    memory: dict[str, dict[str, Any]] = {}
    for number, (name, folder) in enumerate(folders.items(), 1):
        folder.mkdir()
        memory[name] = {"AYBIZA_MEMORY_PATH": str(folder / "memory.sqlite3")}
        filled(folder / NAME, name, number * 10, shift)
    monkeypatch.setenv("AYBIZA_MEMORY_PATH", memory["front"]["AYBIZA_MEMORY_PATH"])
    with (
        Machine("front", main="keeping", **memory["front"]) as front,
        Machine("back", join=front, main="keeping", **memory["back"]) as back,
    ):
        front.ready()
        back.ready()
        until(quietly(lambda: joined(front)), "the two are joined")
        yield Place(front, back)


@pytest.mark.real_time
def test_report_costs_and_performance_are_of_all_machines_and_say_which_is_lost(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = place.run("report", "--json")
    told = json.loads(whole.stdout)
    assert (whole.exit_code, told["turns"]["count"]) == (0, 30)
    assert {of["name"]: of["turns"] for of in told["nodes"]} == {"front": 10, "back": 20}
    assert [machine["why"] for machine in told["machines"]] == ["", ""]
    spent = json.loads(place.run("costs", "--json").stdout)
    assert sum(row["charges"] for row in spent["rows"]) == 60
    models = json.loads(place.run("performance", "--json").stdout)["performance"]
    assert models["quality_metrics"]["turns"] == 30
    one = json.loads(place.run("performance", "--node", "back", "--json").stdout)["performance"]
    assert one["quality_metrics"]["turns"] == 20
    assert json.loads(place.run("report", "--here", "--json").stdout)["turns"]["count"] == 10
    latency = json.loads(place.run("diagnose", "latency", "--json").stdout)
    assert latency["components"]
    monkeypatch.setenv("AYBIZA_MEMORY_PATH", str(tmp_path / "elsewhere" / "memory.sqlite3"))
    both = json.loads(place.run("report", "--json").stdout)
    assert both["turns"]["count"] == 60, "the records of this folder, which no node writes, too"
    monkeypatch.setenv("AYBIZA_MEMORY_PATH", str(tmp_path / "front" / "memory.sqlite3"))

    for process in place.back.left():
        process.kill()
    lost = place.run("report", "--json")
    assert lost.exit_code == 1
    assert json.loads(lost.stdout)["turns"]["count"] == 10
    assert "not in these figures" in lost.stderr and "back" in lost.stderr

    for process in place.front.left():
        process.kill()
    alone = place.run("report")
    assert alone.exit_code == 0 and "of this machine alone" in " ".join(alone.stderr.split())
    assert alone.stdout.startswith("the last 24h: 10 calls")
