"""One server in the cluster, and who takes it over."""

import asyncio
from typing import Any

import pytest

from aybiza.actors.cluster.distribution import Distribution
from aybiza.actors.cluster.shared import CLUSTER
from aybiza.actors.runtime import KILL, GenServer, Pid, StartError, Via, virtual_time
from aybiza.supervisors import Supervisor, child, singleton
from tests.actors.cluster.kit import LoopCarrier, Network, cluster, until

BILLING = Via(CLUSTER, "billing")


class Billing(GenServer):
    """Notes its ends; `stubborn` ones do not end in order."""

    ended: list[Any]

    async def init(self, ended: list[Any], *, trap: bool = False, stubborn: bool = False) -> None:
        self.trap_exit(trap)
        self.ended, self.stubborn = ended, stubborn

    async def handle_call(self, request: Any, _from: Any) -> Any:
        if request == "crash":
            raise ValueError("asked to")
        return str(self.pid)

    async def terminate(self, reason: Any) -> None:
        if self.stubborn:
            await asyncio.sleep(1000)
        self.ended.append((self.vm.node, type(reason).__name__))


async def supervised(
    nodes: list[Distribution], ended: list[Any] | None = None, **options: Any
) -> list[Pid]:
    """A supervisor with the singleton on each of these nodes, in their order."""
    supervisors = []
    for node in nodes:
        spec = singleton(Billing, "billing", [] if ended is None else ended, **options)
        pid = await node.vm.start(Supervisor, [spec], name="supervisor")
        assert pid is not None
        supervisors.append(pid)
    return supervisors


def servers(nodes: list[Distribution]) -> list[Pid]:
    """All servers that run, on whichever node."""
    found = []
    for node in nodes:
        for pid in node.vm.processes():
            process = node.vm.find(pid)
            if process is not None and process.label == "Billing":
                found.append(pid)
    return found


@virtual_time
async def test_the_first_node_runs_it_and_all_reach_it() -> None:
    async with cluster("a", "b", "c") as (_, nodes):
        await supervised(nodes)
        [server] = servers(nodes)
        assert server.node == "a"
        for node in nodes:
            assert await node.vm.call(BILLING, "who") == str(server)


@virtual_time
async def test_nodes_that_start_at_once_run_one() -> None:
    async with cluster("a", "b", "c") as (_, nodes):
        specs = [singleton(Billing, "billing", []) for _ in nodes]
        starts = (n.vm.start(Supervisor, [s]) for n, s in zip(nodes, specs, strict=True))
        await asyncio.gather(*starts)
        assert len(servers(nodes)) == 1


@virtual_time
async def test_when_its_node_is_lost_another_runs_it_within_three_seconds() -> None:
    async with cluster("a", "b", "c") as (_, nodes):
        await supervised(nodes)
        carrier: Any = nodes[0]._carrier
        carrier.dead = True
        died = nodes[1].vm.now()
        await until(lambda: servers(nodes[1:]))
        assert nodes[1].vm.now() - died < 3.0
        assert len(servers(nodes[1:])) == 1
        owner = nodes[1].whereis("billing")
        await until(lambda: nodes[2].whereis("billing") == owner)
        assert await nodes[2].vm.call(BILLING, "who") == str(owner)


@virtual_time
async def test_a_node_that_ends_in_order_hands_it_over_at_once() -> None:
    async with cluster("a", "b") as (_, nodes):
        ended: list[Any] = []
        [first, _] = await supervised(nodes, ended, trap=True)
        before = nodes[0].vm.now()
        await nodes[0].vm.stop(first)
        await until(lambda: servers(nodes))
        assert [pid.node for pid in servers(nodes)] == ["b"]
        assert nodes[0].vm.now() - before < 0.2
        assert ended == [("a", "str")]


@virtual_time
async def test_a_crash_is_its_supervisors_and_leaves_one() -> None:
    async with cluster("a", "b") as (_, nodes):
        [first, _] = await supervised(nodes)
        [old] = servers(nodes)
        nodes[1].vm.send(BILLING, "unexpected is no crash")
        with pytest.raises(Exception, match="asked to"):
            await nodes[1].vm.call(BILLING, "crash")
        await until(lambda: servers(nodes) and servers(nodes) != [old])
        await asyncio.sleep(1)
        assert len(servers(nodes)) == 1
        assert (await Supervisor.statistics(nodes[0].vm, first)).restarts == 1


@virtual_time
async def test_a_killed_singleton_takes_its_server_along_and_comes_back() -> None:
    async with cluster("a", "b") as (_, nodes):
        for trap in (False, True):
            supervisors = await supervised(nodes, trap=trap)
            vm = nodes[0].vm
            [info] = await Supervisor.which_children(vm, supervisors[0])
            assert isinstance(info.pid, Pid)
            vm.exit(info.pid, KILL)
            await asyncio.sleep(1)
            assert len(servers(nodes)) == 1
            for node, supervisor in zip(nodes, supervisors, strict=True):
                await node.vm.stop(supervisor)
            assert servers(nodes) == []


@virtual_time
@pytest.mark.parametrize("trap", [False, True])
async def test_each_side_of_a_partition_has_one_and_the_older_stays(trap: bool) -> None:
    async with cluster("a", "b", "c") as (network, nodes):
        ended: list[Any] = []
        await supervised(nodes, ended, trap=trap)
        [old] = servers(nodes)
        network.part(["a"], ["b", "c"])
        await until(lambda: len(servers(nodes)) == 2)
        network.heal()
        await until(lambda: len(servers(nodes)) == 1)
        assert servers(nodes) == [old]
        assert [kind for _, kind in ended] == (["NameConflict"] if trap else [])
        await until(lambda: {node.whereis("billing") for node in nodes} == {old})
        carrier: Any = nodes[0]._carrier
        carrier.dead = True  # whoever lost it stands by again
        await until(lambda: len(servers(nodes[1:])) == 1)


@virtual_time
async def test_a_server_that_does_not_end_in_its_time_is_killed() -> None:
    async with cluster("a", "b") as (_, nodes):
        [first, _] = await supervised(nodes, trap=True, stubborn=True, shutdown=0.5)
        await nodes[0].vm.stop(first)
        await until(lambda: [pid.node for pid in servers(nodes)] == ["b"])


@virtual_time
async def test_one_that_cannot_start_fails_its_supervisors_start() -> None:
    class Failing(GenServer):
        async def init(self) -> None:
            raise ValueError("no")

    async with cluster("a") as (_, [node]):
        with pytest.raises(StartError, match="no"):
            await node.vm.start(Supervisor, [singleton(Failing, "failing")])
        assert node.whereis("failing") is None


@virtual_time
async def test_a_server_may_be_a_plain_child_with_a_name_of_the_cluster() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        pid = await a.vm.start(Billing, [], name=BILLING)
        assert b.whereis("billing") == pid
        with pytest.raises(StartError) as refusal:
            await b.vm.start(Billing, [], name=BILLING)
        assert refusal.value.reason == ("already_started", pid)
        spec = child(Billing, [], name=BILLING)
        with pytest.raises(StartError, match="already_started"):
            await b.vm.start(Supervisor, [spec])
        await a.vm.stop(BILLING)
        await until(lambda: b.whereis("billing") is None)
        assert await b.vm.start(Supervisor, [spec]) is not None
        assert await a.vm.call(BILLING, "who") == str(b.whereis("billing"))


@virtual_time
async def test_a_name_of_the_cluster_is_waited_for_no_longer_than_for_init() -> None:
    network = Network()
    async with cluster("a", "b", network=network) as (_, [a, b]):
        assert isinstance(b._carrier, LoopCarrier)
        network.part(["a"], ["b"])
        with pytest.raises(StartError) as refusal:
            await a.vm.start(Billing, [], name=BILLING, timeout=0.5)
        assert refusal.value.reason == "timeout"
        await asyncio.sleep(5)
        assert a.whereis("billing") is None


@virtual_time
async def test_a_node_that_has_left_the_cluster_takes_nothing_over() -> None:
    async with cluster("a", "b") as (_, nodes):
        _, second = await supervised(nodes)
        vm = nodes[1].vm
        ended: list[Any] = []
        vm.observers.append(lambda process, reason: ended.append((process.label, reason)))
        await nodes[1].__aexit__(None, None, None)
        await asyncio.sleep(1.0)
        assert ended == []
        assert vm.alive(second)
        await nodes[1].__aenter__()
