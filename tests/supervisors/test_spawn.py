"""Servers that are started on other nodes."""

import pytest

from aybiza.actors.runtime import NOCONNECTION, VM, CallExit, GenServer, Pid, virtual_time
from aybiza.supervisors.child_spec import child
from aybiza.supervisors.errors import SupervisorError
from aybiza.supervisors.spawn import SPAWN_SUPERVISOR, SpawnSupervisor, spawn
from tests.actors.cluster.kit import cluster, until


class Counter(GenServer):
    """Counts."""

    async def init(self, start: int) -> None:
        self.count = start

    async def handle_call(self, request: int, _from: object) -> int:
        self.count += request
        return self.count


@virtual_time
async def test_a_server_is_started_on_another_node_under_its_supervisor() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        await b.vm.start(SpawnSupervisor, name=SPAWN_SUPERVISOR)
        pid = await spawn(a.vm, "b", child(Counter, 5))
        assert isinstance(pid, Pid)
        assert pid.node == "b"
        assert await a.vm.call(pid, 2) == 7
        a.vm.exit(pid, "boom")  # its supervisor starts it anew
        children = SpawnSupervisor.which_children
        await until(lambda: not b.vm.alive(pid))
        [successor] = await children(a.vm, (SPAWN_SUPERVISOR, "b"))
        assert isinstance(successor.pid, Pid)
        assert await a.vm.call(successor.pid, 2) == 7


@virtual_time
async def test_ones_own_node_is_a_node_like_any_other() -> None:
    async with cluster("a") as (_, [a]):
        await a.vm.start(SpawnSupervisor, name=SPAWN_SUPERVISOR)
        pid = await spawn(a.vm, "a", child(Counter, 5))
        assert isinstance(pid, Pid)
        assert await a.vm.call(pid, 1) == 6


@virtual_time
async def test_what_cannot_be_started_says_why() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        await b.vm.start(SpawnSupervisor, name=SPAWN_SUPERVISOR)
        with pytest.raises(SupervisorError):
            await spawn(a.vm, "b", child(Counter))
        with pytest.raises(CallExit) as failure:
            await spawn(a.vm, "nowhere", child(Counter, 1))
        assert failure.value.reason == NOCONNECTION


async def test_a_vm_that_is_alone_has_no_other_nodes() -> None:
    async with VM("a") as vm:
        with pytest.raises(CallExit):
            await spawn(vm, "b", child(Counter, 1))
