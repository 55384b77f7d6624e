"""A VM that runs is hooked, and is afterwards what it was."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aybiza.actors.memory.journals import Journals, append, journals
from aybiza.actors.runtime import KILL, VM, GenServer, Pid, Process
from aybiza.dialogue.journal import SentenceHeard, encode
from aybiza.faults.fault import Fault
from aybiza.faults.hooks import hook, reason_kind
from aybiza.faults.injector import Injector
from aybiza.faults.trace import Trace

pytestmark = pytest.mark.asyncio


class Adds(GenServer):
    """Adds numbers up."""

    async def init(self) -> None:
        self.sum = 0

    async def handle_call(self, request: Any, from_: Any) -> int:
        return self.sum

    async def handle_cast(self, request: int) -> None:
        self.sum += request


class Stage:
    """A node without calls."""

    def __init__(self, vm: VM, trace: Trace) -> None:
        self.vm = vm
        self.vms = [vm]
        self.trace = trace
        self.journals: Any = journals(vm)

    def phase(self) -> str:
        return "none"

    def stand_still(self, seconds: float) -> None:
        raise AssertionError

    def strike(self, fault: Fault) -> None:
        raise AssertionError


async def hooked(vm: VM, *faults: Fault) -> tuple[Injector, Pid, Any]:
    async def sleeps() -> None:
        await asyncio.sleep(1000)

    owner = vm.spawn(sleeps)
    injector, trace = Injector(faults), Trace(vm.now)
    injector.spared = {owner.serial}
    unhook = hook(vm, trace, injector, owner)
    injector.begin(Stage(vm, trace))
    return injector, owner, unhook


def is_untouched(vm: VM) -> bool:
    """Whether nothing of a hook is left."""
    processes = [vm.find(pid) for pid in vm.processes()]
    return (
        type(vm) is VM
        and type(journals(vm)) is Journals
        and not {"trace", "watcher", "replaced"} & set(vars(vm))
        and not vm.observers
        and not vm.restart_observers
        and all(type(process) is Process for process in processes)
        and all("watches" not in vars(type(p.server)) for p in processes if p and p.server)
    )


async def test_what_runs_is_watched_and_unhooked_it_is_what_it_was() -> None:
    async with VM("a") as vm:
        before = await vm.start(Adds)
        assert before is not None
        drop = Fault("drop", "Adds", message="int", nth=2)
        injector, _, unhook = await hooked(vm, drop, Fault("crash", "Adds", at=1000))
        later = await vm.start(Adds)
        assert later is not None
        for _ in range(3):
            vm.cast(before, 1)
        assert await vm.call(before, "sum") == 2
        injector.end()
        unhook()
        unhook()
        assert is_untouched(vm)
        vm.cast(before, 1)
        vm.cast(later, 1)
        assert (await vm.call(before, "sum"), await vm.call(later, "sum")) == (3, 1)


async def test_the_hooks_go_when_their_owner_is_killed() -> None:
    async with VM("a") as vm:
        adds = await vm.start(Adds)
        assert adds is not None
        delay = Fault("delay", "Adds", message="int", seconds=1000)
        hang = Fault("hang", "Adds", message="int", nth=2, seconds=1000)
        _, owner, _ = await hooked(vm, delay, hang)
        vm.cast(adds, 1)
        vm.cast(adds, 10)
        vm.cast(adds, 100)
        await asyncio.sleep(0.01)
        vm.exit(owner, KILL)
        await vm.join(owner, 1.0)
        # What was kept back has come, and what hung has gone on.
        assert await vm.call(adds, "sum", 1.0) == 111
        assert is_untouched(vm)


async def test_poison_that_nobody_has_taken_is_gone_with_the_hooks() -> None:
    async with VM("a") as vm:
        adds = await vm.start(Adds)
        assert adds is not None
        process = vm.find(adds)
        assert process is not None
        hang = Fault("hang", "Adds", message="int", seconds=1000)
        injector, _, unhook = await hooked(vm, hang, Fault("crash", "Adds", at=0.01))
        vm.cast(adds, 1)
        await asyncio.sleep(0.05)
        assert process.mailbox_length == 1
        injector.end()
        unhook()
        assert await vm.call(adds, "sum") == 1
        assert vm.alive(adds)


async def test_entries_of_the_journals_are_told_once() -> None:
    async with VM("a") as vm:
        append(vm, "CA1", 1, 1, [encode(SentenceHeard(1, 1))])
        adds = await vm.start(Adds)
        assert adds is not None
        fault = Fault("kill", "Adds", after="SentenceHeard(seq=2)")
        injector, _, unhook = await hooked(vm, fault)
        append(vm, "CA1", 1, 1, [encode(SentenceHeard(1, 1))])
        assert injector.strikes == []
        append(vm, "CA1", 2, 2, [encode(SentenceHeard(1, 2))])
        await asyncio.sleep(0.01)
        assert not vm.alive(adds)
        injector.end()
        unhook()
        append(vm, "CA1", 3, 3, [encode(SentenceHeard(1, 3))])
        assert journals(vm)["CA1"].last == 3
        assert is_untouched(vm)


async def test_a_vm_has_one_plan_at_a_time() -> None:
    async with VM("a") as vm:
        await hooked(vm)
        with pytest.raises(RuntimeError, match="watched already"):
            await hooked(vm)


async def test_a_reason_is_told_without_the_texts_that_it_may_hold() -> None:
    async with VM("a") as vm:
        adds = await vm.start(Adds)
        assert adds is not None
        injector, _, unhook = await hooked(vm)
        vm.cast(adds, "my number is 555")
        await asyncio.sleep(0.01)
        watched: Any = vm
        told = watched.trace.text()
        injector.end()
        unhook()
    assert "crash TypeError" in told and "555" not in told
    assert reason_kind("killed") == "killed"
    assert reason_kind(("no_answer", "my number")) == "tuple"
