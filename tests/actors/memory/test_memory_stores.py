"""MemoryActor with several stores, stores that lose what they had, and other nodes' calls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from aybiza.actors import names
from aybiza.actors.measures import events
from aybiza.actors.memory.journals import Journals, begin_anew, journals
from aybiza.actors.memory.memory_actor import (
    RETRY_SECONDS,
    SWEEP_SECONDS,
    TAKEN,
    Forget,
    MemoryActor,
    kept,
)
from aybiza.actors.memory.process_store import ProcessStore
from aybiza.actors.memory.store import (
    UNKNOWN,
    About,
    Claimed,
    JournalStore,
    Part,
    Row,
    StoreError,
    Wanted,
    Written,
)
from aybiza.actors.registry_actor import RegistryActor
from aybiza.actors.runtime import SHUTDOWN, VM, GenServer, virtual_time
from aybiza.actors.runtime.telemetry import Event
from tests.actors.memory.backings import NAMES, backing
from tests.actors.memory.kit import held, keep, load, logged, note, start, steps, until
from tests.slowness import slowness


class Shared(ProcessStore):
    """A store that other nodes use too; while `away` it takes and gives nothing."""

    def __init__(self, name: str = "shared") -> None:
        super().__init__()
        self.name = name
        self.away = False

    def claim(self, call_id: str, epoch: int, about: About) -> Claimed:
        self._use()
        return super().claim(call_id, epoch, about)

    def write(self, parts: Sequence[Part]) -> list[Written]:
        self._use()
        return super().write(parts)

    def read(self, call_id: str) -> list[Row]:
        self._use()
        return super().read(call_id)

    def _use(self) -> None:
        if self.away:
            raise StoreError(f"{self.name}: nobody is there")


def texts(store: JournalStore, call_id: str) -> list[str]:
    return [row.entry["text"] for row in store.read(call_id)]


def events_of(vm: VM, event: Event) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    vm.telemetry.attach(repr(event), event, lambda _, n, about, __: told.append({**n, **about}))
    return told


@virtual_time
async def test_an_entry_is_kept_when_one_store_has_it_and_the_others_catch_up() -> None:
    fast, lasting = Shared("fast"), Shared("lasting")
    with logged() as logs:
        async with VM() as vm:
            await start(vm, fast, lasting)
            lasting.away = True
            await keep(vm, "CA1", 1, "a")
            assert (vm.now(), texts(fast, "CA1")) == (0.0, ["a"])
            await asyncio.sleep(0.1)
            fast.away, lasting.away = True, False
            await asyncio.sleep(2 * RETRY_SECONDS)
            await keep(vm, "CA1", 2, "b")
            vm.cast(names.MEMORY, Forget("CA1"))
            await asyncio.sleep(60.0)
            assert held(vm) == {"CA1"}
            assert texts(lasting, "CA1") == ["a", "b"]
            fast.away = False
            await asyncio.sleep(2 * RETRY_SECONDS)
            assert texts(fast, "CA1") == ["a", "b"]
            assert held(vm) == set()
    assert {log["store"] for log in logs if log["event"] == "memory_not_written"} == {
        "fast",
        "lasting",
    }


@virtual_time
async def test_the_store_that_has_more_of_a_call_is_believed() -> None:
    one, two = Shared("one"), Shared("two")
    rows = [Row("CA1", n, 0, 1.0, {"text": str(n)}) for n in (1, 2, 3)]
    one.write([Part("CA1", 1, None, rows[:1])])
    two.write([Part("CA1", 1, None, rows)])
    async with VM() as vm:
        await start(vm, one, two)
        assert await load(vm, "CA1") == ["1", "2", "3"]
        assert await load(vm, "CA1", keep=True) == ["1", "2", "3"]
        await keep(vm, "CA1", 4, "4")
        await asyncio.sleep(1.0)
    assert texts(one, "CA1") == texts(two, "CA1") == ["1", "2", "3", "4"]


@virtual_time
async def test_a_store_that_has_lost_its_calls_gets_those_that_go_on_again() -> None:
    store = Shared()
    with logged() as logs:
        async with VM() as vm:
            await start(vm, store)
            await keep(vm, "CA1", 1, "a", "b")
            store.forget(["CA1"])
            await keep(vm, "CA1", 3, "c")
            assert texts(store, "CA1") == ["a", "b", "c"]
    assert [log["event"] for log in logs] == ["memory_behind"]


@virtual_time
async def test_what_has_lost_its_beginning_everywhere_is_counted_and_named() -> None:
    store = Shared()
    with logged() as logs:
        async with VM() as vm:
            dropped = events_of(vm, events.MEMORY_DROPPED)
            await start(vm, store)
            note(vm, "CA1", 3, "c")
            await kept(vm, "CA1")
            assert dropped == [{"count": 1, "call_id": "CA1", "store": "shared"}]
            assert store.read("CA1") == []
    assert [log["event"] for log in logs] == ["memory_dropped"]


@virtual_time
async def test_a_store_that_is_away_for_too_long_misses_the_oldest_calls_and_that_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Journals.surplus, "__defaults__", (10,))
    store = Shared()
    with logged() as logs:
        async with VM() as vm:
            dropped = events_of(vm, events.MEMORY_DROPPED)
            await start(vm, store)
            store.away = True
            await keep(vm, "CA0", 1, "goes on")
            for n in range(1, 6):
                await keep(vm, f"CA{n}", 1, "a", "b", "c")
                vm.cast(names.MEMORY, Forget(f"CA{n}"))
            await steps()
            assert held(vm) == {"CA0", "CA3", "CA4", "CA5"}
            assert [(each["call_id"], each["count"]) for each in dropped] == [
                ("CA1", 3),
                ("CA2", 3),
            ]
            store.away = False
            await asyncio.sleep(2 * RETRY_SECONDS)
            assert texts(store, "CA0") == ["goes on"]
            assert texts(store, "CA5") == ["a", "b", "c"]
    assert [log["call_id"] for log in logs if log["event"] == "memory_dropped"] == ["CA1", "CA2"]


class Stream(GenServer):
    """What holds the caller's line; it is told that another node has the call."""

    async def init(self, told: list[Any]) -> None:
        self._told = told

    async def handle_info(self, message: Any) -> None:
        self._told.append(message)


@virtual_time
async def test_a_node_whose_call_another_one_has_taken_writes_no_more_and_ends_its_stream() -> None:
    store = Shared()
    told: list[Any] = []
    with logged() as logs:
        async with VM("one") as one, VM("two") as two:
            refused = events_of(one, events.MEMORY_REFUSED)
            await one.start(RegistryActor, name=names.REGISTRY_ACTOR)
            await one.start(Stream, told, name=names.stream("CA1"))
            await start(one, store)
            await start(two, store)
            await load(one, "CA1", keep=True)
            await keep(one, "CA1", 1, "a")
            assert await load(two, "CA1", keep=True) == ["a"]
            await keep(one, "CA1", 2, "of the older owner")
            await keep(one, "CA1", 3, "of the older owner")
            await keep(two, "CA1", 2, "b")
            await steps()
            assert told == [TAKEN]
            assert refused == [{"call_id": "CA1", "store": "shared"}]
            assert texts(store, "CA1") == ["a", "b"]
            one.cast(names.MEMORY, Forget("CA1"))
            await steps()
            assert held(one) == set()
            # The caller comes back to it.
            assert await load(one, "CA1", keep=True) == ["a", "b"]
            await keep(one, "CA1", 3, "c")
    assert texts(store, "CA1") == ["a", "b", "c"]
    assert [log["event"] for log in logs] == ["call_taken_elsewhere"]


@virtual_time
async def test_a_node_that_could_not_ask_for_its_epoch_is_the_owner_all_the_same() -> None:
    """Its clock is behind that of the node before, and the store was away when the call came."""
    store = Shared()
    with logged():
        async with VM("one") as one, VM("two") as two:
            await start(one, store)
            await start(two, store)
            journals(one).wall = lambda: 9.0
            await load(one, "CA1", keep=True)
            await keep(one, "CA1", 1, "a")
            store.away = True
            assert await load(two, "CA1", keep=True) == []
            await keep(two, "CA1", 1, "anew")
            store.away = False
            await asyncio.sleep(2 * RETRY_SECONDS)
            await keep(two, "CA1", 2, "b")
    assert texts(store, "CA1") == ["anew", "b"]


@virtual_time
async def test_a_call_that_began_without_its_past_is_not_mixed_with_it() -> None:
    store = ProcessStore()
    store.write([Part("CA1", 1, None, [Row("CA1", 1, 0, 1.0, {"text": "past"})])])
    async with VM() as vm:
        await start(vm, store)
        begin_anew(vm, "CA1", UNKNOWN)
        await keep(vm, "CA1", 1, "anew")
        assert await load(vm, "CA1", keep=True) == ["anew"]
        await asyncio.sleep(1.0)
        assert await load(vm, "CA1") == ["anew"]
        assert texts(store, "CA1") == ["anew"]


@virtual_time
async def test_calls_whose_time_is_up_are_deleted_hourly() -> None:
    store = ProcessStore()
    store.claim("CA1", 1, About(opened=1.0, expires=1.2))
    async with VM() as vm:
        await start(vm, store)
        await asyncio.sleep(SWEEP_SECONDS + 1)
    assert store.find(Wanted(), 1) == []


@pytest.mark.parametrize("name", [name for name in NAMES if name != "dynamodb"])
async def test_to_remember_an_entry_costs_a_call_a_fraction_of_a_millisecond(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = backing(name, tmp_path, request)
    took = []
    async with VM() as vm:
        store = place.store()
        await asyncio.to_thread(store.read, "CA1")
        await vm.start(MemoryActor, store, name=names.MEMORY)
        for number in range(1, 301):
            began = time.perf_counter()
            note(vm, "CA1", number, "word " * 20)
            took.append(time.perf_counter() - began)
            if number % 10 == 0:
                await kept(vm, "CA1")
        await until(lambda: len(store.read("CA1")) == 300)
    place.close()
    assert median(took) < 0.0003 * slowness()


@virtual_time
async def test_nothing_of_thousands_of_calls_that_are_over_is_left_in_the_process() -> None:
    fast, lasting = Shared("fast"), Shared("lasting")
    async with VM() as vm:
        await start(vm, fast, lasting)
        for n in range(1000):
            await load(vm, f"CA{n}", keep=True)
            await keep(vm, f"CA{n}", 1, "a", "b")
            vm.cast(names.MEMORY, Forget(f"CA{n}"))
        await asyncio.sleep(1.0)
        table = journals(vm)
        assert (len(table), [len(waiting) for waiting in table.waiting.values()]) == (0, [0, 0])
        actor = vm.find(names.MEMORY)
        assert actor is not None and isinstance(actor.server, MemoryActor)
        assert actor.server.get_state()["reading"] == 0


@virtual_time
async def test_a_node_that_ends_writes_what_its_slower_stores_have_not() -> None:
    fast, lasting = Shared("fast"), Shared("lasting")
    async with VM() as vm:
        await start(vm, fast, lasting)
        for n in range(30):
            note(vm, f"CA{n}", 1, "a", "b")
        await vm.stop(names.MEMORY, SHUTDOWN)
    assert all(texts(store, f"CA{n}") == ["a", "b"] for store in (fast, lasting) for n in range(30))


@virtual_time
async def test_what_a_node_that_ends_cannot_write_is_counted_and_named() -> None:
    fast, lasting = Shared("fast"), Shared("lasting")
    with logged() as logs:
        async with VM() as vm:
            await start(vm, fast, lasting)
            lasting.away = True
            note(vm, "CA1", 1, "a", "b")
            await vm.stop(names.MEMORY, SHUTDOWN)
    (lost,) = [log for log in logs if log["event"] == "memory_not_flushed"]
    assert (lost["store"], lost["entries"], lost["calls"]) == ("lasting", 2, 1)
    assert texts(fast, "CA1") == ["a", "b"]
