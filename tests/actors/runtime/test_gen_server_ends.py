"""GenServer: how a server ends, and when `terminate` runs."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import MutableMapping
from typing import Any

import pytest

from aybiza.actors.runtime import (
    KILL,
    KILLED,
    NORMAL,
    SHUTDOWN,
    VM,
    CallExit,
    Crashed,
    Exit,
    ExitError,
    GenServer,
    Pid,
    Reason,
    Stop,
    virtual_time,
)
from tests.actors.runtime.recorder import Log, Recorder, forever, raises, started

Logs = list[MutableMapping[str, Any]]


@virtual_time
async def test_terminate_runs_after_a_stop_an_exit_and_a_crash_without_trapping() -> None:
    crash = ValueError("x")
    for error in (Stop("stopped"), ExitError("exited"), crash, Stop(NORMAL)):
        for send in ("cast", "send"):
            log: Log = []
            async with VM() as vm:
                pid = await started(vm, log)
                getattr(vm, send)(pid, raises(error))
                reason = await vm.join(pid)
                assert log[-1] == ("terminate", reason)
                if error is crash:
                    assert isinstance(reason, Crashed)
                    assert reason.exception is crash


@virtual_time
async def test_terminate_runs_after_a_cancellation_that_is_no_exit_signal() -> None:
    log: Log = []
    async with VM() as vm:
        pid = await started(vm, log)
        vm.cast(pid, raises(asyncio.CancelledError()))
        assert isinstance(await vm.join(pid), Crashed)
    assert log[-1][0] == "terminate"


@virtual_time
async def test_terminate_does_not_run_after_an_exit_signal_unless_trapping() -> None:
    for signal in ("boom", SHUTDOWN, KILL):
        log: Log = []
        async with VM() as vm:
            pid = await started(vm, log)
            vm.cast(pid, lambda *_: forever())
            await asyncio.sleep(1)
            vm.exit(pid, signal)
            await vm.join(pid)
        assert log == [("cast", "<lambda>")]


@virtual_time
async def test_a_trapping_server_stops_with_its_parent_whatever_the_reason() -> None:
    for reason in (NORMAL, SHUTDOWN, "boom"):
        log: Log = []
        async with VM() as vm:
            parent = await started(vm, [], None, True)
            child: Pid = await vm.call(
                parent, lambda *_, log=log: started(vm, log, None, True, link=True)
            )
            vm.cast(parent, lambda *_, child=child, reason=reason: vm.exit(child, reason))
            assert await vm.join(child) == reason
        assert log == [("terminate", reason)]


@virtual_time
async def test_a_trapping_server_is_told_of_other_signals() -> None:
    log: Log = []
    async with VM() as vm:
        pid = await started(vm, log, None, True)
        vm.exit(pid, "boom")
        vm.exit(pid, NORMAL)
        await asyncio.sleep(1)
        assert vm.alive(pid)
    assert log[:2] == [("info", Exit(None, "boom")), ("info", Exit(None, NORMAL))]


@virtual_time
async def test_a_class_may_trap_exits_from_its_start() -> None:
    class Trapping(Recorder):
        traps_exits = True

        async def init(self, log: Log, *_: Any) -> None:
            self.log = log

    log: Log = []
    async with VM() as vm:
        pid = await vm.start(Trapping, log)
        assert pid is not None
        vm.exit(pid, "boom")
        await asyncio.sleep(1)
        assert vm.alive(pid)


@virtual_time
async def test_what_terminate_raises_takes_the_place_of_the_reason() -> None:
    class Fails(Recorder):
        async def terminate(self, reason: Reason) -> None:
            raise ExitError(("instead of", reason))

    async with VM() as vm:
        pid = await vm.start(Fails, [])
        assert pid is not None
        vm.cast(pid, raises(Stop("boom")))
        assert await vm.join(pid) == ("instead of", "boom")


@virtual_time
async def test_a_kill_ends_a_terminate_that_takes_too_long() -> None:
    class Endless(Recorder):
        async def terminate(self, reason: Reason) -> None:
            await forever()

    async with VM() as vm:
        pid = await vm.start(Endless, [])
        assert pid is not None
        call = asyncio.create_task(vm.call(pid, raises(Stop(NORMAL, reply="bye"))))
        await asyncio.sleep(1)
        vm.exit(pid, KILL)
        with pytest.raises(CallExit) as failed:
            await call
        assert failed.value.reason == KILLED


class Holder(GenServer):
    """Gives a method of its own away, with everything that it holds; raises what is cast to it."""

    async def init(self, given: dict[str, Any]) -> None:
        self.heavy = Heavy()
        given["heavy"] = weakref.ref(self.heavy)
        given["alive"] = self.alive

    async def handle_cast(self, request: Exception) -> None:
        raise request

    def alive(self) -> bool:
        return self._process.alive


class Heavy:
    pass


@virtual_time
async def test_a_server_that_lets_go_has_nothing_left_however_it_ended() -> None:
    class LetsGo(Holder):
        lets_go = True

    ends: tuple[Any, ...] = (
        lambda vm, pid: vm.exit(pid, KILL),
        lambda vm, pid: vm.exit(pid, SHUTDOWN),
        lambda vm, pid: vm.cast(pid, ValueError("x")),
        lambda vm, pid: vm.cast(pid, Stop(NORMAL)),
    )
    for kept, server in ((True, Holder), (False, LetsGo)):
        for end in ends:
            given: dict[str, Any] = {}
            async with VM() as vm:
                pid = await vm.start(server, given)
                assert pid is not None and given["alive"]()
                end(vm, pid)
                await vm.join(pid)
                await asyncio.sleep(0)
                assert (given["heavy"]() is not None) is kept
                assert not given["alive"]()
