"""What can be seen of a process from outside."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from aybiza.actors.runtime import (
    NOPROC,
    VM,
    CallExit,
    GenServer,
    Pid,
    Registry,
    Via,
    current_process,
    observe,
    sys,
    virtual_time,
)
from tests.actors.runtime.probe import forever, started


@virtual_time
async def test_a_process_is_seen_with_its_relations_and_names() -> None:
    async with VM() as vm:
        vm.registries["reg"] = Registry("reg")
        parent = await started(vm)
        other = await started(vm)

        async def child() -> Pid:
            return await started(vm, True, name="probe", link=True)

        pid = await vm.call(parent, child)
        await vm.call(pid, lambda: vm.monitor(other))
        await vm.call(other, lambda: vm.monitor(pid))
        vm.registries["reg"].register(vm.find(pid), ("call", 1))  # type: ignore[arg-type]
        seen = observe(vm, "probe")
        assert (seen.pid, seen.label, seen.parent) == (pid, "Probe", parent)
        assert seen.names == ("probe", Via("reg", ("call", 1)))
        assert (seen.links, seen.monitors, seen.monitored_by) == ((parent,), (other,), (other,))
        assert observe(vm, parent).links == (pid,)
        assert seen.traps_exits
        assert (seen.status, seen.callback, seen.at) == ("waiting", None, None)
        assert (seen.mailbox_length, seen.reductions) == (0, 2)


@virtual_time
async def test_a_callback_that_hangs_is_named_with_its_line() -> None:
    async with VM() as vm:
        pid = await started(vm)
        asked = asyncio.create_task(vm.call(pid, forever))
        await asyncio.sleep(0.01)
        vm.cast(pid, "waits")
        seen = observe(vm, pid)
        assert (seen.status, seen.callback, seen.mailbox_length) == (
            "running",
            "Probe.handle_call",
            1,
        )
        assert seen.at is not None
        assert "probe.py:" in seen.at
        asked.cancel()


@virtual_time
async def test_who_is_suspended_has_work_or_ends_is_told() -> None:
    class Stubborn(GenServer):
        traps_exits = False

        async def handle_cast(self, request: Any) -> None:
            try:
                await forever()
            finally:
                await asyncio.sleep(5)

    async with VM() as vm:
        pid = await started(vm)
        await sys.suspend(vm, pid)
        assert observe(vm, pid).status == "suspended"
        await sys.resume(vm, pid)
        vm.cast(pid, 1)
        assert observe(vm, pid).status == "running"
        stubborn = await vm.start(Stubborn)
        assert stubborn is not None
        vm.cast(stubborn, 1)
        await asyncio.sleep(0.01)
        vm.exit(stubborn, "enough")
        await asyncio.sleep(0.01)
        assert observe(vm, stubborn).status == "exiting"


@virtual_time
async def test_a_process_can_look_at_itself_and_at_what_is_no_server() -> None:
    async with VM() as vm:
        pid = await started(vm)
        assert (await vm.call(pid, lambda: observe(vm, pid))).status == "running"
        plain = vm.spawn(forever)
        await asyncio.sleep(0)
        seen = observe(vm, plain)
        assert (seen.label, seen.callback) == ("forever", "forever")


@dataclass(slots=True)
class Slotted:
    data: bytes


@virtual_time
async def test_memory_grows_with_state_and_mailbox() -> None:
    async with VM() as vm:
        pid = await started(vm)
        empty = observe(vm, pid).memory
        assert 1_000 < empty < 10_000
        await sys.suspend(vm, pid)
        vm.cast(pid, Slotted(bytes(50_000)))
        waiting = observe(vm, pid).memory
        assert 50_000 < waiting - empty < 60_000
        await sys.replace_state(vm, pid, lambda _state: {"seen": [{"in": bytes(100_000)}]})
        assert 100_000 < observe(vm, pid).memory - waiting < 110_000


@virtual_time
async def test_memory_is_counted_with_bounded_effort() -> None:
    class Counted:
        looked = 0

        def __sizeof__(self) -> int:
            Counted.looked += 1
            return 16

    async with VM() as vm:
        pid = await started(vm)
        vm.find(pid).server.seen.extend(Counted() for _ in range(50_000))  # type: ignore[union-attr]
        assert observe(vm, pid).memory > 50_000 * 8
        assert 0 < Counted.looked < 2_000


@virtual_time
async def test_other_processes_are_not_counted() -> None:
    async with VM() as vm:
        big = await started(vm)
        vm.find(big).server.seen.append(bytes(1_000_000))  # type: ignore[union-attr]
        small = await started(vm)
        vm.find(small).server.seen.extend((vm, vm.find(big)))  # type: ignore[union-attr]
        assert observe(vm, small).memory < 20_000


@virtual_time
async def test_the_names_of_others_are_not_counted() -> None:
    async with VM() as vm:
        alone = observe(vm, await started(vm)).memory
        named = [await started(vm) for _ in range(200)]
        for number, pid in enumerate(named):
            vm.register(f"one-of-many-{number}", pid)
        assert observe(vm, named[-1]).memory < alone + 1_000


@virtual_time
async def test_nobody_cannot_be_observed() -> None:
    async with VM() as vm:
        assert current_process.get() is None
        with pytest.raises(CallExit) as failed:
            observe(vm, "nobody")
        assert failed.value.reason == NOPROC
