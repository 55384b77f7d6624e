"""A VM that is watched: everything is seen, and can be kept from happening."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from aybiza.actors.runtime import CallExit, GenServer, Process
from aybiza.actors.runtime.clock import virtual_time
from aybiza.faults.trace import Trace, type_of
from aybiza.faults.watched import WatchedProcess, WatchedVM, Watcher


class Counter(GenServer):
    async def init(self) -> None:
        self.count = 0

    async def handle_call(self, request: Any, from_: Any) -> Any:
        return self.count

    async def handle_info(self, message: Any) -> None:
        self.count += 1


class Censor(Watcher):
    """Keeps `unwanted` back, and has callbacks fail or wait."""

    callbacks = True

    def __init__(self) -> None:
        self.unwanted = ""
        self.fails = self.waits = False
        self.seen: list[tuple[str, str]] = []

    def delivering(self, sender: Process | None, to: Process, message: Any) -> bool:
        return type_of(message) != self.unwanted

    def entering(self, process: Process, callback: str, message: Any) -> Awaitable[None] | None:
        self.seen.append((callback, type_of(message)))
        if self.fails:
            raise RuntimeError("on purpose")
        return asyncio.sleep(5.0) if self.waits else None


def watched(watcher: Watcher | None = None) -> WatchedVM:
    trace = Trace(lambda: asyncio.get_running_loop().time(), messages=True)
    return WatchedVM("here", trace, watcher)


@virtual_time
async def test_messages_starts_and_exits_are_in_the_trace() -> None:
    async with watched() as vm:
        pid = await vm.start(Counter)
        assert pid is not None
        vm.send(pid, "up")
        assert await vm.call(pid, "get") == 1
        await vm.stop(pid)
        kinds = [(event.kind, event.what) for event in vm.trace]
    assert kinds == [
        ("start", ""),
        ("send", "up"),
        ("send", "call get"),
        ("send", "system terminate"),
        ("exit", "normal"),
    ]


@virtual_time
async def test_a_message_can_be_kept_from_its_mailbox_and_come_later() -> None:
    censor = Censor()
    async with watched(censor) as vm:
        pid = await vm.start(Counter)
        assert pid is not None
        censor.unwanted = "up"
        vm.send(pid, "up")
        assert await vm.call(pid, "get") == 0
        process = vm.find(pid)
        assert isinstance(process, WatchedProcess)
        process.arrive("up")
        assert await vm.call(pid, "get") == 1


@virtual_time
async def test_a_callback_can_be_made_to_crash_or_to_wait() -> None:
    censor = Censor()
    async with watched(censor) as vm:
        pid = await vm.start(Counter)
        assert pid is not None
        assert vm.find(pid).label == "Counter"  # type: ignore[union-attr]
        censor.waits = True
        await vm.call(pid, "get", timeout=10.0)
        assert vm.now() == 5.0
        censor.fails = True
        with pytest.raises(CallExit):
            await vm.call(pid, "get")
        assert vm.trace.of("exit")[0].what == "crash RuntimeError: on purpose"
        assert censor.seen == [("handle_call", "get")] * 2
