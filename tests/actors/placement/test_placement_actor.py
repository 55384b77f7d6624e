"""Every node knows of every other how much room it has."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from aybiza.actors import names
from aybiza.actors.placement import placement_actor
from aybiza.actors.placement.placement import Limits, Place
from aybiza.actors.placement.placement_actor import (
    Gauge,
    PlacementActor,
    arrived,
    board,
    resident_mb,
)
from aybiza.actors.runtime import NOPROC, VM, CallExit, virtual_time
from tests.actors.cluster.kit import cluster, until


class Calls:
    """Stands for the supervisor of the calls."""

    def __init__(self) -> None:
        self.number = 0
        self.fails = False

    async def count(self, _: VM) -> int:
        if self.fails:
            raise CallExit(NOPROC, names.CALL_SUPERVISOR)
        return self.number


async def start(vm: VM, calls: Calls) -> None:
    limits = Limits(calls=3, lag_ms=10_000)
    await vm.start(
        PlacementActor, limits, calls.count, Place(f"http://{vm.node}"), name=names.PLACEMENT
    )


def known(cluster: Any, node: str) -> Any:
    return board(cluster.vm).others.get(node)


async def test_a_change_is_known_to_all_and_a_dead_node_s_row_goes() -> None:
    async with cluster("one", "two", "three") as (network, (one, two, three)):
        calls = {each: Calls() for each in (one, two, three)}
        for each in (one, two, three):
            await start(each.vm, calls[each])
        others = (two, three)
        for each in others:
            row = await until(partial(known, each, "one"))
            assert (row.calls, row.room, row.place.http) == (0, 3, "http://one")
        calls[one].number = 3
        await until(lambda: all(known(e, "one").refusal == "full: 3 calls" for e in others))
        board(one.vm).draining = True
        one.vm.cast(names.PLACEMENT, "tell")
        await until(lambda: all(known(e, "one").draining for e in others))
        network.part(["one"], ["two", "three"])
        await until(lambda: known(two, "one") is None)
        assert known(two, "three") is not None
        network.heal()
        await until(lambda: known(two, "one") is not None)


async def test_a_change_is_told_before_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement_actor, "TELL_SECONDS", 3600.0)
    async with cluster("one", "two") as (_, (one, two)):
        calls = Calls()
        await start(one.vm, calls)
        await start(two.vm, Calls())
        await until(lambda: known(two, "one"))
        for number in (1, 2, 0):
            calls.number = number
            await until(partial(lambda number: known(two, "one").calls == number, number))


async def test_a_call_is_expected_no_longer_when_its_stream_comes_to_another_node() -> None:
    async with cluster("one", "two") as (_, (one, two)):
        for each in (one, two):
            place = Place(f"http://{each.vm.node}", machine="here")
            limits = Limits(calls=3, lag_ms=10_000)
            await each.vm.start(PlacementActor, limits, Calls().count, place, name=names.PLACEMENT)
        await until(lambda: known(one, "two") and known(two, "one"))
        board(one.vm).admit("CA1", one.vm.now())
        board(one.vm).admit("CA2", one.vm.now())
        arrived(two.vm, "CA1")
        await until(lambda: board(one.vm).expected(one.vm.now()) == 1)
        arrived(one.vm, "CA2")
        assert board(one.vm).expected(one.vm.now()) == 0


async def test_the_board_outlives_the_actor_and_an_uncounted_call_keeps_its_place() -> None:
    async with VM() as vm:
        calls = Calls()
        calls.number = 2
        await start(vm, calls)
        await until(lambda: board(vm).calls == 2)
        calls.fails = True
        board(vm).draining = True
        await vm.stop(names.PLACEMENT)
        await start(vm, calls)
        await until(lambda: board(vm).memory_mb > 0)
        assert (board(vm).calls, board(vm).draining) == (2, True)


def test_the_memory_of_a_process_is_some_megabytes() -> None:
    assert 5 < resident_mb() < 5_000


@virtual_time
async def test_a_gauge_says_how_often_a_node_measures_itself_and_by_what() -> None:
    looked: list[float] = []
    loop = asyncio.get_running_loop()
    async with VM("here") as vm:

        async def count(_: VM) -> int:
            looked.append(loop.time())
            return 0

        gauge = Gauge(look_seconds=5.0, memory_mb=lambda: 42)
        await vm.start(PlacementActor, Limits(calls=3), count, None, gauge, name=names.PLACEMENT)
        await asyncio.sleep(12.0)
        assert looked == [5.0, 10.0] and board(vm).memory_mb == 42
