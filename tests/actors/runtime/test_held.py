"""A process that waits keeps nothing alive of what it was given, gave or saw die."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from aybiza.actors.runtime import (
    VM,
    CallExit,
    Continue,
    GenServer,
    NoReply,
    Process,
    Reply,
    Timeout,
    current_process,
    reply,
    run_virtual,
    sys,
)
from aybiza.supervisors import DynamicSupervisor, Supervisor, child


class Big:
    """Something that is not to be kept."""


class Echo(GenServer):
    """Makes and gives away what it is asked for, in every way there is."""

    async def handle_call(self, request: Any, from_: Any) -> Any:
        match request[0]:
            case "reply":
                return Big()
            case "reply and go on":
                return Reply(Big(), Continue(Big()))
            case "reply and wait":
                return Reply(Big(), Timeout(1000))
            case "later":
                reply(from_, Big())
                return NoReply()

    async def handle_cast(self, request: Any) -> Any:
        return Timeout(1000) if request[0] == "wait" else None

    async def handle_info(self, message: Any) -> None: ...

    async def handle_continue(self, value: Any) -> None: ...


REQUESTS = ["reply", "reply and go on", "reply and wait", "later"]


@pytest.fixture(scope="module", autouse=True)
def nothing_old_is_looked_at() -> None:
    """What other tests of this process have left takes most of the time of a collection."""
    gc.collect()
    gc.freeze()


async def settle() -> None:
    await asyncio.sleep(0.01)
    gc.collect()


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_call_and_its_reply(request_: str) -> None:
    async def main() -> None:
        async with VM(block_warning_ms=None) as vm:
            pid = await vm.start(Echo)
            assert pid is not None
            asked = Big()
            held = [weakref.ref(asked)]
            held.append(weakref.ref(await vm.call(pid, (request_, asked))))
            del asked
            await settle()
            assert [ref() for ref in held] == [None, None]

    run_virtual(main())


def send_all(vm: VM, pid: Any, messages: list[Any]) -> None:
    for message in messages:
        vm.send(pid, message)


SENDERS: dict[str, Callable[[VM, Any, Any], Any]] = {
    "a cast": lambda vm, pid, big: vm.cast(pid, ("go", big)),
    "a cast behind which it waits": lambda vm, pid, big: vm.cast(pid, ("wait", big)),
    "a message": lambda vm, pid, big: vm.send(pid, big),
    "many messages": lambda vm, pid, big: send_all(vm, pid, [big] * 200),
    "an exit signal": lambda vm, pid, big: vm.exit(pid, big),
    "a message behind another": lambda vm, pid, big: send_all(vm, pid, [1, big]),
}


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize("plain", [True, False])
def test_a_message(sender: str, plain: bool) -> None:
    async def read() -> None:
        process = current_process.get()
        assert process is not None
        process.trap_exit = True
        while True:
            await process.receive()

    class Trapping(Echo):
        traps_exits = True

    async def main() -> None:
        async with VM(block_warning_ms=None) as vm:
            pid = vm.spawn(read) if plain else await vm.start(Trapping)
            await settle()
            big = Big()
            held = weakref.ref(big)
            SENDERS[sender](vm, pid, big)
            del big
            await settle()
            assert held() is None

    run_virtual(main())


def changed(_: Big, state: Any) -> Any:
    return state


def test_a_system_message() -> None:
    async def main() -> None:
        async with VM(block_warning_ms=None) as vm:
            pid = await vm.start(Echo)
            assert pid is not None
            big = Big()
            held = weakref.ref(big)
            await sys.replace_state(vm, pid, partial(changed, big))
            del big
            await settle()
            assert held() is None

    run_virtual(main())


class Fragile(GenServer):
    """Keeps `big`, and crashes when told to."""

    async def init(self, held: list[Any]) -> None:
        self.big = Big()
        held += [weakref.ref(self), weakref.ref(self.big), weakref.ref(self._process)]

    async def handle_cast(self, request: Any) -> None:
        raise RuntimeError("crash")

    async def handle_call(self, request: Any, from_: Any) -> Any:
        raise RuntimeError("crash")


class Held(Process):
    """A process that can be looked for when it is gone."""

    __slots__ = ("__weakref__",)


class Watched(VM):
    process_type = Held


@pytest.mark.parametrize("restart", ["permanent", "transient", "temporary"])
@pytest.mark.parametrize("kind", [Supervisor, DynamicSupervisor])
def test_a_crashed_child(kind: Any, restart: Any) -> None:
    async def main() -> None:
        async with Watched(block_warning_ms=None) as vm:
            held: list[Any] = []
            spec = child(Fragile, held, restart=restart)
            supervisor = await vm.start(kind, *([[spec]] if kind is Supervisor else []))
            assert supervisor is not None
            if kind is DynamicSupervisor:
                await DynamicSupervisor.start_child(vm, supervisor, spec)
            (info,) = await kind.which_children(vm, supervisor)
            first = list(held)
            vm.cast(info.pid, 1)
            await settle()
            # The report is written in a thread.
            await vm.run_blocking(vm._reporter.stop)
            gc.collect()
            assert [ref() for ref in first] == [None, None, None]

    run_virtual(main())


def test_a_crash_that_its_caller_has_caught() -> None:
    async def main() -> None:
        async with Watched(block_warning_ms=None) as vm:
            held: list[Any] = []

            class Caller(GenServer):
                async def handle_cast(self, request: Any) -> None:
                    try:
                        await self.vm.call(request, 1)
                    except CallExit:
                        held.append("caught")

            caller, fragile = await vm.start(Caller), await vm.start(Fragile, held)
            assert caller is not None
            vm.cast(caller, fragile)
            await settle()
            await vm.run_blocking(vm._reporter.stop)
            gc.collect()
            assert held.pop() == "caught"
            assert [ref() for ref in held] == [None, None, None]

    run_virtual(main())


def test_processes_that_have_ended_leave_no_cycles() -> None:
    async def main() -> None:
        async with VM(block_warning_ms=None) as vm:
            supervisor = await vm.start(DynamicSupervisor)
            assert supervisor is not None
            spec = child(Echo, restart="temporary")

            async def live() -> None:
                pids: list[Any] = [
                    await DynamicSupervisor.start_child(vm, supervisor, spec) for _ in range(9)
                ]
                for number, pid in enumerate(pids):
                    await vm.call(pid, ("reply", 1))
                    vm.send_after(pid, 1, 1000)
                    if number % 3 == 0:
                        vm.exit(pid, "shutdown")
                    elif number % 3 == 1:
                        await vm.stop(pid)
                    else:
                        await DynamicSupervisor.terminate_child(vm, supervisor, pid)

            await live()
            await settle()
            gc.collect()
            gc.disable()
            try:
                await live()
                await asyncio.sleep(0.01)
                gc.set_debug(gc.DEBUG_SAVEALL)
                gc.collect()
                kinds = (Process, GenServer, asyncio.Task)
                found = [thing for thing in gc.garbage if isinstance(thing, kinds)]
            finally:
                gc.set_debug(0)
                gc.garbage.clear()
                gc.enable()
            assert found == []

    run_virtual(main())
