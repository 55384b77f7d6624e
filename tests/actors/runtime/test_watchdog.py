"""The watchdog, in real time."""

from __future__ import annotations

import asyncio
import linecache
import sys
import threading
import time
from collections.abc import MutableMapping
from typing import Any

import pytest

from aybiza.actors.runtime import VM, GenServer, run_virtual
from aybiza.actors.runtime.core_waits import CoreWaits

Logs = list[MutableMapping[str, Any]]


class Blocks(GenServer):
    async def handle_call(self, request: float, from_: Any) -> str:
        time.sleep(request)  # noqa: ASYNC251
        return "done"

    async def handle_cast(self, request: float) -> None:
        for _ in range(1):
            _helper(request)


def _helper(seconds: float) -> None:
    time.sleep(seconds)


def stalls(logs: Logs) -> Logs:
    return [entry for entry in logs if entry["event"] == "loop_blocked"]


async def test_a_callback_that_blocks_is_named_once_with_its_line(logs: Logs) -> None:
    async with VM(block_warning_ms=20) as vm:
        pid = await vm.start(Blocks, name="culprit")
        assert pid is not None
        await vm.call(pid, 0.25)
    (told,) = stalls(logs)
    assert told["pid"] == str(pid)
    assert told["name"] == "culprit"
    assert told["server"] == "Blocks"
    assert told["callback"] == "Blocks.handle_call"
    file, line = told["at"].rsplit(":", 1)
    assert file == __file__
    assert linecache.getline(file, int(line)).strip().startswith("time.sleep(request)")
    assert told["blocked_ms"] >= 20


async def test_a_stall_for_want_of_a_core_is_told_as_one(
    logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()
    monkeypatch.setattr(CoreWaits, "seconds", lambda _: time.monotonic() - began)
    async with VM(block_warning_ms=20) as vm:
        pid = await vm.start(Blocks)
        assert pid is not None
        await vm.call(pid, 0.25)
    (told,) = stalls(logs)
    assert told["waited_ms"] >= 10
    assert "cores" in told["advice"]


async def test_each_stall_is_told(logs: Logs) -> None:
    async with VM(block_warning_ms=20) as vm:
        pid = await vm.start(Blocks)
        assert pid is not None
        for _ in range(2):
            await vm.call(pid, 0.15)
            await asyncio.sleep(0.1)
    assert len(stalls(logs)) == 2


async def test_a_stack_that_changes_while_it_is_looked_at_does_not_end_the_watch(
    logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = sys._current_frames

    def changed_once() -> dict[int, Any]:
        monkeypatch.setattr(sys, "_current_frames", frames)
        return dict.fromkeys(frames(), object())

    async with VM(block_warning_ms=20) as vm:
        pid = await vm.start(Blocks)
        assert pid is not None
        monkeypatch.setattr(sys, "_current_frames", changed_once)
        await vm.call(pid, 0.15)
    assert sys._current_frames is frames
    assert len(stalls(logs)) == 1


async def test_the_line_inside_of_what_a_callback_calls_is_told_too(logs: Logs) -> None:
    async with VM(block_warning_ms=20) as vm:
        pid = await vm.start(Blocks)
        assert pid is not None
        vm.cast(pid, 0.15)
        await vm.call(pid, 0)
    told = stalls(logs)[0]
    assert told["callback"] == "Blocks.handle_cast"
    assert told["at"].startswith(__file__)
    assert told["inside"].startswith(__file__)
    assert told["inside"] != told["at"]


async def test_code_that_is_no_process_is_named_by_its_callback(logs: Logs) -> None:
    def not_a_process() -> None:
        time.sleep(0.15)

    async with VM(block_warning_ms=20):
        asyncio.get_running_loop().call_soon(not_a_process)
        await asyncio.sleep(0.2)
    (told,) = stalls(logs)
    assert told["callback"].endswith("not_a_process")
    assert "pid" not in told


async def test_a_loop_that_only_waits_is_not_blocked(logs: Logs) -> None:
    async with VM(block_warning_ms=20) as vm:
        pid = await vm.start(Blocks)
        assert pid is not None
        for _ in range(10):
            await vm.call(pid, 0)
            await asyncio.sleep(0.02)
    assert [entry for entry in stalls(logs) if "Blocks" in entry.get("callback", "")] == []


async def test_the_watch_ends_with_the_vm() -> None:
    async with VM():
        assert "watchdog" in [thread.name for thread in threading.enumerate()]
    assert "watchdog" not in [thread.name for thread in threading.enumerate()]


async def test_it_can_be_switched_off() -> None:
    async with VM(block_warning_ms=None):
        assert "watchdog" not in [thread.name for thread in threading.enumerate()]


def test_virtual_time_is_not_watched(logs: Logs) -> None:
    async def scenario() -> None:
        async with VM(block_warning_ms=20) as vm:
            pid = await vm.start(Blocks)
            assert pid is not None
            await vm.call(pid, 0.1)

    run_virtual(scenario())
    assert stalls(logs) == []
