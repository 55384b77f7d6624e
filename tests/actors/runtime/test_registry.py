"""Registries, against the rules and against a plain list."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aybiza.actors.runtime import (
    ANY,
    KILL,
    VM,
    CallExit,
    Clause,
    GenServer,
    NameTaken,
    Process,
    Registry,
    StartError,
    UnknownName,
    Via,
    run_virtual,
    variables,
    virtual_time,
)
from aybiza.actors.runtime.registry import Entry, Registered, RegistryStatistics, Unregistered

Keys = Literal["unique", "duplicate"]


async def forever() -> None:
    await asyncio.Event().wait()


def registry(vm: VM, keys: Keys = "unique", **options: Any) -> Registry:
    made = vm.registries["r"] = Registry("r", keys, **options)
    return made


def processes(vm: VM, count: int = 2) -> list[Process]:
    found = [vm.find(vm.spawn(forever)) for _ in range(count)]
    return [process for process in found if process is not None]


async def killed(vm: VM, process: Process) -> None:
    vm.exit(process.pid, KILL)
    await vm.join(process.pid)


# Unique keys


@virtual_time
async def test_a_unique_key_has_one_owner_until_it_gives_it_up() -> None:
    async with VM() as vm:
        names = registry(vm)
        one, other = processes(vm)
        names.register(one, "k", 1)
        for process in (one, other):
            with pytest.raises(NameTaken) as taken:
                names.register(process, "k", 2)
            assert (taken.value.name, taken.value.pid) == ("k", one.pid)
        names.unregister(other, "k")
        assert names.lookup("k") == [Entry(one.pid, 1)]
        names.unregister(one, "k")
        names.register(other, "k", 3)
        assert names.lookup("k") == [Entry(other.pid, 3)]
        assert names.keys_of(one) == []


@virtual_time
async def test_the_entries_of_a_process_die_with_it_and_no_others_do() -> None:
    async with VM() as vm:
        names = registry(vm)
        one, other = processes(vm)
        names.register(one, "a")
        names.register(one, "b")
        names.register(other, "c")
        await killed(vm, one)
        assert names.lookup("a") == names.lookup("b") == []
        assert names.count() == 1
        names.register(other, "a")
        assert names.keys_of(other) == ["c", "a"]


@virtual_time
async def test_the_statistics_count_keys_entries_and_who_has_them() -> None:
    async with VM() as vm:
        listener, one, other = processes(vm, 3)
        topics = registry(vm, "duplicate", listeners=[listener.pid])
        assert topics.statistics() == RegistryStatistics(0, 0, 0, 1)
        for process, key in ((one, "a"), (one, "a"), (one, "b"), (other, "a")):
            topics.register(process, key)
        assert topics.statistics() == RegistryStatistics(
            keys=2, entries=4, processes=2, listeners=1
        )
        await killed(vm, one)
        assert topics.statistics() == RegistryStatistics(1, 1, 1, 1)


@virtual_time
async def test_keys_and_values_compare_strictly() -> None:
    async with VM() as vm:
        names = registry(vm)
        (one,) = processes(vm, 1)
        keys: list[Hashable] = [1, 1.0, True, "1", (1,), (1.0,), ("a", (1, 2)), None]
        for number, key in enumerate(keys):
            names.register(one, key, number)
        assert [names.lookup(key)[0].value for key in keys] == list(range(len(keys)))
        names.unregister(one, 1.0)
        assert [type(key) for key in names.keys_of(one)[:2]] == [int, bool]
        names.register(one, "list", [1, 2])
        assert names.match("list", [1, 2]) == [Entry(one.pid, [1, 2])]
        assert names.match("list", [1, 2.0]) == []
        assert names.match("list", (1, 2)) == []
        names.unregister_match(one, "list", [1.0, 2])
        assert names.count() == len(keys)
        names.unregister_match(one, "list", [1, 2])
        assert names.count() == len(keys) - 1


@virtual_time
async def test_only_the_owner_updates_a_value() -> None:
    async with VM() as vm:
        names = registry(vm)
        one, other = processes(vm)
        names.register(one, "k", 1)
        assert names.update_value(one, "k", lambda value: value + 5) == (6, 1)
        assert names.update_value(other, "k", lambda value: value + 5) is None
        assert names.update_value(one, "none", lambda value: value) is None
        assert names.values(one, "k") == [6]
        assert names.values(other, "k") == []


@virtual_time
async def test_a_server_is_started_asked_and_started_again_by_its_via_name() -> None:
    class Server(GenServer):
        async def handle_call(self, request: Any, from_: Any) -> Any:
            return self.pid

    async with VM() as vm:
        names = registry(vm)
        pid = await vm.start(Server, name=Via("r", "s", "extra"))
        assert pid is not None
        assert names.lookup("s") == [Entry(pid, "extra")]
        assert await vm.call(Via("r", "s"), "who") == pid
        with pytest.raises(StartError) as failed:
            await vm.start(Server, name=Via("r", "s"))
        assert failed.value.reason == ("already_started", pid)
        vm.exit(Via("r", "s"), KILL)
        await vm.join(pid)
        with pytest.raises(CallExit):
            await vm.call(Via("r", "s"), "who")
        assert await vm.start(Server, name=Via("r", "s")) != pid


# Duplicate keys


@virtual_time
async def test_a_duplicate_key_holds_entries_of_many_and_many_of_one() -> None:
    async with VM() as vm:
        topics = registry(vm, "duplicate")
        one, other = processes(vm)
        for process, value in ((one, 1), (other, 2), (one, 3), (one, 3)):
            topics.register(process, "k", value)
        pairs = [Entry(one.pid, 1), Entry(other.pid, 2), Entry(one.pid, 3), Entry(one.pid, 3)]
        assert topics.lookup("k") == pairs
        assert topics.keys_of(one) == ["k", "k", "k"]
        assert topics.match("k", 3) == pairs[2:]
        topics.unregister_match(one, "k", 3)
        assert topics.keys_of(one) == ["k"]
        await killed(vm, one)
        assert topics.lookup("k") == [Entry(other.pid, 2)]
        topics.unregister(other, "k")
        assert topics.count() == 0


@virtual_time
async def test_duplicate_keys_name_no_process_and_have_no_value_to_update() -> None:
    async with VM() as vm:
        topics = registry(vm, "duplicate")
        (one,) = processes(vm, 1)
        topics.register(one, "k", 1)
        with pytest.raises(ValueError, match="unique"):
            topics.update_value(one, "k", lambda value: value)
        for act in (vm.whereis, vm.alive):
            with pytest.raises(ValueError, match="duplicate keys"):
                act(Via("r", "k"))
        with pytest.raises(ValueError, match="duplicate keys"):
            await vm.start(GenServer, name=Via("r", "k"))
        assert vm.processes() == [one.pid]


@virtual_time
async def test_dispatch_is_one_call_with_all_entries_or_none() -> None:
    async with VM() as vm:
        topics = registry(vm, "duplicate")
        calls: list[list[Entry]] = []
        topics.dispatch("k", calls.append)
        assert calls == []
        one, other = processes(vm)
        topics.register(one, "k")
        topics.register(other, "k")
        topics.dispatch("k", calls.append)
        assert calls == [[Entry(one.pid, None), Entry(other.pid, None)]]


# Metadata, listeners, misuse


def test_metadata_is_kept_with_the_registry() -> None:
    names = Registry("r")
    assert names.meta("m") is None
    assert names.meta("m", "default") == "default"
    names.put_meta("m", 5)
    names.put_meta("m", 6)
    assert names.meta("m") == 6
    names.delete_meta("m")
    names.delete_meta("m")
    assert names.meta("m") is None
    assert Registry("r", meta={"m": 1}).meta("m") == 1
    assert names.count() == 0


@virtual_time
async def test_listeners_are_told_of_what_a_process_does_and_not_of_its_death() -> None:
    async with VM() as vm:
        listener, one = processes(vm)
        names = registry(vm, listeners=[listener.pid])
        names.register(one, "a", 1)
        names.update_value(one, "a", lambda value: value + 1)
        names.unregister(one, "none")
        names.unregister_match(one, "a", 1)
        names.unregister_match(one, "a", 2)
        names.register(one, "b", 2)
        await killed(vm, one)
        assert list(listener.mailbox) == [
            Registered("r", "a", one.pid, 1),
            Unregistered("r", "none", one.pid),
            Unregistered("r", "a", one.pid),
            Registered("r", "b", one.pid, 2),
        ]


@virtual_time
async def test_a_listener_whose_name_nobody_has_is_told_to_the_caller_when_all_is_done() -> None:
    async with VM() as vm:
        listener, one = processes(vm)
        names = registry(vm, listeners=["nobody", listener.pid])
        with pytest.raises(UnknownName, match="nobody"):
            names.register(one, "a", 1)
        with pytest.raises(UnknownName, match="nobody"):
            names.unregister(one, "b")
        assert names.lookup("a") == [Entry(one.pid, 1)]
        assert len(listener.mailbox) == 2


@virtual_time
async def test_a_dead_process_is_not_registered() -> None:
    async with VM() as vm:
        names = registry(vm)
        (one,) = processes(vm, 1)
        await killed(vm, one)
        with pytest.raises(CallExit):
            names.register(one, "k")
        assert names.count() == 0


ILLEGAL: list[tuple[dict[str, Any], str]] = [
    ({"name": "r", "keys": "many"}, "'many'"),
    ({"name": 5}, "a text, not 5"),
    ({"name": "r", "listeners": 5}, "not 5"),
    ({"name": "r", "listeners": "one"}, "not 'one'"),
    ({"name": "r", "meta": [1]}, r"not \[1\]"),
    ({"name": "r", "partitions": 0}, "not 0"),
    ({"name": "r", "partitions": True}, "not True"),
]


@pytest.mark.parametrize(("options", "told"), ILLEGAL)
def test_illegal_options_are_refused_and_named(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Registry(**options)


@virtual_time
async def test_a_key_that_does_not_hash_changes_nothing() -> None:
    async with VM() as vm:
        names = registry(vm)
        (one,) = processes(vm, 1)
        with pytest.raises(TypeError):
            names.register(one, {}, 1)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            await vm.start(GenServer, name=Via("r", {}))  # type: ignore[arg-type]
        assert names.count() == 0
        assert vm.processes() == [one.pid]


# Patterns


@virtual_time
async def test_values_match_strictly_at_every_depth() -> None:
    async with VM() as vm:
        names = registry(vm)
        (one,) = processes(vm, 1)
        names.register(one, "k", {"a": [1, {"b": (2,)}]})
        assert names.match("k", {"a": [1, {"b": (2,)}]})
        for other in ({"a": [1.0, {"b": (2,)}]}, {"a": [1, {"b": (2.0,)}]}, {"a": [1, {"b": [2]}]}):
            assert names.match("k", other) == []


@virtual_time
async def test_values_are_found_given_up_and_counted_by_patterns_and_guards() -> None:
    async with VM() as vm:
        topics = registry(vm, "duplicate")
        one, other = processes(vm)
        (size,) = variables("size")
        for process, value in ((one, ("x", 1)), (one, ("x", 5)), (other, ("y", 9)), (one, 3)):
            topics.register(process, "k", value)
        assert topics.match("k", ("x", ANY)) == [Entry(one.pid, ("x", 1)), Entry(one.pid, ("x", 5))]
        assert topics.count_match("k", (ANY, size), size > 4) == 2
        topics.unregister_match(one, "k", (ANY, size), size > 4)
        assert [entry.value for entry in topics.lookup("k")] == [("x", 1), ("y", 9), 3]


@virtual_time
async def test_entries_are_selected() -> None:
    async with VM() as vm:
        names = registry(vm)
        one, other = processes(vm)
        key, pid, value = variables("key pid value")
        for process, name, held in ((one, "a", 1), (one, "b", 5), (other, "c", 9)):
            names.register(process, name, held)
        assert names.select(Clause((key, pid, value), value > 3, give=(value, key))) == [
            (5, "b"),
            (9, "c"),
        ]
        assert names.select(Clause((key, other.pid, ANY), give=key)) == ["c"]
        assert names.select(Clause(("b", ANY, ANY)), Clause(("a", ANY, ANY), give="first")) == [
            ("b", one.pid, 5),
            "first",
        ]
        assert names.count_select(Clause((ANY, one.pid, ANY))) == 2
        assert names.count_select(Clause((ANY, ANY, value), give=value)) == 0
        for wrong in (Clause((key, pid)), Clause(ANY), "k"):
            with pytest.raises(ValueError, match=r"Clause|an entry"):
                names.select(wrong)  # type: ignore[arg-type]


# Against a model


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["register", "unregister", "match", "kill"]),
        st.integers(0, 2),
        st.sampled_from(["a", 1, 1.0]),
        st.integers(0, 2),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(keys=st.sampled_from(["unique", "duplicate"]), operations=OPERATIONS)
def test_any_history_leaves_what_a_plain_list_would_hold(
    keys: Keys, operations: list[tuple[str, int, Any, int]]
) -> None:
    async def play() -> None:
        async with VM(block_warning_ms=None) as vm:
            table = registry(vm, keys)
            owners = processes(vm, 3)
            model: list[tuple[Process, Any, int]] = []
            for action, who, key, value in operations:
                process = owners[who]
                if not process.alive:
                    continue
                held = [entry for entry in model if _same(entry[1], key)]
                if action == "register" and keys == "unique" and held:
                    with pytest.raises(NameTaken):
                        table.register(process, key, value)
                elif action == "register":
                    table.register(process, key, value)
                    model.append((process, key, value))
                elif action == "kill":
                    await killed(vm, process)
                    model = [entry for entry in model if entry[0] is not process]
                else:
                    if action == "unregister":
                        table.unregister(process, key)
                    else:
                        table.unregister_match(process, key, value)
                    model = [
                        entry
                        for entry in model
                        if entry[0] is not process
                        or not _same(entry[1], key)
                        or (action == "match" and entry[2] != value)
                    ]
            assert table.count() == len(model)
            for key in ("a", "b", 1, 1.0):
                held = [entry for entry in model if _same(entry[1], key)]
                assert table.lookup(key) == [Entry(owner.pid, value) for owner, _, value in held]
            for process in owners:
                own = [key for owner, key, _ in model if owner is process]
                assert sorted(map(repr, table.keys_of(process))) == sorted(map(repr, own))

    run_virtual(play())


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
