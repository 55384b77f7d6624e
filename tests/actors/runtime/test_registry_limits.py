"""What third parties can do to a registry, and what its entries cost."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest

from aybiza.actors.runtime import KILL, VM, Exit, Registry, RemoteBusy, virtual_time
from aybiza.actors.runtime.process import link_both
from aybiza.actors.runtime.registry import Entry
from tests.actors.runtime.test_registry import Keys, processes, registry


class Full:
    """Stands for the other nodes, with too much to do for any message."""

    def find(self, dest: Any) -> None:
        return None

    def place(self, dest: Any) -> Any:
        return dest if type(dest) is tuple else None

    def send(self, place: Any, message: Any) -> None:
        raise RemoteBusy("b")


@virtual_time
async def test_a_listener_on_a_full_node_harms_neither_the_living_nor_the_dead() -> None:
    async with VM() as vm:
        one, watcher = processes(vm)
        names = registry(vm, listeners=[("listener", "b")])
        link_both(one, watcher)
        watcher.trap_exit = True
        full: Any = Full()
        vm.remote = full
        try:
            names.register(one, "k")
            names.unregister(one, "j")
            vm.exit(one.pid, "gone")
            await asyncio.sleep(0.01)
        finally:
            vm.remote = None
        assert names.count() == 0
        assert list(watcher.mailbox) == [Exit(one.pid, "gone")]


class Nasty:
    """A key that answers once and never again."""

    def __init__(self) -> None:
        self.calm = True

    def __hash__(self) -> int:
        self._answer()
        return 1

    def __eq__(self, other: object) -> bool:
        self._answer()
        return self is other

    def __str__(self) -> str:
        raise ValueError("no text")

    def _answer(self) -> None:
        if not self.calm:
            raise ValueError("not now")


@pytest.mark.parametrize("reason", [KILL, "boom"])
def test_keys_that_fail_stop_no_end_and_keep_nobody_from_hearing_of_it(reason: str) -> None:
    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            one, other, watcher = processes(vm, 3)
            names, topics = registry(vm), Registry("t", "duplicate")
            keys = [Nasty(), Nasty()]
            for key in keys:
                names.register(one, key)
            for process in (one, other):
                topics.register(process, keys[0])
            names.register(one, "good")
            link_both(one, watcher)
            watcher.trap_exit = True
            waiting = asyncio.ensure_future(vm.join(one.pid))
            await asyncio.sleep(0)
            for key in keys:
                key.calm = False
            vm.exit(one.pid, reason)
            ended = "killed" if reason == KILL else reason
            assert await waiting == ended
            assert list(watcher.mailbox) == [Exit(one.pid, ended)]
            for key in keys:
                key.calm = True
            assert names.lookup("good") == names.lookup(keys[0]) == names.lookup(keys[1]) == []
            assert topics.lookup(keys[0]) == [Entry(other.pid, None)]
            assert names.count() == names.statistics().keys == 0
            names.register(other, keys[1])
            assert names.lookup(keys[1]) == [Entry(other.pid, None)]

    scenario()


# What it costs


class Counted:
    """A key that counts how often it is hashed and compared."""

    work = 0

    def __init__(self, name: int) -> None:
        self.name = name

    def __hash__(self) -> int:
        Counted.work += 1
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        Counted.work += 1
        return isinstance(other, Counted) and self.name == other.name


def work_of(act: Callable[[], None]) -> int:
    """How many lines of the runtime `act` runs, hashes and comparisons of keys included."""
    lines = 0

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return trace

    Counted.work = 0
    sys.settrace(trace)
    try:
        act()
    finally:
        sys.settrace(None)
    return lines + Counted.work


@pytest.mark.parametrize("keys", ["unique", "duplicate"])
@pytest.mark.parametrize("order", ["oldest first", "newest first"])
def test_giving_up_many_keys_takes_the_same_for_each(keys: Keys, order: str) -> None:
    costs = []

    @virtual_time
    async def measure(count: int) -> None:
        async with VM(block_warning_ms=None) as vm:
            table = registry(vm, keys)
            (one,) = processes(vm, 1)
            names = [Counted(number) for number in range(count)]
            for name in names:
                table.register(one, name)

            def give_up() -> None:
                for name in names if order == "oldest first" else reversed(names):
                    table.unregister(one, name)

            costs.append(work_of(give_up) / count)

    for count in (50, 400):
        measure(count)
    assert costs[1] < 1.2 * costs[0]


def test_many_subscribers_that_end_together_cost_the_same_each() -> None:
    costs = []

    @virtual_time
    async def measure(count: int) -> None:
        async with VM(block_warning_ms=None) as vm:
            topics = registry(vm, "duplicate")
            owners = processes(vm, count)
            topic = Counted(0)
            for owner in owners:
                topics.register(owner, topic)

            def end_all() -> None:
                for owner in owners:
                    vm.reap(owner, "gone")

            costs.append(work_of(end_all) / count)
            assert topics.count() == 0

    for count in (50, 400):
        measure(count)
    assert costs[1] < 1.2 * costs[0]
