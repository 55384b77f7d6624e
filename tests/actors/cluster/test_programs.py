"""Requests of Thespian programs."""

import asyncio
from typing import Any

import pytest

from aybiza.actors.cluster import programs
from aybiza.actors.cluster.carrier import ToProcess
from aybiza.actors.runtime import virtual_time
from tests.actors.cluster.kit import Probe, cluster, until


@virtual_time
async def test_more_than_so_many_are_refused_and_the_rest_is_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(programs, "SERVED", 2)
    async with cluster("a") as (_, [a]):
        await a.vm.start(Probe, name="slow")
        carrier: Any = a._carrier
        for _ in range(3):
            carrier._receive(ToProcess("slow", ("never",), limit=1.0), "program")
        assert [reply.error for _, reply in carrier.told] == [
            "2 requests of programs are under way; try again later"
        ]
        await asyncio.sleep(1.1)
        carrier._receive(ToProcess("slow", 1), "program")
        await until(lambda: len(carrier.told) == 4)
        assert carrier.told[-1][1].value == ("echo", 1)


@virtual_time
async def test_a_reply_that_the_carrier_does_not_take_harms_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with cluster("a") as (_, [a]):
        await a.vm.start(Probe, name="probe")
        carrier: Any = a._carrier
        monkeypatch.setattr(carrier, "tell", lambda *_: 1 / 0)
        carrier._receive(ToProcess("probe", 1), "program")
        await asyncio.sleep(0.5)
        assert await a.vm.call("probe", 2) == ("echo", 2)
        assert not a.lost.done()
