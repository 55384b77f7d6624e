"""How a process ends: who is told in which order, and what does not let itself be ended."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

from aybiza.actors.runtime import (
    KILL,
    KILLED,
    VM,
    CallExit,
    GenServer,
    Process,
    Reason,
    virtual_time,
)
from aybiza.actors.runtime.process import INSIST_SECONDS, INSIST_TIMES
from tests.actors.runtime.probe import started

Logs = list[MutableMapping[str, Any]]


class Mute(GenServer):
    """Never answers."""

    async def handle_call(self, request: Any, from_: Any) -> Any:
        await asyncio.Event().wait()


@virtual_time
async def test_names_are_free_first_then_observers_callers_links_and_monitors_hear() -> None:
    order: list[Any] = []

    class Told(Process):
        __slots__ = ()

        def deliver(self, message: Any) -> None:
            order.append(type(message).__name__)
            super().deliver(message)

    class Watched(VM):
        process_type = Told

    async with Watched() as vm:
        pid = await vm.start(Mute, name="mute")
        assert pid is not None
        watcher = await started(vm, True)
        await vm.call(watcher, lambda: vm.monitor(pid))
        await vm.call(watcher, lambda: vm.link(pid))

        async def ask() -> None:
            try:
                await vm.call(pid, 1)
            except CallExit as exit_:
                order.append(exit_.reason)

        asking = asyncio.create_task(ask())
        await asyncio.sleep(1)
        order.clear()

        def observe(process: Process, reason: Reason) -> None:
            order.append(vm.whereis("mute"))

        vm.observers.append(observe)
        vm.exit(pid, KILL)
        await asking
        assert order == [None, "Exit", "Down", KILLED]
        vm.observers.remove(observe)


# Code that does not let itself be cancelled


class Stubborn(GenServer):
    """Swallows every cancellation for ever, or the first `times`."""

    async def handle_cast(self, times: int) -> None:
        swallowed = 0
        while swallowed < times:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed += 1


@virtual_time
async def test_a_callback_that_swallows_one_cancellation_ends_all_the_same() -> None:
    async with VM() as vm:
        pid = await vm.start(Stubborn)
        assert pid is not None
        vm.cast(pid, 1)
        vm.cast(pid, 0)
        await asyncio.sleep(0.001)
        vm.exit(pid, "go")
        assert await vm.join(pid) == "go"
        assert vm.now() < INSIST_SECONDS


def test_a_callback_that_swallows_every_cancellation_is_abandoned_and_named(logs: Logs) -> None:
    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            pid = await vm.start(Stubborn, name="mule")
            assert pid is not None
            vm.cast(pid, INSIST_TIMES + 2)
            await asyncio.sleep(0.001)
            vm.exit(pid, KILL)
            assert await vm.join(pid, 60) == KILLED
            assert vm.whereis("mule") is None
            assert await vm.start(Stubborn, name="mule") is not None
        assert asyncio.all_tasks() == {asyncio.current_task()}

    scenario()
    (told,) = [entry for entry in logs if entry["event"] == "process_abandoned"]
    assert told["name"] == "mule"
    assert told["server"] == "Stubborn"
    assert "test_endings.py:" in told["at"] or "locks.py" in told["at"]
