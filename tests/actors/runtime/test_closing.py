"""Leaving a VM: who ends in order, who is killed, and that nobody outlives it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aybiza.actors.runtime import (
    KILL,
    SHUTDOWN,
    VM,
    GenServer,
    Process,
    Reason,
    VMClosed,
    current_process,
    virtual_time,
)
from aybiza.actors.runtime.closing import CLOSE_SECONDS, OVERDUE_SECONDS
from aybiza.supervisors import DynamicSupervisor, Supervisor, child
from tests.actors.runtime.probe import forever


class Slow(GenServer):
    """Takes `seconds` to end, and says so in `ended`."""

    traps_exits = True

    async def init(self, ended: list[Any], seconds: float, label: str = "slow") -> None:
        self.ended, self.seconds, self.label = ended, seconds, label

    async def terminate(self, reason: Reason) -> None:
        await asyncio.sleep(self.seconds)
        self.ended.append((self.label, reason))


def now() -> float:
    return asyncio.get_running_loop().time()


def only_this_task() -> bool:
    return asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("depth", [0, 1, 2])
@virtual_time
async def test_a_tree_has_the_time_that_its_specs_give(depth: int) -> None:
    ended: list[Any] = []
    spec = child(Slow, ended, 3 * CLOSE_SECONDS, shutdown=4 * CLOSE_SECONDS)
    for level in range(depth):
        spec = child(Supervisor, [spec], id=level)
    async with VM(block_warning_ms=None) as vm:
        await vm.start(Supervisor, [spec])
    assert ended == [("slow", SHUTDOWN)]
    assert now() == pytest.approx(3 * CLOSE_SECONDS)


@virtual_time
async def test_a_child_that_needs_more_than_its_spec_gives_is_killed_then() -> None:
    ended: list[Any] = []
    async with VM(block_warning_ms=None) as vm:
        supervisor = await vm.start(DynamicSupervisor)
        assert supervisor is not None
        for shutdown in (1.0, 2.0 * CLOSE_SECONDS):
            spec = child(Slow, ended, 1000, shutdown=shutdown)
            await DynamicSupervisor.start_child(vm, supervisor, spec)
    assert ended == []
    assert now() == pytest.approx(2 * CLOSE_SECONDS)


@virtual_time
async def test_what_stands_below_no_supervisor_has_the_usual_time_only() -> None:
    ended: list[Any] = []
    async with VM(block_warning_ms=None) as vm:
        await vm.start(Slow, ended, 1000, "alone")
        await vm.start(Supervisor, [child(Slow, ended, 9, "supervised", shutdown=10)])

        async def above() -> None:
            await vm.start(Supervisor, [child(Slow, ended, 1, "below", shutdown=10)], link=True)
            try:
                await forever()
            finally:
                await asyncio.sleep(0.01)

        vm.spawn(above)
        await asyncio.sleep(0.001)
    assert [label for label, _ in ended] == ["below", "supervised"]
    assert only_this_task()


@pytest.mark.parametrize("link", [True, False])
@virtual_time
async def test_a_process_that_spawns_its_successor_does_not_outlive_the_vm(link: bool) -> None:
    refused: list[str] = []

    async def phoenix() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            try:
                vm.spawn(phoenix, link=link)
            except VMClosed as error:
                refused.append(str(error))

    async with VM(block_warning_ms=None) as vm:
        vm.spawn(phoenix)
        await asyncio.sleep(0)
        before = now()
    assert now() - before <= 2 * CLOSE_SECONDS
    assert only_this_task()
    assert vm.processes() == []
    # One that is linked ends with its predecessor, before it has begun.
    told = "the VM is being closed; no process can be started any more"
    assert refused == ([] if link else [told])


@virtual_time
async def test_a_server_that_starts_its_successor_does_not_outlive_the_vm() -> None:
    started: list[str] = []

    class Phoenix(GenServer):
        async def terminate(self, reason: Reason) -> None:
            started.append("one")
            await self.vm.start(Phoenix)

    async with VM(block_warning_ms=None) as vm:
        await vm.start(Phoenix)
    assert len(started) == 2
    assert only_this_task()


@virtual_time
async def test_what_is_being_started_ends_at_once() -> None:
    class Starting(GenServer):
        async def init(self) -> None:
            await forever()

    async with VM(block_warning_ms=None) as vm:
        starting = asyncio.ensure_future(vm.start(Starting, timeout=None))
        await asyncio.sleep(1)
    assert now() == pytest.approx(1)
    error = (await asyncio.gather(starting, return_exceptions=True))[0]
    assert getattr(error, "reason", None) == SHUTDOWN


@pytest.mark.parametrize("nested", [True, False])
@virtual_time
async def test_a_start_without_limit_below_a_supervisor_does_not_hold_up_the_end(
    nested: bool,
) -> None:
    class Starting(GenServer):
        async def init(self) -> None:
            await forever()

    spec = child(Starting, timeout=None)
    if nested:
        spec = child(Supervisor, [spec], timeout=None)
    async with VM(block_warning_ms=None) as vm:
        top = await vm.start(DynamicSupervisor)
        assert top is not None
        starting = asyncio.ensure_future(DynamicSupervisor.start_child(vm, top, spec))
        await asyncio.sleep(1)
    assert now() <= 1 + 2 * CLOSE_SECONDS
    await asyncio.gather(starting, return_exceptions=True)
    assert only_this_task()


@virtual_time
async def test_a_supervisor_that_never_takes_its_order_is_killed_at_last() -> None:
    class Stuck(Supervisor):
        async def handle_cast(self, request: Any) -> None:
            await forever()

    ended: list[Any] = []
    async with VM(block_warning_ms=None) as vm:
        inner = child(Stuck, [child(Slow, ended, 0.0)], name="stuck")
        await vm.start(Supervisor, [inner])
        vm.cast("stuck", "wait")
        await asyncio.sleep(0)
    assert OVERDUE_SECONDS <= now() <= OVERDUE_SECONDS + 3 * CLOSE_SECONDS
    assert only_this_task()


@virtual_time
async def test_no_timer_outlives_the_vm() -> None:
    loop = asyncio.get_running_loop()
    async with VM(block_warning_ms=None) as vm:
        timers = [
            vm.apply_after(3600, forever),
            vm.send_after("nobody", "late", 3600),
            vm.send_interval("nobody", "tick", 1),
            vm.start_timer("nobody", "late", 3600),
            vm.exit_after("nobody", "reason", 3600),
        ]
        await asyncio.sleep(1.5)
        assert None not in [timer.read() for timer in timers]
    assert [timer.read() for timer in timers] == [None] * len(timers)
    assert [each for each in loop._scheduled if not each.cancelled()] == []  # type: ignore[attr-defined]


@virtual_time
async def test_whoever_cancels_the_closing_leaves_nobody_alive() -> None:
    ended: list[Any] = []

    async def whole() -> None:
        async with VM(block_warning_ms=None) as vm:
            await vm.start(Supervisor, [child(Slow, ended, 3600, shutdown="infinity")])
            await vm.start(Slow, ended, 3600)

    closing = asyncio.ensure_future(whole())
    await asyncio.sleep(1)
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    await asyncio.sleep(1)
    assert only_this_task()
    assert ended == []


@virtual_time
async def test_the_process_that_has_closed_its_vm_may_end_behind_it() -> None:
    """Of itself, and by a signal."""
    seen: list[Process] = []

    async def closes(vm: VM) -> None:
        process = current_process.get()
        assert process is not None
        seen.append(process)
        await vm.__aexit__(None, None, None)
        if len(seen) == 1:
            raise RuntimeError("behind it")
        await forever()

    for _ in range(2):
        vm = await VM(block_warning_ms=None).__aenter__()
        vm.spawn(closes, vm)
        await asyncio.sleep(1)
    seen[1].end(KILL)
    await asyncio.sleep(1)
    assert [process.alive for process in seen] == [False, False]
    assert only_this_task()
