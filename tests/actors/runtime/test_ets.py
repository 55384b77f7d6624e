"""Tables with an owner and an heir; what Erlang does is in `ets.json`."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.actors.runtime import (
    ANY,
    KILL,
    VM,
    Clause,
    Down,
    GenServer,
    Pid,
    ets,
    variables,
    virtual_time,
)
from aybiza.actors.runtime.ets import Table, TableError, Transfer


class Actor(GenServer):
    """One that does what it is asked to, and keeps what it is told."""

    async def init(self) -> None:
        self.told: list[Any] = []

    async def handle_call(self, request: Any, from_: Any) -> Any:
        return request()

    async def handle_info(self, message: Any) -> None:
        seen = message.table.owner if isinstance(message, Transfer) else None
        self.told.append((message, seen))


async def actor(vm: VM) -> Pid:
    pid = await vm.start(Actor)
    assert pid is not None
    return pid


async def told(vm: VM, pid: Pid) -> list[Any]:
    server = vm.find(pid).server  # type: ignore[union-attr]
    await vm.call(pid, lambda: None)
    return [message for message, _ in server.told]


async def table(vm: VM, owner: Pid, **options: Any) -> Table:
    made = await vm.call(owner, lambda: ets.new(vm, "t", **options))
    assert isinstance(made, Table)
    return made


@virtual_time
async def test_the_example_of_the_module_holds() -> None:
    async with VM() as vm:
        keeper, maker, worker = [await actor(vm) for _ in range(3)]
        seats = await table(vm, maker, heir=(keeper, "seats"))

        def use() -> Any:
            seats.insert(("blue", 4))
            left = seats.update_counter("blue", -1)
            room, free = variables("room free")
            found = seats.select(Clause((room, free), free > 0, give=room))
            seats.give_away(worker, "yours now")
            return left, found

        assert await vm.call(maker, use) == (3, ["blue"])
        assert await told(vm, worker) == [Transfer(seats, maker, "yours now")]
        vm.exit(worker, KILL)
        await vm.join(worker)
        assert await told(vm, keeper) == [Transfer(seats, worker, "seats")]
        assert seats.owner == keeper
        assert seats.lookup("blue") == [("blue", 3)]


@virtual_time
async def test_who_hears_of_the_owners_end_finds_the_table_with_its_heir_or_gone() -> None:
    async with VM() as vm:
        owner, heir, watcher = [await actor(vm) for _ in range(3)]
        kept = await table(vm, owner, heir=(heir, 1))
        lost = await table(vm, owner, named=True)
        owners: list[Any] = []
        vm.observers.append(lambda *_: owners.append((kept.owner, lost.owner)))
        ref = await vm.call(watcher, lambda: vm.monitor(owner))
        vm.exit(owner, "gone")
        await vm.join(owner)
        assert await told(vm, watcher) == [Down(ref, owner, "gone")]
        assert owners == [(heir, None)]
        assert ets.whereis(vm, "t") is None
        with pytest.raises(TableError, match="table 't': it is gone"):
            lost.lookup("k")


@virtual_time
async def test_an_empty_table_is_true_and_shows_whose_it_is() -> None:
    async with VM() as vm:
        owner = await actor(vm)
        empty = await table(vm, owner, heir=(owner, 1))
        assert empty
        assert len(empty) == 0
        assert empty.heir == owner
        assert str(owner) in repr(empty)
        assert empty.first() is empty.last() is None


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"type": "list"}, "its type is one of set, ordered_set, bag, duplicate_bag, not 'list'"),
    ({"access": "open"}, "access is public, protected or private, not 'open'"),
    ({"keypos": -1}, "keypos is a whole number from 0, not -1"),
    ({"keypos": True}, "keypos is a whole number from 0, not True"),
    ({"heir": "someone"}, "an heir is (process, data), not 'someone'"),
    ({"heir": ("nobody", 1)}, "no process is there to be its heir: 'nobody'"),
]


@pytest.mark.parametrize(("options", "text"), WRONG)
def test_options_that_cannot_be_are_named(options: dict[str, Any], text: str) -> None:
    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            owner = await actor(vm)

            def attempt() -> str:
                with pytest.raises(TableError) as refused:
                    ets.new(vm, "t", named=True, **options)
                return str(refused.value)

            assert await vm.call(owner, attempt) == f"table 't': {text}"
            assert ets.whereis(vm, "t") is None

    scenario()


@virtual_time
async def test_only_processes_own_tables_and_the_rest_reads_what_it_may() -> None:
    async with VM() as vm:
        with pytest.raises(TableError, match="only a process can own one"):
            ets.new(vm, "t")
        owner = await actor(vm)
        private = await table(vm, owner, access="private")
        protected = await table(vm, owner)
        public = await table(vm, owner, access="public")
        with pytest.raises(TableError, match="lookup is for its owner"):
            private.lookup("k")
        with pytest.raises(TableError, match="insert is for its owner"):
            protected.insert(("k", 1))
        public.insert(("k", 1))
        assert protected.lookup("k") == []
        assert public.lookup("k") == [("k", 1)]


@virtual_time
async def test_a_list_of_which_one_is_wrong_changes_nothing() -> None:
    async with VM() as vm:
        owner = await actor(vm)
        public = await table(vm, owner, access="public")
        with pytest.raises(TableError, match="a row is a tuple with its key at 0, not 'bad'"):
            public.insert([("k", 1), "bad"])  # type: ignore[list-item]
        public.insert(("k", 1, "s"))
        wrong: list[Any] = [[(1, 1), (2, 1)], [(1, 1), (9, 1)], (0, 1)]
        for change in wrong:
            with pytest.raises(TableError):
                public.update_counter("k", change)
        wrong = [[(1, 5), (9, 1)], (1,), "x"]
        for change in wrong:
            with pytest.raises(TableError):
                public.update_element("k", change)
        assert public.tab2list() == [("k", 1, "s")]


@virtual_time
async def test_a_key_that_a_pattern_names_is_looked_up_and_not_searched() -> None:
    class Watched:
        compared = 0

        def __eq__(self, other: object) -> bool:
            Watched.compared += 1
            return self is other

        __hash__ = object.__hash__

    async with VM() as vm:
        owner = await actor(vm)
        for kind in ("set", "bag"):
            public = await table(vm, owner, access="public", type=kind)
            public.insert([(number, Watched()) for number in range(100)])
            (value,) = variables("value")
            assert len(public.select(Clause((7, value), give=value))) == 1
            assert public.match_object((7, ANY)) == public.lookup(7)
            assert public.select(Clause((7, Watched()))) == []
        assert Watched.compared <= 2


@pytest.mark.parametrize("type", ["set", "bag", "duplicate_bag"])
async def test_of_rows_with_one_key_that_does_not_hash_none_is_entered(type: str) -> None:
    async with VM() as vm:
        owner = await actor(vm)
        made = await table(vm, owner, type=type, access="public")
        for insert in (made.insert, made.insert_new):
            with pytest.raises(TypeError, match="unhashable"):
                insert([("a", 1), ({}, 2), ("c", 3)])
        assert made.tab2list() == []
