"""Processes: mailbox, signals, ends, fairness and memory."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import MutableMapping
from typing import Any

import pytest

from aybiza.actors.runtime import (
    KILL,
    KILLED,
    NORMAL,
    VM,
    Crashed,
    Exit,
    ExitError,
    GenServer,
    Process,
    current_process,
    virtual_time,
)
from aybiza.actors.runtime.process import MESSAGES_A_SLICE

Logs = list[MutableMapping[str, Any]]


async def forever() -> None:
    await asyncio.Event().wait()


# Mailbox


@virtual_time
async def test_messages_are_received_in_the_order_in_which_they_were_sent() -> None:
    received: list[int] = []

    async def body(process: Process) -> None:
        while len(received) < 200:
            received.append(await process.receive())

    async with VM() as vm:
        process = vm.spawn_process(body, label="reader")
        for number in range(100):
            vm.send(process.pid, number)
        await asyncio.sleep(0)
        for number in range(100, 200):
            vm.send(process.pid, number)
        assert await vm.join(process.pid) == NORMAL
    assert received == list(range(200))
    assert process.reductions == 200


@virtual_time
async def test_discard_removes_the_unwanted_messages_and_keeps_the_order_of_the_rest() -> None:
    async with VM() as vm:
        process = vm.spawn_process(lambda _: forever(), label="idle")
        for number in range(6):
            vm.send(process.pid, number)
        process.discard(lambda number: number % 2 == 0)
        assert list(process.mailbox) == [1, 3, 5]


# The end of a body


@virtual_time
async def test_a_return_ends_with_normal_and_an_error_with_its_reason() -> None:
    async def exits() -> None:
        raise ExitError("why")

    async def crashes() -> None:
        raise ValueError("x")

    async with VM() as vm:
        assert await vm.join(vm.spawn(asyncio.sleep, 1)) == NORMAL
        assert await vm.join(vm.spawn(exits)) == "why"
        reason = await vm.join(vm.spawn(crashes))
        assert isinstance(reason, Crashed)
        assert str(reason.exception) == "x"


@virtual_time
async def test_an_error_that_a_body_returns_counts_as_raised() -> None:
    async def body(_: Process) -> BaseException:
        return ExitError("returned")

    async with VM() as vm:
        assert await vm.join(vm.spawn_process(body, label="b").pid) == "returned"


@virtual_time
async def test_leaving_the_program_ends_only_the_process_that_asks_for_it() -> None:
    async def leaves() -> None:
        raise SystemExit(3)

    async with VM() as vm:
        reason = await vm.join(vm.spawn(leaves))
        assert isinstance(reason, Crashed)
        assert isinstance(reason.exception, SystemExit)


@virtual_time
async def test_a_cancellation_that_nobody_asked_for_is_a_crash() -> None:
    async def awaits_what_is_cancelled() -> None:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    async with VM() as vm:
        reason = await vm.join(vm.spawn(awaits_what_is_cancelled))
        assert isinstance(reason, Crashed)
        assert isinstance(reason.exception, asyncio.CancelledError)


# Exit signals


@pytest.mark.parametrize(
    ("trap", "reason", "own", "ends", "told"),
    [
        (False, NORMAL, False, False, False),
        (False, "boom", False, True, False),
        (False, NORMAL, True, True, False),
        (True, NORMAL, False, False, True),
        (True, "boom", False, False, True),
        (True, NORMAL, True, False, True),
        (True, KILL, False, False, True),
    ],
)
def test_what_an_exit_signal_does(
    trap: bool, reason: str, own: bool, ends: bool, told: bool
) -> None:
    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            process = vm.spawn_process(lambda _: forever(), label="target")
            await asyncio.sleep(0)
            process.trap_exit = trap
            source = process.pid if own else None
            process.signal(source, reason)
            assert list(process.mailbox) == ([Exit(source, reason)] if told else [])
            await asyncio.sleep(0.01)
            assert process.alive is not ends
            process.end(KILLED)

    scenario()


@virtual_time
async def test_the_first_reason_to_end_stands() -> None:
    async with VM() as vm:
        process = vm.spawn_process(lambda _: forever(), label="target")
        await asyncio.sleep(0)
        process.end("first")
        process.end("second")
        assert await vm.join(process.pid) == "first"


@virtual_time
async def test_a_process_killed_before_its_first_step_runs_nothing_and_is_reaped() -> None:
    ran: list[str] = []

    async def body(_: Process) -> None:
        ran.append("body")

    async with VM() as vm:
        process = vm.spawn_process(body, label="unborn")
        vm.exit(process.pid, KILL)
        assert await vm.join(process.pid) == KILLED
        assert not vm.alive(process.pid)
    assert ran == []


@virtual_time
async def test_a_process_that_ends_itself_handles_no_further_message() -> None:
    handled: list[str] = []

    class Server(GenServer):
        async def handle_cast(self, request: str) -> None:
            handled.append(request)
            self.vm.exit(self.pid, "enough")

    async with VM() as vm:
        pid = await vm.start(Server)
        assert pid is not None
        vm.cast(pid, "one")
        vm.cast(pid, "two")
        assert await vm.join(pid) == "enough"
    assert handled == ["one"]


# Fairness


@virtual_time
async def test_a_busy_process_lets_others_run_after_64_messages() -> None:
    turns: list[str] = []

    class Busy(GenServer):
        async def handle_cast(self, request: str) -> None:
            turns.append(request)

    async with VM() as vm:
        one = await vm.start(Busy)
        other = await vm.start(Busy)
        assert one is not None
        assert other is not None
        for _ in range(MESSAGES_A_SLICE * 4):
            vm.cast(one, "one")
            vm.cast(other, "other")
        for pid in (one, other):
            await vm.stop(pid)
    assert len(turns) == MESSAGES_A_SLICE * 8
    runs = "".join("1" if turn == "one" else "2" for turn in turns).replace("12", "1 2")
    longest = max(len(run) for run in runs.replace("21", "2 1").split())
    assert longest <= MESSAGES_A_SLICE


# Memory


class Holder(GenServer):
    async def init(self, linked: bool = False) -> None:
        self.data = bytearray(1000)
        if linked:
            self.vm.spawn(forever, link=True)

    async def handle_cast(self, request: str) -> None:
        raise ValueError(request)

    async def handle_call(self, request: Any, from_: Any) -> Any:
        return request


@pytest.mark.parametrize("end", ["stop", "crash", "kill", "init", "unborn"])
def test_an_ended_process_is_freed_without_the_garbage_collector(end: str) -> None:
    gone: list[weakref.ref[Any]] = []

    class Watched(Holder):
        async def init(self, linked: bool = False) -> None:
            gone.append(weakref.ref(self))
            await super().init(linked)
            if end == "init":
                raise ExitError("no")

    @virtual_time
    async def scenario() -> None:
        async with VM(block_warning_ms=None) as vm:
            if end in ("init", "unborn"):
                try:
                    if end == "unborn":
                        asyncio.get_running_loop().call_soon(
                            lambda: vm.exit(vm.processes()[-1], KILL)
                        )
                    await vm.start(Watched, True)
                except Exception as error:
                    del error
            else:
                pid = await vm.start(Watched, True)
                assert pid is not None
                assert await vm.call(pid, "ping") == "ping"
                if end == "stop":
                    await vm.stop(pid)
                elif end == "crash":
                    vm.cast(pid, "bad")
                else:
                    vm.exit(pid, KILL)
                await vm.join(pid)
            await asyncio.sleep(1)

    gc.collect()
    gc.disable()
    try:
        scenario()
        assert [reference() for reference in gone] == [None for _ in gone]
    finally:
        gc.enable()


# Who runs


@virtual_time
async def test_code_knows_in_whose_name_it_runs() -> None:
    seen: list[Any] = []

    async def look() -> None:
        seen.append(current_process.get())
        await asyncio.gather(note())

    async def note() -> None:
        seen.append(current_process.get())

    async with VM() as vm:
        assert current_process.get() is None
        pid = vm.spawn(look)
        await vm.join(pid)
        assert [process.pid for process in seen] == [pid, pid]
