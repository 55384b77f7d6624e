"""The names of the application's processes, and asking one that may be restarting."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.actors import names
from aybiza.actors.registry_actor import names as name_table
from aybiza.actors.runtime import NOPROC, TIMEOUT, VM, CallExit, GenServer, Stop, virtual_time


class Counter(GenServer):
    """Answers `"count"`; dies over `"poison"`; is `deaf` to `"nothing"`."""

    async def init(self, seen: list[Any]) -> None:
        self.seen = seen

    async def handle_call(self, request: Any, from_: Any) -> Any:
        self.seen.append(request)
        match request:
            case "count":
                return len(self.seen)
            case "poison":
                raise Stop("poisoned")
        return await self.never()

    async def never(self) -> Any:
        await self.vm.loop.create_future()


class Keeper(GenServer):
    """Starts a Counter anew, some time after it has died."""

    traps_exits = True

    async def init(self, seen: list[Any], pause: float) -> None:
        self.seen, self.pause = seen, pause
        await self.start()

    async def start(self) -> None:
        await self.vm.start(Counter, self.seen, name="counter", link=True)

    async def handle_info(self, message: Any) -> None:
        if message == "start":
            await self.start()
        else:
            self.send_after("start", self.pause)


def test_every_process_of_a_call_has_a_name_of_its_own() -> None:
    made = [
        make(call_id)
        for call_id in ("CA1", "CA2")
        for make in (names.call, names.transcriber, names.speaker, names.session)
    ]
    made += [names.answer("CA1", 1), names.answer("CA1", 2), names.breaker("CA1")]
    assert len(set(made)) == len(made)
    assert {via.registry for via in made} == {names.REGISTRY}


async def test_a_name_leads_to_its_process() -> None:
    async with VM() as vm:
        name_table(vm)
        pid = await vm.start(Counter, [], name=names.call("CA1"))
        assert vm.whereis(names.call("CA1")) == pid
        assert vm.whereis(names.call("CA2")) is None


@virtual_time
async def test_a_process_that_lives_is_asked_once() -> None:
    async with VM() as vm:
        await vm.start(Counter, [], name="counter")
        assert await names.call_patiently(vm, "counter", "count", 1.0) == 1


@virtual_time
async def test_a_process_that_is_not_there_yet_is_waited_for() -> None:
    async with VM() as vm:

        async def start() -> None:
            await vm.start(Counter, [], name="counter")

        vm.loop.call_later(0.3, vm.spawn, start)
        assert await names.call_patiently(vm, "counter", "count", 1.0) == 1
        assert 0.3 <= vm.now() < 0.31


@virtual_time
async def test_nobody_is_waited_for_longer_than_the_deadline() -> None:
    async with VM() as vm:
        with pytest.raises(CallExit) as failure:
            await names.call_patiently(vm, "counter", "count", 0.5)
        assert failure.value.reason == NOPROC
        assert vm.now() <= 0.5


@virtual_time
async def test_a_process_that_does_not_answer_is_asked_once_for_the_whole_time() -> None:
    async with VM() as vm:
        seen: list[Any] = []
        await vm.start(Counter, seen, name="counter")
        with pytest.raises(CallExit) as failure:
            await names.call_patiently(vm, "counter", "nothing", 0.5)
        assert failure.value.reason == TIMEOUT
        assert seen == ["nothing"]
        assert vm.now() == pytest.approx(0.5)


@virtual_time
async def test_a_process_that_is_too_slow_for_one_asking_is_not_asked_again() -> None:
    async with VM() as vm:
        asked = []

        async def ask() -> Any:
            asked.append(vm.now())
            return await vm.call("counter", "nothing", timeout=0.1)

        await vm.start(Counter, [], name="counter")
        with pytest.raises(CallExit):
            await names.patiently(vm, ask, 60.0)
        assert len(asked) == 1


@virtual_time
async def test_a_request_is_asked_again_of_the_next_process() -> None:
    async with VM() as vm:
        seen: list[Any] = []
        await vm.start(Keeper, seen, 0.1)
        vm.loop.call_later(0.2, lambda: vm.exit("counter", "killed by a test"))
        with pytest.raises(CallExit):
            await names.call_patiently(vm, "counter", "nothing", 1.0)
        assert seen == ["nothing", "nothing"]


@virtual_time
async def test_a_request_that_kills_whoever_gets_it_is_given_up() -> None:
    async with VM() as vm:
        seen: list[Any] = []
        await vm.start(Keeper, seen, 0.0)
        with pytest.raises(CallExit) as failure:
            await names.call_patiently(vm, "counter", "poison", 60.0)
        assert failure.value.reason == "poisoned"
        assert len(seen) == names.DEATHS
        assert vm.now() < 1.0
