"""What a node answers of its records and of other nodes' ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aybiza.actors.cluster.distribution import Distribution
from aybiza.actors.measures.metrics_sink import MetricsSink
from aybiza.actors.measures.records import Records
from aybiza.console import node_records
from aybiza.console.control import control
from aybiza.supervisors.spawn import SPAWN_SUPERVISOR, SpawnSupervisor
from tests.actors.cluster.kit import cluster
from tests.actors.measures.report_kit import SINCE, UNTIL
from tests.console.records_kit import filled

PERIOD = {"op": "records", "since": SINCE, "until": UNTIL}


async def test_a_node_asks_the_others_at_once_and_says_which_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aybiza.console.control.ELSEWHERE_SECONDS", 0.5)
    async with cluster("front", "back", "plain", "deaf") as (_, joined):
        for number, each in enumerate(joined, 1):
            await _serving(each, tmp_path / f"{number}.sqlite3" if number < 3 else None)
        broken = tmp_path / "2.sqlite3"
        filled(tmp_path / "1.sqlite3", "front", 3)
        broken.write_bytes(b"no database, but long enough to look like one" * 40)
        await joined[3].vm.stop(SPAWN_SUPERVISOR)
        start = {"front": None, "back": None, "plain": None, "deaf": None, "nosuch": None}
        told = await control(joined[0].vm, {**PERIOD, "from": start})
        pages = json.loads(json.dumps(told))["pages"]
        assert pages["front"]["next"] == ["turns", None, None]
        assert "not a database" in pages["back"]["failed"]
        assert (pages["plain"]["columns"], pages["plain"]["next"]) == ([], None)
        assert "does not answer" in pages["deaf"]["failed"]
        assert pages["nosuch"]["failed"] == "it cannot be reached"
        too_many = {f"n{number}": None for number in range(node_records.AT_ONCE + 1)}
        odd: list[dict[str, Any]] = [{"from": too_many}, {"from": []}, {}]
        for wrong in (*odd, {"since": "x", "start": None}):
            with pytest.raises(ValueError, match="does not understand"):
                await control(joined[0].vm, {**PERIOD, **wrong})
        with pytest.raises(ValueError, match="no place"):
            await control(joined[0].vm, {**PERIOD, "start": ["x", 1, 1]})


async def _serving(each: Distribution, path: Path | None) -> None:
    await each.vm.start(SpawnSupervisor, name=SPAWN_SUPERVISOR)
    if path is not None:
        await each.vm.start(MetricsSink, Records(path, node=each.vm.node, days=90))
