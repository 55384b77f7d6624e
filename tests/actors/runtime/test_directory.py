"""The directory: who lives, under which names."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aybiza.actors.runtime import (
    KILL,
    NOPROC,
    VM,
    CallExit,
    NameTaken,
    Pid,
    UnknownName,
    virtual_time,
)
from tests.actors.runtime.probe import forever, started

# Processes


@virtual_time
async def test_processes_are_listed_oldest_first_until_they_end() -> None:
    async with VM() as vm:
        first, second = vm.spawn(forever), vm.spawn(forever)
        assert vm.processes() == [first, second]
        vm.exit(first, KILL)
        await vm.join(first)
        assert vm.processes() == [second]
        assert not vm.alive(first)
        assert vm.alive(second)


@virtual_time
async def test_nobody_lives_at_an_address_of_another_node() -> None:
    async with VM("here") as vm:
        pid = vm.spawn(forever)
        assert not vm.alive(Pid("there", pid.serial))
        with pytest.raises(CallExit) as failed:
            await vm.call(Pid("there", pid.serial), "ping")
        assert failed.value.reason == NOPROC


@virtual_time
async def test_a_name_on_the_own_node_is_a_name() -> None:
    async with VM("front") as vm:
        pid = await started(vm, name="probe")
        assert vm.whereis(("probe", "front")) == pid
        assert await vm.call(("probe", "front"), "seen") == []
        assert not vm.alive(("probe", "back"))
        assert not vm.alive(("nobody", "front"))


@virtual_time
async def test_statistics_count_processes_and_waiting_messages() -> None:
    async with VM() as vm:
        first, second = vm.spawn(forever), vm.spawn(forever)
        for _ in range(3):
            vm.send(first, "x")
        vm.send(second, "x")
        assert vm.statistics() == {
            "processes": 2,
            "mailbox_messages": 4,
            "mailbox_longest": 3,
        }


# Names


@virtual_time
async def test_a_name_stands_for_a_pid_wherever_an_address_does() -> None:
    async with VM() as vm:
        pid = await started(vm, name="probe")
        assert vm.whereis("probe") == pid
        vm.send("probe", 1)
        vm.cast("probe", 2)
        assert await vm.call("probe", "seen") == [1, 2]
        await vm.stop("probe")
        assert vm.whereis("probe") is None


@virtual_time
async def test_a_taken_name_is_refused_with_its_owner() -> None:
    async with VM() as vm:
        owner, other = await started(vm, name="one"), await started(vm)
        with pytest.raises(NameTaken) as refused:
            vm.register("one", other)
        assert (refused.value.name, refused.value.pid) == ("one", owner)
        with pytest.raises(CallExit):
            vm.register("two", "nobody")


@virtual_time
async def test_a_process_has_one_name_and_the_name_is_a_string() -> None:
    async with VM() as vm:
        pid = await started(vm, name="one")
        with pytest.raises(ValueError, match="is registered as 'one'"):
            vm.register("two", pid)
        for name in (None, True, 1, ("a", 1)):
            with pytest.raises(TypeError, match="registered under a string"):
                vm.register(name, pid)  # type: ignore[arg-type]
        assert vm.whereis("one") == pid
        assert vm.whereis("two") is None


@virtual_time
async def test_a_name_can_be_given_up_and_taken_by_another() -> None:
    async with VM() as vm:
        one, other = await started(vm, name="n"), await started(vm)
        vm.unregister("n")
        with pytest.raises(UnknownName):
            vm.unregister("n")
        vm.register("n", other)
        vm.exit(one, KILL)
        await vm.join(one)
        assert vm.whereis("n") == other


@virtual_time
async def test_a_name_is_free_before_anybody_hears_of_the_death() -> None:
    async with VM() as vm:
        free: list[Any] = []
        vm.observers.append(lambda process, _: free.append(vm.whereis("n")))
        for end in ("stop", "crash", "kill"):
            pid = await started(vm, name="n")
            if end == "stop":
                await vm.stop(pid)
            elif end == "kill":
                vm.exit(pid, KILL)
                await vm.join(pid)
            else:
                with pytest.raises(CallExit):
                    await vm.call(pid, "not a function")
            assert vm.whereis("n") is None
        assert free == [None, None, None]


@virtual_time
async def test_a_process_knows_itself_and_code_outside_knows_nobody() -> None:
    async with VM() as vm:
        pid = await started(vm)
        assert await vm.call(pid, vm.self) == pid
        assert vm.self() is None


@virtual_time
async def test_living_processes_are_counted_by_what_they_are_called() -> None:
    async with VM() as vm:
        pids = [vm.spawn(asyncio.sleep, 10) for _ in range(3)]
        assert vm.count_processes("sleep") == 3
        vm.exit(pids[0], "gone")
        await vm.join(pids[0])
        assert vm.count_processes("sleep") == 2
        assert vm.count_processes("other") == 0
