"""Sending, calling and waiting for an end."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest

from aybiza.actors.runtime import (
    CALLING_SELF,
    KILL,
    KILLED,
    NOPROC,
    NORMAL,
    SHUTDOWN,
    TIMEOUT,
    VM,
    CallExit,
    GenServer,
    StartError,
    Stop,
    UnknownName,
    Via,
    virtual_time,
)
from tests.actors.runtime.probe import forever, started

# Sending


@virtual_time
async def test_a_message_to_the_dead_is_dropped_silently() -> None:
    async with VM() as vm:
        pid = vm.spawn(asyncio.sleep, 0)
        await vm.join(pid)
        for dest in (pid, ("nobody", vm.node), Via("registry", "nobody")):
            vm.send(dest, "hello")
            vm.cast(dest, "hello")
            vm.exit(dest, "boom")


@virtual_time
async def test_a_message_to_a_name_that_nobody_has_is_an_error_and_a_cast_is_not() -> None:
    async with VM() as vm:
        with pytest.raises(UnknownName, match="no process is registered as 'nobody'"):
            vm.send("nobody", "hello")
        vm.cast("nobody", "hello")
        vm.exit("nobody", "boom")


# Calls


@virtual_time
async def test_a_call_to_oneself_exits_instead_of_waiting() -> None:
    async with VM() as vm:
        pid = await started(vm)

        async def calls_itself() -> Any:
            with pytest.raises(CallExit) as called:
                await vm.call(pid, "seen")
            with pytest.raises(CallExit) as stopped:
                await vm.stop(pid)
            return called.value.reason, stopped.value.reason

        assert await vm.call(pid, calls_itself) == (CALLING_SELF, CALLING_SELF)


@virtual_time
async def test_a_call_that_is_too_slow_exits_and_its_late_reply_is_dropped() -> None:
    async with VM() as vm:
        caller, slow = await started(vm), await started(vm)

        async def ask() -> Any:
            with pytest.raises(CallExit) as failed:
                await vm.call(slow, lambda: asyncio.sleep(10, "late"), timeout=1)
            return failed.value.reason

        assert await vm.call(caller, ask) == TIMEOUT
        assert vm.now() == pytest.approx(1)
        await asyncio.sleep(20)
        assert await vm.call(caller, "seen") == []
        assert await vm.call(slow, "seen") == []


@pytest.mark.parametrize("reason", [NORMAL, SHUTDOWN, "boom", KILL])
def test_a_caller_hears_how_the_callee_ended_without_a_reply(reason: str) -> None:
    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            pid = await started(vm)
            calls = [asyncio.create_task(vm.call(pid, forever)) for _ in range(2)]
            await asyncio.sleep(1)
            if reason == NORMAL:
                process = vm.find(pid)
                assert process is not None
                process.end(NORMAL)
            else:
                vm.exit(pid, reason)
            for call in calls:
                with pytest.raises(CallExit) as failed:
                    await call
                assert failed.value.reason == (KILLED if reason == KILL else reason)

    scenario()


@virtual_time
async def test_a_caller_that_gives_up_leaves_nothing_with_the_callee() -> None:
    async with VM() as vm:
        pid = await started(vm)
        process = vm.find(pid)
        assert process is not None
        call = asyncio.create_task(vm.call(pid, lambda: asyncio.sleep(5)))
        await asyncio.sleep(1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert not process.callers
        assert await vm.call(pid, "seen", timeout=None) == []


@virtual_time
async def test_an_unhandled_exit_of_a_call_ends_the_caller_with_what_it_called() -> None:
    async with VM() as vm:
        pid = await started(vm)
        with pytest.raises(CallExit) as failed:
            await vm.call(pid, lambda: vm.call("nobody", "ping"))
        assert failed.value.reason.reason == NOPROC
        assert failed.value.reason.dest == "nobody"


@pytest.mark.parametrize("how", ["timeout", "crash", "init"])
def test_a_call_or_start_that_failed_leaves_nothing_to_the_garbage_collector(how: str) -> None:
    class Unborn(GenServer):
        async def init(self) -> None:
            raise Stop("no")

    @virtual_time
    async def scenario() -> None:
        async with VM(block_warning_ms=None) as vm:
            pid = await started(vm)
            left: list[weakref.ref[BaseException]] = []
            try:
                if how == "init":
                    await vm.start(Unborn)
                elif how == "timeout":
                    await vm.call(pid, forever, timeout=1)
                else:
                    await vm.call(pid, "not a function")
            except (CallExit, StartError) as error:
                left += [weakref.ref(each) for each in (error, error.__context__) if each]
            assert left
            await asyncio.sleep(1)
            assert [reference() for reference in left] == [None for _ in left]

    gc.collect()
    gc.disable()
    try:
        scenario()
    finally:
        gc.enable()


# Join


@virtual_time
async def test_join_waits_for_the_end_and_tells_the_reason() -> None:
    async with VM() as vm:
        pid = vm.spawn(forever)
        asyncio.get_running_loop().call_later(1, lambda: vm.exit(pid, "boom"))
        with pytest.raises(TimeoutError):
            await vm.join(pid, 0.5)
        assert await vm.join(pid, 1) == "boom"
        assert await vm.join(pid) == NOPROC
