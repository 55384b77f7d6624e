"""The one way to the mailbox: receiving, waiting, selecting, giving way, and taking back."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from aybiza.actors.runtime import (
    NORMAL,
    VM,
    GenServer,
    Pid,
    Process,
    Task,
    TimedOut,
    current_process,
    sys,
    virtual_time,
)
from aybiza.actors.runtime.process import MESSAGES_A_SLICE
from tests.actors.runtime.probe import forever
from tests.slowness import slowness


def me() -> Process:
    process = current_process.get()
    assert process is not None
    return process


@virtual_time
async def test_a_process_that_receives_without_waiting_gives_way_after_64_messages() -> None:
    taken = 0

    async def selfish() -> None:
        nonlocal taken
        while True:
            me().vm.send(me().pid, "again")
            await me().receive()
            taken += 1

    async with VM(block_warning_ms=None) as vm:
        vm.spawn(selfish)
        await asyncio.sleep(0)
        for turns in range(1, 5):
            assert taken <= turns * MESSAGES_A_SLICE
            await asyncio.sleep(0)


async def test_nobody_waits_for_a_process_that_sends_to_itself_for_ever() -> None:
    async def selfish() -> None:
        me().vm.send(me().pid, 0)
        while True:
            await me().receive()
            me().vm.send(me().pid, 0)

    async with VM(block_warning_ms=None) as vm:
        vm.spawn(selfish)
        began = time.monotonic()
        await asyncio.sleep(0.001)
        assert time.monotonic() - began < 0.1 * slowness()


@virtual_time
async def test_receive_waits_as_long_as_it_is_told() -> None:
    got: list[Any] = []

    async def read() -> None:
        got.append(await me().receive(2.0))
        got.append(me().vm.now())
        got.append(await me().receive(0))
        got.append(await me().receive(2.0))
        got.append(await me().receive(0))

    async with VM(block_warning_ms=None) as vm:
        pid = vm.spawn(read)
        await vm.join(pid, None)
        assert got == [TimedOut(), 2.0, TimedOut(), TimedOut(), TimedOut()]
        assert vm.now() == 4.0
        got.clear()
        pid = vm.spawn(read)
        vm.send_after(pid, "one", 1)
        vm.send_after(pid, "two", 1)
        vm.send_after(pid, "three", 1.5)
        await vm.join(pid, None)
        assert got == ["one", 5.0, "two", "three", TimedOut()]
        assert [timer for timer in _timers() if timer.when() < 100] == []


def _timers() -> list[asyncio.TimerHandle]:
    loop: Any = asyncio.get_running_loop()
    shared = "TimeLimit"
    return [each for each in loop._scheduled if not each.cancelled() and shared not in repr(each)]


@virtual_time
async def test_a_message_survives_a_receive_that_is_cancelled_in_the_step_it_comes() -> None:
    got: list[Any] = []

    async def read() -> None:
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(me().receive())
            await asyncio.sleep(1)
            me().vm.send(me().pid, "precious")
            reading.cancel()
        got.append(await me().receive())

    async with VM(block_warning_ms=None) as vm:
        assert await vm.join(vm.spawn(read), None) == NORMAL
    assert got == ["precious"]


@virtual_time
async def test_a_message_can_be_taken_back_before_the_process_it_has_woken_runs() -> None:
    class Watcher(GenServer):
        async def init(self) -> None:
            self.got: list[Any] = []

        async def handle_call(self, request: Any, from_: Any) -> Any:
            if request == "got":
                return self.got
            self.ref = self.vm.monitor(request)

            async def helper() -> None:
                await go.wait()
                self.vm.demonitor(self.ref)

            self.task = asyncio.create_task(helper())
            return "ok"

        async def handle_info(self, message: Any) -> None:
            self.got.append(message)

    go = asyncio.Event()
    async with VM(block_warning_ms=None) as vm:
        other, watcher = await vm.start(Watcher), await vm.start(Watcher)
        assert other is not None and watcher is not None
        await vm.call(watcher, other)
        await asyncio.sleep(0)
        dying = vm.find(other)
        assert dying is not None
        go.set()
        # Its end, in this very step of the loop: the helper runs before the server does.
        vm.reap(dying, "gone")
        await asyncio.sleep(0.001)
        assert await vm.call(watcher, "got") == []


@virtual_time
async def test_what_is_wanted_is_taken_from_among_the_rest_which_keeps_its_order() -> None:
    got: list[Any] = []

    async def read() -> None:
        for _ in range(3):
            got.append(await me().receive(wanted=lambda message: message % 10 == 0))
        while (message := await me().receive(0)) != TimedOut():
            got.append(message)

    async with VM(block_warning_ms=None) as vm:
        pid = vm.spawn(read)
        for number in (1, 20, 2, 10, 3):
            vm.send(pid, number)
        await asyncio.sleep(1)
        assert got == [20, 10]
        vm.send(pid, 4)
        await asyncio.sleep(1)
        vm.send(pid, 30)
        vm.send(pid, 5)
        await vm.join(pid)
    assert got == [20, 10, 30, 1, 2, 3, 4, 5]


@virtual_time
async def test_many_messages_to_a_suspended_server_cost_no_more_than_their_number() -> None:
    class Sink(GenServer):
        async def init(self) -> None:
            self.count = 0

        async def handle_info(self, message: Any) -> None:
            self.count += 1

    async with VM(block_warning_ms=None, mailbox_alarm=10**9) as vm:
        pid = await vm.start(Sink)
        assert pid is not None
        await sys.suspend(vm, pid)
        began = time.process_time()
        for _ in range(300):
            for _ in range(10):
                vm.send(pid, 1)
            await asyncio.sleep(0)
        assert time.process_time() - began < 5
        process = vm.find(pid)
        assert process is not None and process.mailbox_length == 3000
        await sys.resume(vm, pid)
        await asyncio.sleep(0.001)
        assert process.server.count == 3000


@virtual_time
async def test_a_suspended_server_hears_of_resume_though_messages_were_taken_out_meanwhile() -> (
    None
):
    class Server(GenServer): ...

    async with VM(block_warning_ms=None) as vm:
        pid = await vm.start(Server)
        assert pid is not None
        await sys.suspend(vm, pid)
        for number in range(10):
            vm.send(pid, number)
        await asyncio.sleep(0)
        process = vm.find(pid)
        assert process is not None
        process.discard(lambda message: message != 3)
        await sys.resume(vm, pid)


def ends_in(digit: int, message: int) -> bool:
    return message % 10 == digit


@pytest.mark.parametrize("seed", range(30))
@virtual_time
async def test_a_mailbox_is_a_queue_whatever_is_done_with_it(seed: int) -> None:
    dice = random.Random(seed)
    model: deque[int] = deque()
    async with VM(block_warning_ms=None) as vm:
        process = vm.spawn_process(lambda _: forever(), label="idle")
        for number in range(500):
            match dice.randrange(5):
                case 0 | 1:
                    process.deliver(number)
                    model.append(number)
                case 2:
                    got = await process.receive(0)
                    assert got == (model.popleft() if model else TimedOut())
                case 3:
                    digit = dice.randrange(10)
                    process.discard(partial(ends_in, digit))
                    model = deque(message for message in model if message % 10 != digit)
                case 4:
                    wanted = [message for message in model if message % 3 == 0]
                    if wanted:
                        got = await process.receive(wanted=lambda message: message % 3 == 0)
                        assert got == wanted[0]
                        model.remove(got)
            assert process.mailbox == list(model)
            assert process.mailbox_length == len(model)


@virtual_time
async def test_a_process_that_is_told_to_end_takes_no_more_messages() -> None:
    got: list[Any] = []

    async def read() -> None:
        while True:
            got.append(await me().receive())
            me().vm.exit(me().pid, "enough")

    async with VM(block_warning_ms=None) as vm:
        pid: Pid = vm.spawn(read)
        vm.send(pid, 1)
        vm.send(pid, 2)
        assert await vm.join(pid) == "enough"
    assert got == [1]


class Looked(Process):
    """Counts the messages that are looked at for one that is wanted."""

    __slots__ = ()
    messages = 0

    def take(self, wanted: Callable[[Any], bool]) -> Any:
        def counted(message: Any) -> bool:
            Looked.messages += 1
            return wanted(message)

        return super().take(counted)


class LookedAt(VM):
    process_type = Looked


@virtual_time
async def test_to_be_told_of_many_ends_and_to_take_that_back_costs_the_same_for_each() -> None:
    many = 500

    async def watch() -> None:
        for _ in range(many):
            me().vm.monitor(me().vm.spawn(asyncio.sleep, 1))
        await asyncio.sleep(2)
        assert me().mailbox_length == many
        Looked.messages = 0
        for down in me().mailbox:
            me().vm.demonitor(down.ref)
        assert me().mailbox_length == 0

    async with LookedAt(block_warning_ms=None) as vm:
        assert await vm.join(vm.spawn(watch)) == NORMAL
    assert Looked.messages == many


@virtual_time
async def test_who_waits_for_tasks_does_not_look_through_what_else_has_come() -> None:
    async def own() -> None:
        for number in range(500):
            me().deliver(number)
        Looked.messages = 0
        await Task.async_(me().vm, asyncio.sleep, 1).result()
        await Task.await_many([Task.async_(me().vm, asyncio.sleep, 1) for _ in range(3)])
        assert Looked.messages == 0
        # One that has come before it was asked for is found behind them.
        task: Task[str | None] = Task.async_(me().vm, asyncio.sleep, 1, "value")
        await asyncio.sleep(2)
        value = await task.result()
        assert value == "value"
        assert me().mailbox == list(range(500))

    async with LookedAt(block_warning_ms=None) as vm:
        assert await vm.join(vm.spawn(own)) == NORMAL


@virtual_time
async def test_what_is_not_wanted_gives_nobody_more_time() -> None:
    told = []

    async def choosy() -> None:
        began = me().vm.now()
        told.append(await me().receive(1.0, wanted=lambda message: message == "wanted"))
        told.append(me().vm.now() - began)

    async with VM(block_warning_ms=None) as vm:
        pid = vm.spawn(choosy)
        for _ in range(10):
            await asyncio.sleep(0.3)
            vm.send(pid, "anything")
        assert told == [TimedOut(), pytest.approx(1.0)]
