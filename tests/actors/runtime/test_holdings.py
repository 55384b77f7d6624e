"""What a process has goes with it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aybiza.actors.runtime import VM, Down, Exit, Process, virtual_time
from aybiza.actors.runtime.holdings import Holding, hold, let_go
from aybiza.actors.runtime.process import link_both


class Noted(Holding):
    def __init__(self, released: list[Any], name: str) -> None:
        super().__init__(None, name)
        self.released = released

    def release(self, process: Process) -> None:
        self.released.append((self.key, process.alive))


class Failing(Holding):
    def release(self, process: Process) -> None:
        raise asyncio.CancelledError


async def forever() -> None:
    await asyncio.Event().wait()


def processes(vm: VM, count: int) -> list[Process]:
    found = [vm.find(vm.spawn(forever)) for _ in range(count)]
    return [process for process in found if process is not None]


@virtual_time
async def test_what_is_held_is_released_once_when_its_process_ends_oldest_first() -> None:
    async with VM() as vm:
        (one,) = processes(vm, 1)
        released: list[Any] = []
        kept, given_back = Noted(released, "kept"), Noted(released, "given back")
        for each in (kept, given_back, Noted(released, "last")):
            hold(one, each)
        let_go(one, given_back)
        let_go(one, given_back)
        vm.exit(one.pid, "gone")
        await vm.join(one.pid)
        assert released == [("kept", False), ("last", False)]
        assert one.names == []


def test_a_release_that_fails_is_told_and_stops_nothing(logs: list[Any]) -> None:
    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            one, linked, watcher = processes(vm, 3)
            released: list[Any] = []
            for each in (Failing(), Noted(released, "after")):
                hold(one, each)
            link_both(one, linked)
            linked.trap_exit = True
            one.monitors, watcher.monitoring = {7: watcher}, {7: one}
            waiting = asyncio.ensure_future(vm.join(one.pid))
            await asyncio.sleep(0)
            vm.exit(one.pid, "gone")
            assert await waiting == "gone"
            assert released == [("after", False)]
            assert list(linked.mailbox) == [Exit(one.pid, "gone")]
            assert list(watcher.mailbox) == [Down(7, one.pid, "gone")]

    scenario()
    assert [entry["event"] for entry in logs] == ["observer_failed"]


@pytest.mark.parametrize("error", [ValueError, SystemExit, asyncio.CancelledError])
def test_an_observer_may_raise_what_it_likes(error: type[BaseException], logs: list[Any]) -> None:
    @virtual_time
    async def scenario() -> None:
        def fails(*_: Any) -> None:
            raise error

        async with VM() as vm:
            one, linked = processes(vm, 2)
            link_both(one, linked)
            linked.trap_exit = True
            vm.observers.append(fails)
            vm.exit(one.pid, "gone")
            await asyncio.sleep(0.01)
            vm.observers.clear()
            assert list(linked.mailbox) == [Exit(one.pid, "gone")]

    scenario()
    assert [entry["event"] for entry in logs] == ["observer_failed"]
