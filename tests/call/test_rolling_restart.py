"""Nodes are drained and restarted one after the other while callers talk: nobody is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from aybiza.actors.placement import drain
from aybiza.actors.placement.drain_actor import streams
from tests.actors.cluster.kit import until
from tests.call.caller import LIMIT
from tests.call.site import HEARD, call, heard, site

pytestmark = pytest.mark.real_time


async def test_a_rolling_restart_of_three_nodes_loses_no_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine finds a seam late, and a caller comes back late; both are waited for.
    monkeypatch.setattr(drain, "SEAM_SECONDS", LIMIT)
    monkeypatch.setattr(drain, "BACK_SECONDS", LIMIT)
    names = ("one", "two", "three")
    async with site(tmp_path, *names) as place:
        calls = [asyncio.create_task(call(place, name)) for name in names for _ in range(3)]
        handed_over: list[int] = []
        await until(lambda: sum(len(streams(place.nodes[name].vm)) for name in names) == 9)
        for name in names:
            progress = await place.drained(name, 0.0)
            handed_over.append(progress["handed_over"])
            assert progress["lost"] == 0
            await place.stop(name)
            await place.start(name)
        reports = await asyncio.gather(*calls)
    for report in reports:
        assert report.ok, (report.failure, heard(report))
        assert heard(report) == HEARD
    # All nine talk when the first node is drained; later, some may have said all they have to say.
    assert handed_over[0] == 3
    assert sum(len(report.streams) for report in reports) == 9 + sum(handed_over)
