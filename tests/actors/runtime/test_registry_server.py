"""Registries that are processes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aybiza.actors.runtime import (
    ANY,
    KILL,
    KILLED,
    SHUTDOWN,
    VM,
    Clause,
    GenServer,
    Pid,
    Registry,
    StartError,
    Via,
    is_type,
    observe,
    rem,
    same,
    sys,
    variables,
    virtual_time,
)
from aybiza.supervisors import Supervisor, child


class Member(GenServer):
    """One that does what it is asked to."""

    async def handle_call(self, request: Any, from_: Any) -> Any:
        return request(self._process)


class Tough(Member):
    traps_exits = True

    async def init(self) -> None:
        self.seen: list[Any] = []

    async def handle_info(self, message: Any) -> None:
        self.seen.append(message.reason)


async def started(vm: VM, server: type[GenServer] = Member, **options: Any) -> Pid:
    pid = await vm.start(server, **options)
    assert pid is not None
    return pid


async def registry(vm: VM, **options: Any) -> tuple[Pid, Registry]:
    pid = await Registry.start_link(vm, **{"name": "rooms", **options})
    return pid, vm.registries["rooms"]


@virtual_time
async def test_it_is_found_under_its_name_and_started_once() -> None:
    async with VM() as vm:
        pid, rooms = await registry(vm)
        assert vm.whereis("rooms") == pid
        with pytest.raises(StartError) as failed:
            await Registry.start_link(vm, name="rooms")
        assert failed.value.reason == ("already_started", pid)
        assert vm.registries["rooms"] is rooms


@virtual_time
async def test_it_does_not_take_the_place_of_a_table_of_the_vm() -> None:
    async with VM() as vm:
        own = vm.registries["rooms"] = Registry("rooms")
        with pytest.raises(StartError) as failed:
            await Registry.start_link(vm, name="rooms")
        assert failed.value.reason == ("name_taken", "rooms")
        assert vm.registries["rooms"] is own


@pytest.mark.parametrize(("reason", "seen"), [(KILL, KILLED), (SHUTDOWN, SHUTDOWN)])
def test_its_table_and_who_is_in_it_go_with_it(reason: str, seen: str) -> None:
    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            pid, _ = await registry(vm)
            member = await started(vm, name=Via("rooms", "blue"))
            tough = await started(vm, Tough, name=Via("rooms", "red"))
            ended = asyncio.ensure_future(vm.join(member))
            await asyncio.sleep(0)
            if reason == KILL:
                vm.exit(pid, reason)
            else:
                await vm.stop(pid, reason)
            assert await ended == seen
            assert "rooms" not in vm.registries
            assert (await sys.get_state(vm, tough))["seen"] == [seen]
            assert observe(vm, tough).names == ()
            _, rooms = await registry(vm)
            assert rooms.lookup("red") == []
            rooms.register(vm.find(tough), "red")  # type: ignore[arg-type]
            assert vm.whereis(Via("rooms", "red")) == tough

    scenario()


@virtual_time
async def test_who_is_in_it_is_linked_to_it_until_the_last_entry_is_gone() -> None:
    async with VM() as vm:
        pid, rooms = await registry(vm, keys="duplicate")
        member = await started(vm)
        for key in ("a", "a", "b"):
            await vm.call(member, lambda process, key=key: rooms.register(process, key))
        assert observe(vm, member).links == (pid,)
        await vm.call(member, lambda process: rooms.unregister(process, "a"))
        assert observe(vm, member).links == (pid,)
        await vm.call(member, lambda process: rooms.unregister(process, "b"))
        assert observe(vm, member).links == observe(vm, pid).links == ()


@virtual_time
async def test_the_end_of_a_member_does_not_harm_it() -> None:
    async with VM() as vm:
        pid, rooms = await registry(vm)
        member = await started(vm, name=Via("rooms", "blue"))
        vm.exit(member, KILL)
        await vm.join(member)
        assert vm.alive(pid)
        assert await sys.get_state(vm, "rooms") == rooms.statistics()._asdict()
        assert rooms.count() == 0


@virtual_time
async def test_as_a_child_it_is_started_again_with_its_options() -> None:
    async with VM() as vm:
        spec = child(Registry, name="rooms", keys="duplicate", meta={"floor": 2})
        assert spec.id == "rooms"
        top = await vm.start(Supervisor, [spec])
        assert top is not None
        old = vm.registries["rooms"]
        old.put_meta("floor", 3)
        vm.exit("rooms", KILL)
        await asyncio.sleep(0.01)
        new = vm.registries["rooms"]
        assert new is not old
        assert (new.keys, new.meta("floor")) == ("duplicate", 2)
        await vm.stop(top)
        assert vm.registries == {}


@virtual_time
async def test_a_child_with_illegal_options_is_refused_where_it_is_written() -> None:
    with pytest.raises(ValueError, match="'nonsense'"):
        child(Registry, name="rooms", keys="nonsense")
    with pytest.raises(TypeError, match="name"):
        child(Registry, keys="unique")


@virtual_time
async def test_the_examples_of_the_documents_hold() -> None:
    async with VM() as vm:
        await Registry.start_link(vm, name="rooms", keys="unique")
        rooms = vm.registries["rooms"]
        blue, red = await started(vm), await started(vm)
        for pid, name, count in ((blue, "blue", 4), (red, "red", 2)):
            process = vm.find(pid)
            assert process is not None
            rooms.register(process, name, {"seats": count})
        assert vm.whereis(Via("rooms", "blue")) == blue
        seats, room = variables("seats room")
        assert rooms.select(Clause((room, ANY, {"seats": seats}), seats > 3, give=room)) == ["blue"]

        key, pid_of, value = variables("key pid value")
        numbers = vm.registries["numbers"] = Registry("numbers")
        one = vm.find(blue)
        assert one is not None
        numbers.register(one, ("call", 7), 1)
        numbers.register(one, "b", 5)
        numbers.register(one, "c", {"state": "ready", "load": 2})
        assert numbers.select(
            Clause((key, ANY, value), is_type(value, "integer"), value > 3, give=(key, value))
        ) == [("b", 5)]
        assert numbers.select(Clause((("call", key), pid_of, ANY), give=pid_of)) == [blue]
        assert numbers.match("c", {"state": "ready", "load": value}, rem(value, 2) == 0)
        whole = is_type(value, "integer") & same(value, 1)
        assert numbers.count_select(Clause((ANY, ANY, value), whole)) == 1
