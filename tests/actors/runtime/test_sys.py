"""Looking into a server, and stopping its loop."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from aybiza.actors.runtime import (
    NORMAL,
    SHUTDOWN,
    TIMEOUT,
    VM,
    CallExit,
    GenServer,
    Pid,
    Reason,
    TimedOut,
    Timeout,
    sys,
    virtual_time,
)
from aybiza.actors.runtime.messages import System


class Counter(GenServer):
    traps_exits = True

    async def init(self, start: int = 0, idle: float | None = None) -> Timeout | None:
        self.count = start
        self._secret = "not shown"
        self.ended: list[Reason] = []
        return Timeout(idle) if idle else None

    async def handle_call(self, request: str, from_: Any) -> int:
        return self.count

    async def handle_cast(self, amount: int) -> None:
        self.count += amount

    async def handle_info(self, message: Any) -> None:
        self.count = -1 if message == TimedOut() else -2

    async def terminate(self, reason: Reason) -> None:
        self.ended.append(reason)


async def started(vm: VM, *args: Any, **options: Any) -> Pid:
    pid = await vm.start(Counter, *args, **options)
    assert pid is not None
    return pid


@virtual_time
async def test_the_state_is_the_public_attributes() -> None:
    async with VM() as vm:
        pid = await started(vm, 5)
        assert await sys.get_state(vm, pid) == {"count": 5, "ended": []}


@virtual_time
async def test_a_state_can_be_replaced() -> None:
    async with VM() as vm:
        pid = await started(vm, 5)
        new = await sys.replace_state(vm, pid, lambda state: state | {"count": state["count"] * 2})
        assert new["count"] == 10
        assert await vm.call(pid, "count") == 10


@virtual_time
async def test_a_replacement_that_fails_is_the_askers_error_and_changes_nothing() -> None:
    async with VM() as vm:
        pid = await started(vm, 5)
        with pytest.raises(KeyError):
            await sys.replace_state(vm, pid, lambda state: state["nothing"])
        with pytest.raises(TypeError, match="a dict of its attributes"):
            await sys.replace_state(vm, pid, lambda _state: 5)
        assert await vm.call(pid, "count") == 5


@virtual_time
async def test_the_status_tells_who_and_how() -> None:
    async with VM() as vm:
        pid = await started(vm, 5, name="counter")
        await vm.call(pid, "count")
        status = await sys.get_status(vm, pid)
        assert status["server"] == "Counter"
        assert status["name"] == "counter"
        assert status["status"] == "running"
        assert status["parent"] is None
        assert status["mailbox_length"] == 0
        assert status["reductions"] >= 2
        assert status["state"]["count"] == 5


@virtual_time
async def test_a_suspended_server_keeps_its_messages_until_it_is_resumed() -> None:
    async with VM() as vm:
        pid = await started(vm)
        await sys.suspend(vm, pid)
        for _ in range(3):
            vm.cast(pid, 1)
        with pytest.raises(CallExit) as failed:
            await vm.call(pid, "count", timeout=1)
        assert failed.value.reason == TIMEOUT
        status = await sys.get_status(vm, pid)
        assert (status["status"], status["mailbox_length"]) == ("suspended", 4)
        assert status["state"]["count"] == 0
        await sys.resume(vm, pid)
        assert await vm.call(pid, "count") == 3


@virtual_time
async def test_messages_around_a_suspension_keep_their_order() -> None:
    class Reader(GenServer):
        async def init(self) -> None:
            self.seen: list[int] = []

        async def handle_cast(self, request: int) -> None:
            self.seen.append(request)

    async with VM() as vm:
        pid = await vm.start(Reader)
        assert pid is not None
        suspended = asyncio.create_task(sys.suspend(vm, pid))
        await asyncio.sleep(0)
        for number in range(50):
            vm.cast(pid, number)
            if number % 10 == 0:
                await sys.get_state(vm, pid)
        await suspended
        resumed = asyncio.create_task(sys.resume(vm, pid))
        await asyncio.sleep(0)
        vm.cast(pid, 50)
        await resumed
        assert (await sys.get_state(vm, pid))["seen"] == list(range(51))


@virtual_time
async def test_one_resume_undoes_two_suspends() -> None:
    async with VM() as vm:
        pid = await started(vm, 7)
        await sys.suspend(vm, pid)
        await sys.suspend(vm, pid)
        await sys.resume(vm, pid)
        assert await vm.call(pid, "count") == 7
        await sys.resume(vm, pid)
        assert await vm.call(pid, "count") == 7


@virtual_time
async def test_a_suspended_server_can_be_stopped_and_ends_with_its_parent() -> None:
    async with VM() as vm:
        pid = await started(vm)
        await sys.suspend(vm, pid)
        await vm.stop(pid)
        assert not vm.alive(pid)

        parent = await vm.start(Parent)
        assert parent is not None
        child = await vm.call(parent, "child")
        await sys.suspend(vm, child)
        await vm.stop(parent, SHUTDOWN)
        assert await vm.join(child) in (SHUTDOWN, "noproc")


class Parent(GenServer):
    async def handle_call(self, request: str, from_: Any) -> Pid:
        return await started(self.vm, link=True)


@virtual_time
async def test_looking_at_a_server_does_not_end_its_idle_time() -> None:
    async with VM() as vm:
        pid = await started(vm, 0, 10.0)
        await asyncio.sleep(6)
        await sys.get_state(vm, pid)
        await asyncio.sleep(6)
        assert (await sys.get_state(vm, pid))["count"] == 0
        await asyncio.sleep(11)
        assert (await sys.get_state(vm, pid))["count"] == -1


@virtual_time
async def test_a_dead_server_cannot_be_asked() -> None:
    async with VM() as vm:
        pid = await started(vm)
        await vm.stop(pid, NORMAL)
        for ask in (sys.get_state, sys.get_status, sys.suspend, sys.resume):
            with pytest.raises(CallExit):
                await ask(vm, pid)


@virtual_time
async def test_an_unknown_system_message_is_an_error_and_harms_nothing() -> None:
    async with VM() as vm:
        pid = await started(vm)
        with pytest.raises(ValueError, match="explode"):
            await vm.request(pid, "explode", System)
        assert vm.alive(pid)


def test_a_long_mailbox_of_a_suspended_server_is_named(
    logs: list[MutableMapping[str, Any]],
) -> None:
    @virtual_time
    async def scenario() -> None:
        async with VM(mailbox_alarm=10) as vm:
            pid = await started(vm, name="suspended")
            await sys.suspend(vm, pid)
            for _ in range(12):
                vm.cast(pid, 1)
                await asyncio.sleep(0.001)

    scenario()
    assert [(entry["event"], entry["name"]) for entry in logs] == [("mailbox_alarm", "suspended")]


@virtual_time
async def test_a_state_that_cannot_be_shown_is_the_askers_error() -> None:
    class Shy(GenServer):
        def get_state(self) -> Any:
            raise LookupError("no")

    async with VM() as vm:
        pid = await vm.start(Shy)
        assert pid is not None
        with pytest.raises(LookupError):
            await sys.get_state(vm, pid)
        assert vm.alive(pid)
