"""Names and groups of a cluster, as its processes use them."""

import asyncio
from typing import Any

import pytest

from aybiza.actors.cluster import link
from aybiza.actors.cluster.names import NameConflict
from aybiza.actors.cluster.shared import CLUSTER
from aybiza.actors.runtime import (
    NOPROC,
    CallExit,
    Exit,
    NameTaken,
    RemoteBusy,
    Via,
    virtual_time,
)
from tests.actors.cluster.kit import Probe, cluster, until


async def started(node: Any, *, trap: bool = False) -> Any:
    pid = await node.vm.start(Probe, trap=trap)
    return pid, node.vm.find(pid).server


@virtual_time
async def test_a_name_works_from_every_node() -> None:
    async with cluster("a", "b", "c") as (_, nodes):
        pid, server = await started(nodes[0])
        await nodes[0].register("leader", pid)
        for number, node in enumerate(nodes):
            assert node.whereis("leader") == node.vm.whereis(Via(CLUSTER, "leader")) == pid
            assert node.vm.whereis(Via(CLUSTER, "nobody")) is None
            assert await node.vm.call(Via(CLUSTER, "leader"), 1) == ("echo", 1)
            node.vm.send(Via(CLUSTER, "leader"), number)
        await until(lambda: len(server.got) == 3)


@virtual_time
async def test_a_name_that_is_taken_is_refused_with_its_owner() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        pid, _ = await started(a)
        other, _ = await started(b)
        await a.register("leader", pid)
        with pytest.raises(NameTaken) as refusal:
            await b.register("leader", other)
        assert refusal.value.pid == pid


@virtual_time
async def test_of_registrations_at_once_one_succeeds() -> None:
    async with cluster("a", "b", "c") as (_, nodes):
        pids = [(await started(node))[0] for node in nodes]
        outcomes = await asyncio.gather(
            *(node.register("n", pid) for node, pid in zip(nodes, pids, strict=True)),
            return_exceptions=True,
        )
        assert sorted(map(type, outcomes), key=str) == [type(None), NameTaken, NameTaken] or (
            outcomes.count(None) == 1
        )
        owner = pids[outcomes.index(None)]
        assert [node.whereis("n") for node in nodes] == [owner] * 3


@virtual_time
async def test_a_name_is_free_when_its_process_ends_its_node_is_lost_or_it_is_given_up() -> None:
    async with cluster("a", "b") as (network, [a, b]):
        pid, _ = await started(a)
        await a.register("one", pid)
        await a.vm.stop(pid)
        await until(lambda: b.whereis("one") is None)
        pid, _ = await started(a)
        await a.register("two", pid)
        a.unregister("two")
        await until(lambda: b.whereis("two") is None)
        await a.register("three", pid)
        network.part(["a"], ["b"])
        cut = b.vm.now()
        await until(lambda: b.whereis("three") is None)
        assert b.vm.now() - cut < 2.0
        assert a.whereis("three") == pid


@virtual_time
async def test_after_a_partition_the_loser_gets_an_exit_and_the_winner_a_message() -> None:
    async with cluster("a", "b") as (network, [a, b]):
        network.part(["a"], ["b"])
        await until(lambda: not a.nodes() and not b.nodes())
        older, winner = await started(b)
        younger, loser = await started(a, trap=True)
        await b.register("n", older)
        await asyncio.sleep(0.01)
        await a.register("n", younger)
        network.heal()
        conflict = NameConflict("n", older, younger)
        await until(lambda: winner.got and loser.got)
        assert winner.got == [conflict]
        assert loser.got == [Exit(older, conflict)]
        assert (a.whereis("n"), b.whereis("n")) == (older, older)


@virtual_time
async def test_only_processes_of_this_node_can_be_registered() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        pid, _ = await started(b)
        with pytest.raises(CallExit):
            await a.register("n", pid)
        with pytest.raises(CallExit):
            await a.register("n")


@virtual_time
async def test_a_registration_waits_for_room_and_is_told_of_the_end_of_its_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link, "QUEUE_ITEMS", 50)
    async with cluster("a", "b") as (_, [a, b]):
        pid, _server = await started(a)
        target, _server = await started(b)
        with pytest.raises(RemoteBusy):
            for number in range(100):
                a.vm.send(target, number)
        await a.register("n", pid)
        assert b.whereis("n") == pid
        with pytest.raises(ValueError, match="too long: at most 4096"):
            await a.register("x" * 5000, pid)
        b._carrier.dead = True  # type: ignore[attr-defined]
        waiting = asyncio.create_task(a.register("m", pid))
        await asyncio.sleep(0.1)
        a.vm.exit(pid, "kill")
        with pytest.raises(CallExit) as failure:
            await waiting
        assert failure.value.reason == NOPROC
        assert a.statistics()["registering"] == 0


@virtual_time
async def test_a_process_of_many_names_and_groups_takes_them_all_along() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        pid, _server = await started(a)
        for number in range(600):
            await a.register(("n", number), pid)
            a.join_group(("g", number), pid)
        await until(lambda: len(b.groups.groups()) == 600)
        assert b.names.counts() == {"b": 0, "a": 600}
        await a.vm.stop(pid)
        await until(lambda: not b.groups.groups())
        assert (b.names.names(), a.names.names()) == ({}, {})


@virtual_time
async def test_groups_are_the_same_on_all_nodes() -> None:
    async with cluster("a", "b") as (network, [a, b]):
        one, _ = await started(a)
        two, _ = await started(b)
        a.join_group("g", one)
        b.join_group("g", two)
        await until(lambda: len(a.groups.members("g")) == len(b.groups.members("g")) == 2)
        assert a.groups.members("g") == [one, two]
        await b.vm.stop(two)
        await until(lambda: a.groups.members("g") == [one])
        network.part(["a"], ["b"])
        await until(lambda: b.groups.members("g") == [])
        network.heal()
        await until(lambda: b.groups.members("g") == [one])
        a.leave_group("g", one)
        await until(lambda: b.groups.members("g") == [])
