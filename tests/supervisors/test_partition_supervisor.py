"""Partitions in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.actors.runtime import KILL, NOPROC, VM, CallExit, GenServer, StartError, virtual_time
from aybiza.supervisors import (
    ChildSpec,
    DynamicSupervisor,
    PartitionSupervisor,
    Supervisor,
    child,
)
from aybiza.supervisors.partition_supervisor import partition_of
from tests.supervisors.crew import rest


class Part(GenServer):
    """Knows its number."""

    async def init(self, number: int = -1) -> None:
        self.number = number

    async def handle_call(self, request: Any, from_: Any) -> Any:
        return self.number


class TestVia:
    @virtual_time
    async def test_leads_a_key_to_its_partition_and_after_a_crash_to_the_new_one(self) -> None:
        async with VM() as vm:
            await vm.start(
                PartitionSupervisor,
                child(Part),
                partitions=3,
                with_arguments=lambda _, number: (number,),
                name="parts",
            )
            assert PartitionSupervisor.partitions(vm, "parts") == 3
            for key in (0, 1, 2, 5, "call", ("a", 1)):
                dest = PartitionSupervisor.via(vm, "parts", key)
                assert await vm.call(dest, "number") == partition_of(key, 3)
            dest = PartitionSupervisor.via(vm, "parts", 5)
            old = vm.whereis(dest)
            vm.exit(dest, KILL)
            await rest()
            assert vm.whereis(dest) not in (old, None)
            assert await vm.call(dest, "number") == 2

    @virtual_time
    async def test_leads_nowhere_without_partitions(self) -> None:
        async with VM() as vm:
            with pytest.raises(CallExit) as caught:
                PartitionSupervisor.via(vm, "parts", 1)
            assert caught.value.reason == NOPROC
            parts = await vm.start(PartitionSupervisor, child(Part), name="parts")
            assert parts
            PartitionSupervisor.via(vm, "parts", 1)
            await vm.stop(parts)
            with pytest.raises(CallExit):
                PartitionSupervisor.via(vm, "parts", 1)

    @virtual_time
    async def test_leads_nowhere_when_the_supervisor_was_killed(self) -> None:
        async with VM() as vm:
            await vm.start(PartitionSupervisor, child(Part, 0), partitions=2, name="parts")
            vm.exit("parts", KILL)
            await rest()
            with pytest.raises(CallExit):
                PartitionSupervisor.via(vm, "parts", 1)


@virtual_time
async def test_the_children_are_numbered_and_any_start_function_will_do() -> None:
    async def start(vm: VM) -> Any:
        return await vm.start(DynamicSupervisor, link=True)

    spec = ChildSpec(id="many", start=start, type="supervisor")
    async with VM() as vm:
        await vm.start(PartitionSupervisor, spec, partitions=2, name="parts")
        infos = await Supervisor.which_children(vm, "parts")
        assert [info.id for info in infos] == [1, 0]
        dest = PartitionSupervisor.via(vm, "parts", 1)
        await DynamicSupervisor.start_child(vm, dest, child(Part))
        assert (await DynamicSupervisor.count_children(vm, dest)).active == 1


@virtual_time
async def test_a_partition_keeps_a_key_for_ever() -> None:
    assert partition_of("call-1", 8) == partition_of("call-1", 8)
    assert {partition_of(key, 4) for key in range(-4, 4)} == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "missing_name"),
        ({"name": "parts", "partitions": 0}, ("invalid_partitions", 0)),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], reason: Any) -> None:
    @virtual_time
    async def run() -> None:
        async with VM() as vm:
            with pytest.raises(StartError) as caught:
                await vm.start(PartitionSupervisor, child(Part), **options)
            assert caught.value.reason == reason

    run()


@virtual_time
async def test_a_killed_partition_supervisor_leaves_no_table() -> None:
    async with VM() as vm:
        pid = await vm.start(PartitionSupervisor, child(Part), partitions=2, name="parts")
        assert pid is not None
        assert PartitionSupervisor.partitions(vm, "parts") == 2
        vm.exit(pid, KILL)
        await rest()
        assert "parts" not in vm.registries
        with pytest.raises(CallExit) as none:
            PartitionSupervisor.partitions(vm, "parts")
        assert none.value.reason == NOPROC
