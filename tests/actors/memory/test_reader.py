"""Who reads at once shares one reading, whichever stores answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aybiza.actors import names
from aybiza.actors.memory.journals import append, told
from aybiza.actors.memory.memory_actor import Claim, Load, MemoryActor, kept
from aybiza.actors.memory.process_store import ProcessStore
from aybiza.actors.memory.reader import PATIENCE_SECONDS
from aybiza.actors.memory.store import Part, Row
from aybiza.actors.runtime import VM, virtual_time

ROWS = [Row("CA1", 1, 7, 1.0, {"text": "a"})]


class Hanging(ProcessStore):
    """A store that does not answer until it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()


def held_up(vm: VM, store: Hanging) -> None:
    """Have the threads that use the store wait for its event."""
    blocking = vm.run_blocking

    async def run(function: Callable[..., Any], *args: Any) -> Any:
        if getattr(function, "__self__", None) is store:
            await store.let.wait()
        return await blocking(function, *args)

    vm.run_blocking = run  # type: ignore[method-assign]


def test_rows_are_told_with_their_events() -> None:
    assert told(ROWS) == [(7, {"text": "a"})]


@virtual_time
async def test_a_store_that_hangs_is_waited_for_a_moment_when_another_one_has_answered() -> None:
    good, hanging = ProcessStore(), Hanging()
    good.name = "good"
    good.write([Part("CA1", 1, None, ROWS)])
    async with VM() as vm:
        held_up(vm, hanging)
        await vm.start(MemoryActor, good, hanging, name=names.MEMORY)
        for request in (Load("CA1"), Claim("CA1")):
            began = vm.now()
            assert await vm.call(names.MEMORY, request, 60.0) == told(ROWS)
            assert vm.now() - began == PATIENCE_SECONDS


@virtual_time
async def test_a_past_that_comes_too_late_is_not_put_below_a_call_that_has_begun() -> None:
    fast, hanging = ProcessStore(), Hanging()
    fast.name = "fast"
    hanging.write([Part("CA1", 1, None, ROWS)])
    async with VM() as vm:
        held_up(vm, hanging)
        await vm.start(MemoryActor, fast, hanging, name=names.MEMORY)
        assert await vm.call(names.MEMORY, Claim("CA1"), 60.0) == []
        hanging.let.set()
        await asyncio.sleep(1.0)
        append(vm, "CA1", 1, 9, [{"text": "anew"}])
        await kept(vm, "CA1")
        await asyncio.sleep(1.0)
        assert await vm.call(names.MEMORY, Load("CA1"), 60.0) == [(9, {"text": "anew"})]
    for store in (fast, hanging):
        assert [row.entry["text"] for row in store.read("CA1")] == ["anew"]


@virtual_time
async def test_a_store_that_told_too_late_of_more_gets_what_the_call_went_on_with() -> None:
    fast, hanging = ProcessStore(), Hanging()
    fast.name = "fast"
    rows = [Row("CA1", n, n, 1.0, {"text": f"old {n}"}) for n in (1, 2, 3, 4)]
    fast.write([Part("CA1", 1, None, rows[:2])])
    hanging.write([Part("CA1", 1, None, rows)])
    async with VM() as vm:
        held_up(vm, hanging)
        await vm.start(MemoryActor, fast, hanging, name=names.MEMORY)
        assert len(await vm.call(names.MEMORY, Claim("CA1"), 60.0)) == 2
        hanging.let.set()
        await asyncio.sleep(1.0)
        append(vm, "CA1", 3, 9, [{"text": "new 3"}])
        await asyncio.sleep(1.0)
    for store in (fast, hanging):
        assert [row.entry["text"] for row in store.read("CA1")] == ["old 1", "old 2", "new 3"]
