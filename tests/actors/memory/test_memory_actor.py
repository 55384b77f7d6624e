"""MemoryActor: journals in the process and in a real SQLite file, slow, gone and back again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from aybiza.actors import names
from aybiza.actors.memory.lane import LOG_SECONDS
from aybiza.actors.memory.memory_actor import (
    DURABLE_SECONDS,
    LINGER_SECONDS,
    RETRY_SECONDS,
    Forget,
    Load,
    kept,
)
from aybiza.actors.memory.sqlite_store import SqliteStore
from aybiza.actors.memory.store import (
    About,
    Claimed,
    Part,
    Row,
    Written,
)
from aybiza.actors.runtime import VM, CallExit, virtual_time
from tests.actors.memory.kit import (
    LIMIT,
    held,
    keep,
    load,
    logged,
    note,
    restart,
    start,
    steps,
    until,
)


class Gated(SqliteStore):
    """A store on a disk that can be made to hang; counts how often it is used."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.gate = threading.Event()
        self.gate.set()
        self.writes: list[int] = []
        self.reads = 0

    def write(self, parts: Sequence[Part]) -> list[Written]:
        self.gate.wait(LIMIT)
        self.writes.append(sum(len(part.rows) for part in parts))
        return super().write(parts)

    def claim(self, call_id: str, epoch: int, about: About) -> Claimed:
        self.gate.wait(LIMIT)
        self.reads += 1
        return super().claim(call_id, epoch, about)

    def read(self, call_id: str) -> list[Row]:
        self.gate.wait(LIMIT)
        self.reads += 1
        return super().read(call_id)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Gated]:
    made = Gated(tmp_path / "memory.sqlite3")
    yield made
    made.gate.set()
    made.close()


def stored(store: SqliteStore, call_id: str) -> list[str]:
    return [row.entry["text"] for row in store.read(call_id)]


# append, kept and Load


@virtual_time
async def test_a_call_s_entries_come_back_with_their_events(store: Gated) -> None:
    async with VM() as vm:
        await start(vm, store)
        await keep(vm, "CA1", 1, "a", "b", event=7)
        await keep(vm, "CA1", 3, "c", event=9)
        assert await vm.call(names.MEMORY, Load("CA1")) == [
            (7, {"text": "a"}),
            (7, {"text": "b"}),
            (9, {"text": "c"}),
        ]


@virtual_time
async def test_what_was_answered_is_in_the_file(store: Gated) -> None:
    async with VM() as vm:
        await start(vm, store)
        await keep(vm, "CA1", 1, "a", event=7)
        assert store.read("CA1") == [Row("CA1", 1, 7, 1.5, {"text": "a"})]


@virtual_time
async def test_entries_that_are_there_are_passed_over(store: Gated) -> None:
    async with VM() as vm:
        await start(vm, store)
        await keep(vm, "CA1", 1, "a", "b")
        await keep(vm, "CA1", 1, "a", "b")
        await keep(vm, "CA1", 2, "b", "c")
        assert await load(vm, "CA1") == ["a", "b", "c"]
        assert stored(store, "CA1") == ["a", "b", "c"]


@virtual_time
async def test_a_call_that_nobody_knows_has_no_journal(store: Gated) -> None:
    async with VM() as vm:
        await start(vm, store)
        assert await load(vm, "CA1") == []
        assert held(vm) == set()
        assert await load(vm, "CA1", keep=True) == []
        assert held(vm) == {"CA1"}


@virtual_time
async def test_a_request_that_is_none_is_refused(store: Gated) -> None:
    async with VM() as vm:
        await start(vm, store)
        with logged(), pytest.raises(CallExit, match="function_clause"):
            await vm.call(names.MEMORY, "journal?")


@virtual_time
async def test_a_call_goes_on_at_another_node(store: Gated) -> None:
    async with VM("one") as vm:
        await start(vm, store)
        await keep(vm, "CA1", 1, "a", "b")
    async with VM("two") as vm:
        await start(vm, store)
        assert await load(vm, "CA1", keep=True) == ["a", "b"]
        await keep(vm, "CA1", 3, "c")
        assert await load(vm, "CA1") == ["a", "b", "c"]
    assert stored(store, "CA1") == ["a", "b", "c"]


@virtual_time
async def test_a_copy_is_held_only_of_a_call_that_goes_on_here(store: Gated) -> None:
    async with VM() as vm:
        store.write([Part("CA1", 1, None, [Row("CA1", 1, 0, 1.0, {"text": "a"})])])
        await start(vm, store)
        assert await load(vm, "CA1") == ["a"]
        assert held(vm) == set()
        assert await load(vm, "CA1", keep=True) == ["a"]
        assert held(vm) == {"CA1"}


@virtual_time
async def test_those_who_load_at_once_share_one_reading(store: Gated) -> None:
    store.write([Part("CA1", 1, None, [Row("CA1", 1, 0, 1.0, {"text": "a"})])])
    async with VM() as vm:
        await start(vm, store)
        assert await asyncio.gather(*(load(vm, "CA1") for _ in range(5))) == [["a"]] * 5
    assert store.reads == 1


@virtual_time
async def test_calls_that_write_at_once_share_a_batch(store: Gated) -> None:
    async with VM() as vm:
        await start(vm, store)
        await asyncio.gather(*(keep(vm, f"CA{n}", 1, "a", "b") for n in range(50)))
    assert sum(store.writes) == 100
    assert len(store.writes) <= 3


@virtual_time
async def test_entries_that_nobody_waits_for_are_written_together_a_moment_later(
    store: Gated,
) -> None:
    async with VM() as vm:
        await start(vm, store)
        note(vm, "CA1", 1, "a")
        note(vm, "CA2", 1, "a")
        note(vm, "CA1", 2, "b")
        assert await load(vm, "CA1") == ["a", "b"]
        await asyncio.sleep(LINGER_SECONDS / 2)
        assert store.writes == []
        await asyncio.sleep(LINGER_SECONDS)
        assert store.writes == [3]
        note(vm, "CA1", 3, "c")
        await asyncio.sleep(1.5 * LINGER_SECONDS)
    assert stored(store, "CA1") == ["a", "b", "c"]


@virtual_time
async def test_who_waits_for_entries_does_not_wait_for_the_moment(store: Gated) -> None:
    async with VM() as vm:
        await start(vm, store)
        note(vm, "CA2", 1, "a")
        await keep(vm, "CA1", 1, "a")
        assert vm.now() < LINGER_SECONDS
        assert (stored(store, "CA1"), stored(store, "CA2")) == (["a"], ["a"])


@virtual_time
async def test_what_is_in_the_store_needs_no_waiting_and_no_actor(store: Gated) -> None:
    async with VM() as vm:
        await start(vm, store)
        await keep(vm, "CA1", 1, "a")
        await vm.stop(names.MEMORY)
        with logged() as logs:
            await kept(vm, "CA1")
            await kept(vm, "CA7")
        assert (vm.now(), logs) == (0.0, [])


@virtual_time
async def test_entries_of_a_time_without_an_actor_are_written_by_the_next_one(store: Gated) -> None:
    async with VM() as vm:
        note(vm, "CA1", 1, "a")
        with logged() as logs:
            await kept(vm, "CA1")
        assert [log["event"] for log in logs] == ["memory_unavailable"]
        await start(vm, store)
        await keep(vm, "CA1", 2, "b")
    assert stored(store, "CA1") == ["a", "b"]


@virtual_time
async def test_who_has_its_entries_does_not_wait_for_those_of_others(store: Gated) -> None:
    async with VM() as vm:
        await start(vm, store)
        store.gate.clear()
        note(vm, "CA1", 1, "a")
        waiting = asyncio.ensure_future(kept(vm, "CA1"))
        await steps()
        note(vm, "CA2", 1, "a")
        late = asyncio.ensure_future(kept(vm, "CA2"))
        await steps()
        store.gate.set()
        await asyncio.wait((waiting, late), return_when=asyncio.FIRST_COMPLETED)
        assert (waiting.done(), late.done()) == (True, False)
        await late
    assert store.writes == [1, 1]


# Forget


@virtual_time
async def test_the_copy_of_a_call_that_is_over_goes(store: Gated) -> None:
    async with VM() as vm:
        await start(vm, store)
        await keep(vm, "CA1", 1, "a")
        await keep(vm, "CA2", 1, "a")
        vm.cast(names.MEMORY, Forget("CA1"))
        vm.cast(names.MEMORY, Forget("CA7"))
        assert await load(vm, "CA1") == ["a"]
        await keep(vm, "CA2", 2, "b")
        assert held(vm) == {"CA2"}


@virtual_time
async def test_a_call_that_comes_back_goes_on_where_it_was(store: Gated) -> None:
    async with VM() as vm:
        await start(vm, store)
        await keep(vm, "CA1", 1, "a")
        vm.cast(names.MEMORY, Forget("CA1"))
        assert await load(vm, "CA1", keep=True) == ["a"]
        await keep(vm, "CA1", 2, "b")
        assert await load(vm, "CA1") == ["a", "b"]
        assert held(vm) == {"CA1"}
    assert stored(store, "CA1") == ["a", "b"]


@virtual_time
async def test_entries_behind_a_copy_that_has_gone_are_not_lost(store: Gated) -> None:
    async with VM() as vm:
        await start(vm, store)
        await keep(vm, "CA1", 1, "a")
        vm.cast(names.MEMORY, Forget("CA1"))
        await keep(vm, "CA1", 2, "b")
        assert await load(vm, "CA1") == ["a", "b"]
        assert stored(store, "CA1") == ["a", "b"]


@virtual_time
async def test_a_successor_writes_nothing_twice_and_can_forget(store: Gated) -> None:
    async with VM() as vm:
        await start(vm, store)
        await keep(vm, "CA1", 1, "a")
        await restart(vm, store)
        vm.cast(names.MEMORY, Forget("CA1"))
        await keep(vm, "CA2", 1, "a")
        assert held(vm) == {"CA2"}
    assert store.writes == [1, 1]


# A store that is slow, gone, back again


async def test_a_slow_store_holds_a_call_up_for_a_moment_only_and_only_once(store: Gated) -> None:
    async with VM() as vm:
        await start(vm, store)
        store.gate.clear()
        began = vm.now()
        await keep(vm, "CA1", 1, "a")
        assert vm.now() - began >= DURABLE_SECONDS - 0.01
        began = vm.now()
        for number in range(2, 12):
            await keep(vm, "CA1", number, "more")
        assert vm.now() - began < DURABLE_SECONDS
        assert len(await load(vm, "CA1")) == 11
        store.gate.set()
        await until(lambda: len(stored(store, "CA1")) == 11)
        await keep(vm, "CA1", 12, "last")
        await until(lambda: len(stored(store, "CA1")) == 12)


async def test_a_call_that_is_over_is_held_until_the_store_has_it(store: Gated) -> None:
    async with VM() as vm:
        await start(vm, store)
        store.gate.clear()
        await keep(vm, "CA1", 1, "a")
        vm.cast(names.MEMORY, Forget("CA1"))
        assert await load(vm, "CA1") == ["a"]
        assert held(vm) == {"CA1"}
        store.gate.set()
        await until(lambda: held(vm) == set())
    assert stored(store, "CA1") == ["a"]


async def test_a_call_that_is_back_before_the_store_has_it_is_held_on(store: Gated) -> None:
    async with VM() as vm:
        await start(vm, store)
        store.gate.clear()
        await keep(vm, "CA1", 1, "a")
        vm.cast(names.MEMORY, Forget("CA1"))
        assert await load(vm, "CA1", keep=True) == ["a"]
        store.gate.set()
        # The next batch begins when the first is done with.
        await keep(vm, "CA2", 1, "a")
        await until(lambda: stored(store, "CA2") == ["a"])
        assert held(vm) == {"CA1", "CA2"}


async def test_what_a_dead_actor_had_not_written_its_successor_writes(store: Gated) -> None:
    async with VM() as vm:
        await start(vm, store)
        store.gate.clear()
        await keep(vm, "CA1", 1, "a", "b")
        await restart(vm, store)
        assert await load(vm, "CA1") == ["a", "b"]
        store.gate.set()
        await until(lambda: stored(store, "CA1") == ["a", "b"])


def refused(logs: list[Any]) -> list[Any]:
    return [log for log in logs if log["event"] == "memory_not_written"]


@virtual_time
async def test_calls_go_on_without_the_store_and_the_writes_catch_up(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.write_text("This is no folder.")
    store = SqliteStore(path / "memory.sqlite3")
    with logged() as logs:
        async with VM() as vm:
            await start(vm, store)
            for number in range(1, 6):
                await keep(vm, "CA1", number, "a")
            assert vm.now() == 0.0
            assert len(await load(vm, "CA1")) == 5
            await asyncio.sleep(3.5 * RETRY_SECONDS)
            assert [log["times"] for log in refused(logs)] == [1]
            await asyncio.sleep(LOG_SECONDS)
            assert [log["times"] for log in refused(logs)] == [1, 60]
            path.unlink()
            await asyncio.sleep(RETRY_SECONDS)
            assert len(stored(store, "CA1")) == 5
            await keep(vm, "CA1", 6, "b")
            assert len(stored(store, "CA1")) == 6
    store.close()
    assert "is not a folder" in logs[0]["reason"] and "Shutdown" not in logs[0]["reason"]
    assert not [log for log in logs if log["event"] == "process_crashed"]


@virtual_time
async def test_a_successor_writes_at_once_what_the_store_has_not(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.write_text("This is no folder.")
    store = SqliteStore(path / "memory.sqlite3")
    with logged():
        async with VM() as vm:
            await start(vm, store)
            await keep(vm, "CA1", 1, "a")
            path.unlink()
            await restart(vm, store)
            await asyncio.sleep(RETRY_SECONDS / 10)
            assert stored(store, "CA1") == ["a"]
    store.close()


@virtual_time
async def test_a_journal_that_cannot_be_read_is_told_as_none(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.write_text("This is no folder.")
    with logged() as logs:
        async with VM() as vm:
            await start(vm, SqliteStore(path / "memory.sqlite3"))
            assert await load(vm, "CA1") == []
    assert [log["event"] for log in logs] == ["memory_not_read"]


@virtual_time
async def test_a_call_is_kept_through_any_number_of_deaths(store: Gated) -> None:
    async with VM() as vm:
        await start(vm, store)
        for number in range(1, 21):
            asked = asyncio.ensure_future(keep(vm, "CA1", number, str(number)))
            await asyncio.sleep(0)
            await restart(vm, store)
            await asked
        assert await load(vm, "CA1") == [str(number) for number in range(1, 21)]
    assert stored(store, "CA1") == [str(number) for number in range(1, 21)]
