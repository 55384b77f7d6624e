"""The VM: opening, closing, starting, stopping, observing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import MutableMapping
from typing import Any

import pytest

from aybiza.actors.runtime import (
    KILL,
    KILLED,
    NOPROC,
    NORMAL,
    SHUTDOWN,
    TIMEOUT,
    VM,
    CallExit,
    Continue,
    Crashed,
    ExitError,
    GenServer,
    Pid,
    Reason,
    Registry,
    StartError,
    Stop,
    Via,
    VMClosed,
    virtual_time,
)
from tests.actors.runtime.probe import Probe, forever, started

Logs = list[MutableMapping[str, Any]]


# Opening and closing


def test_a_vm_that_is_not_open_says_so() -> None:
    vm = VM()
    with pytest.raises(VMClosed, match="async with"):
        vm.spawn(forever)
    with pytest.raises(VMClosed):
        vm.now()


@virtual_time
async def test_closing_leaves_no_process_no_task_and_no_thread() -> None:
    class Child(GenServer):
        async def init(self) -> None:
            self.vm.spawn(forever, link=True)

    async with VM() as vm:
        await vm.start(Child)
        await vm.start(Probe, True)
        vm.spawn(forever)
        await vm.run_blocking(threading.get_ident)
    assert vm.processes() == []
    assert asyncio.all_tasks() == {asyncio.current_task()}
    names = [thread.name for thread in threading.enumerate()]
    assert "crash-reports" not in names
    assert "watchdog" not in names


@virtual_time
async def test_closing_lets_servers_terminate_in_order() -> None:
    reasons: list[Any] = []

    class Tidy(GenServer):
        async def terminate(self, reason: Reason) -> None:
            await asyncio.sleep(1)
            reasons.append(reason)

    async with VM() as vm:
        await vm.start(Tidy)
    assert reasons == [SHUTDOWN]
    assert asyncio.get_running_loop().time() == pytest.approx(1, abs=0.1)


@virtual_time
async def test_closing_kills_what_does_not_terminate() -> None:
    class Endless(GenServer):
        async def terminate(self, reason: Reason) -> None:
            await forever()

    ended: list[Reason] = []
    async with VM() as vm:
        vm.observers.append(lambda _, reason: ended.append(reason))
        await vm.start(Endless)
    assert ended == [KILLED]
    assert asyncio.all_tasks() == {asyncio.current_task()}


@virtual_time
async def test_closing_from_inside_a_process_waits_for_all_the_others() -> None:
    inner = VM("inner")
    async with VM("outer") as outer:

        async def use() -> list[Pid]:
            async with inner:
                inner.spawn(forever)
                await started(inner)
            return inner.processes()

        probe = await started(outer)
        assert await outer.call(probe, use) == []


@virtual_time
async def test_a_vm_can_be_opened_again() -> None:
    vm = VM()
    for _ in range(2):
        async with vm:
            assert await vm.call(await started(vm), "seen") == []


# Spawning


@virtual_time
async def test_serials_are_never_used_twice() -> None:
    async with VM("n") as vm:
        pids = [vm.spawn(asyncio.sleep, 0) for _ in range(3)]
        await asyncio.sleep(1)
        pids += [vm.spawn(asyncio.sleep, 0) for _ in range(3)]
        assert len(set(pids)) == 6
        assert {pid.node for pid in pids} == {"n"}


# Starting servers


@virtual_time
async def test_a_second_start_under_a_name_is_refused_with_the_owner() -> None:
    async with VM() as vm:
        vm.registries["registry"] = Registry("registry")
        for name in ("plain", Via("registry", ("call", 1))):
            owner = await started(vm, name=name)
            count = len(vm.processes())
            with pytest.raises(StartError) as failed:
                await vm.start(Probe, name=name)
            assert failed.value.reason == ("already_started", owner)
            assert len(vm.processes()) == count


def test_a_refused_name_is_no_crash(logs: Logs) -> None:
    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            await started(vm, name="one")
            with pytest.raises(StartError):
                await started(vm, name="one")

    scenario()
    assert logs == []


@virtual_time
async def test_two_starts_at_once_under_one_name_give_one_server() -> None:
    async with VM() as vm:
        outcomes = await asyncio.gather(
            *(vm.start(Probe, name="one") for _ in range(3)), return_exceptions=True
        )
        pids = [outcome for outcome in outcomes if isinstance(outcome, Pid)]
        assert len(pids) == 1
        assert vm.processes() == pids


@pytest.mark.parametrize("how", ["stop", "exit", "raise", "timeout", "kill", "stop_normal"])
def test_a_start_that_fails_leaves_no_process_and_frees_the_name(how: str) -> None:
    class Unborn(GenServer):
        async def init(self) -> None:
            match how:
                case "stop":
                    raise Stop("no")
                case "stop_normal":
                    raise Stop(NORMAL)
                case "exit":
                    raise ExitError("why")
                case "raise":
                    raise ValueError("x")
            await forever()

    reasons: dict[str, Any] = {
        "stop": "no",
        "stop_normal": NORMAL,
        "exit": "why",
        "timeout": TIMEOUT,
        "kill": KILLED,
    }

    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            if how == "kill":
                asyncio.get_running_loop().call_later(1, lambda: vm.exit("name", KILL))
            with pytest.raises(StartError) as failed:
                await vm.start(Unborn, name="name", timeout=5)
            reason = failed.value.reason
            if how == "raise":
                assert isinstance(reason, Crashed)
            else:
                assert reason == reasons[how]
            assert vm.processes() == []
            await started(vm, name="name")

    scenario()


@virtual_time
async def test_a_server_that_starts_itself_too_slowly_is_gone_even_if_it_resists() -> None:
    class Resists(GenServer):
        async def init(self) -> None:
            try:
                await forever()
            finally:
                await asyncio.sleep(0.05)

    async with VM() as vm:
        with pytest.raises(StartError) as failed:
            await vm.start(Resists, name="name", timeout=1)
        assert failed.value.reason == TIMEOUT
        assert vm.processes() == []


@virtual_time
async def test_a_linked_start_that_fails_does_not_disturb_its_starter() -> None:
    class Unborn(GenServer):
        async def init(self) -> None:
            raise Stop("no")

    async with VM() as vm:
        probe = await started(vm)

        async def start() -> Any:
            with pytest.raises(StartError) as failed:
                await vm.start(Unborn, link=True)
            return failed.value.reason

        assert await vm.call(probe, start) == "no"
        await asyncio.sleep(1)
        assert await vm.call(probe, "seen") == []


@virtual_time
async def test_a_starter_that_is_killed_takes_the_unfinished_linked_start_with_it() -> None:
    class Slow(GenServer):
        async def init(self) -> None:
            await forever()

    async with VM() as vm:

        async def begin() -> None:
            await vm.start(Slow, link=True)

        starter = vm.spawn(begin)
        await asyncio.sleep(1)
        assert len(vm.processes()) == 2
        vm.exit(starter, KILL)
        await asyncio.sleep(1)
        assert vm.processes() == []


@virtual_time
async def test_a_call_may_come_before_init_is_over() -> None:
    class Slow(Probe):
        async def init(self, trap: bool = False) -> None:
            await asyncio.sleep(1)
            await super().init(trap)

    async with VM() as vm:
        start = asyncio.create_task(vm.start(Slow, name="slow"))
        await asyncio.sleep(0)
        assert await vm.call("slow", "seen") == []
        await start


@virtual_time
async def test_a_start_under_an_unknown_registry_says_so_and_leaves_nothing() -> None:
    async with VM() as vm:
        with pytest.raises(LookupError, match="no registry is called 'calls'"):
            await vm.start(Probe, name=Via("calls", 1))
        await asyncio.sleep(1)
        assert vm.processes() == []


# Stop


@virtual_time
async def test_stop_waits_for_the_end_and_returns_when_it_is_as_asked() -> None:
    async with VM() as vm:
        for reason in (NORMAL, SHUTDOWN, "boom"):
            pid = await started(vm)
            await vm.stop(pid, reason)
            assert not vm.alive(pid)


@virtual_time
async def test_stop_exits_when_there_is_nobody_or_the_end_is_another_or_too_late() -> None:
    class Odd(GenServer):
        async def init(self, how: str) -> None:
            self.how = how

        async def terminate(self, reason: Reason) -> None:
            if self.how == "other":
                raise ExitError("other")
            await asyncio.sleep(10)

    async with VM() as vm:
        for how, expected in (("other", "other"), ("slow", TIMEOUT)):
            pid = await vm.start(Odd, how)
            assert pid is not None
            with pytest.raises(CallExit) as failed:
                await vm.stop(pid, timeout=1)
            assert failed.value.reason == expected
        with pytest.raises(CallExit) as failed:
            await vm.stop("nobody")
        assert failed.value.reason == NOPROC


# Threads


@virtual_time
async def test_a_blocking_function_runs_in_a_thread_and_gives_its_result_or_error() -> None:
    async with VM() as vm:
        assert await vm.run_blocking(threading.get_ident) != threading.get_ident()
        with pytest.raises(ZeroDivisionError):
            await vm.run_blocking(lambda: 1 // 0)


@virtual_time
async def test_a_server_continues_with_its_work_while_its_starter_goes_on() -> None:
    class Works(GenServer):
        async def init(self) -> Continue:
            return Continue("work")

        async def handle_continue(self, value: str) -> None:
            await asyncio.sleep(10)

    async with VM() as vm:
        await vm.start(Works)
        assert vm.now() == 0
