"""Tasks."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from aybiza.actors.runtime import (
    KILL,
    KILLED,
    SHUTDOWN,
    TIMEOUT,
    VM,
    CallExit,
    Crashed,
    Exit,
    ExitError,
    GenServer,
    Task,
    virtual_time,
)


class Owner(GenServer):
    async def init(self, trap: bool = True) -> None:
        self.trap_exit(trap)
        self.seen: list[Any] = []

    async def handle_info(self, message: Any) -> None:
        self.seen.append(message)

    async def handle_call(self, request: Any, from_: Any) -> Any:
        outcome = request()
        return await outcome if asyncio.iscoroutine(outcome) else outcome


async def double(number: int, delay: float = 0.0) -> int:
    await asyncio.sleep(delay)
    return number * 2


async def fail(error: BaseException) -> None:
    raise error


@virtual_time
async def test_a_task_gives_its_value_before_and_after_its_end_and_more_than_once() -> None:
    async with VM() as vm:
        task = Task.start(vm, double, 4, 1.0)
        assert vm.alive(task.pid)
        assert await task.result() == 8
        await asyncio.sleep(1)
        assert not vm.alive(task.pid)
        assert await task.result() == 8


@virtual_time
async def test_a_task_that_fails_tells_why_whenever_it_is_asked() -> None:
    crash = ValueError("x")
    async with VM() as vm:
        for error, reason in ((crash, Crashed(crash)), (ExitError("why"), "why")):
            for delay in (0, 1):
                task = Task.start(vm, fail, error)
                await asyncio.sleep(delay)
                with pytest.raises(CallExit) as failed:
                    await task.result()
                assert failed.value.reason == reason
                assert failed.value.dest == task.pid


@virtual_time
async def test_a_failure_that_nobody_asks_for_is_not_told_twice() -> None:
    errors: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    async with VM() as vm:
        Task.start(vm, fail, ValueError("x"))
        await asyncio.sleep(1)
    import gc

    gc.collect()
    assert errors == []


@virtual_time
async def test_waiting_has_a_limit_and_can_go_on_after_it() -> None:
    async with VM() as vm:
        task = Task.start(vm, double, 1, 10.0)
        with pytest.raises(CallExit) as failed:
            await task.result(timeout=1)
        assert failed.value.reason == TIMEOUT
        assert await task.result(timeout=None) == 2


@virtual_time
async def test_who_gives_up_waiting_does_not_end_the_task() -> None:
    async with VM() as vm:
        task = Task.start(vm, double, 1, 10.0)
        waiting = asyncio.create_task(task.result(timeout=None))
        await asyncio.sleep(1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await task.result(timeout=20) == 2


@virtual_time
async def test_a_task_is_linked_to_its_owner_both_ways_unless_told_otherwise() -> None:
    async with VM() as vm:
        owner = await vm.start(Owner)
        assert owner is not None
        boom = await vm.call(owner, lambda: Task.start(vm, fail, ExitError("boom")))
        await asyncio.sleep(1)
        alone = await vm.call(owner, lambda: Task.start(vm, fail, ExitError("x"), link=False))
        await asyncio.sleep(1)
        seen = await vm.call(owner, lambda: None) or (vm.find(owner).server.seen)  # type: ignore[union-attr]
        assert seen == [Exit(boom.pid, "boom")]
        assert not vm.alive(alone.pid)

        linked = await vm.call(owner, lambda: Task.start(vm, double, 1, 100.0))
        free = await vm.call(owner, lambda: Task.start(vm, double, 1, 100.0, link=False))
        vm.exit(owner, KILL)
        await asyncio.sleep(1)
        assert not vm.alive(linked.pid)
        assert vm.alive(free.pid)


@virtual_time
async def test_shutdown_ends_a_task_and_is_nothing_to_one_that_has_ended() -> None:
    async with VM() as vm:
        task = Task.start(vm, double, 1, 100.0)
        task.shutdown()
        with pytest.raises(CallExit) as failed:
            await task.result()
        assert failed.value.reason == SHUTDOWN
        done = Task.start(vm, double, 1)
        assert await done.result() == 2
        done.shutdown()
        assert await done.result() == 2


@virtual_time
async def test_a_killed_task_is_seen_as_killed() -> None:
    async with VM() as vm:
        task = Task.start(vm, double, 1, 100.0)
        vm.exit(task.pid, KILL)
        with pytest.raises(CallExit) as failed:
            await task.result()
        assert failed.value.reason == KILLED


@virtual_time
async def test_a_blocking_function_runs_in_a_thread_while_virtual_time_stands_still() -> None:
    def work(number: int) -> tuple[int, int]:
        time.sleep(0.03)
        return number * 2, threading.get_ident()

    async with VM() as vm:
        task = Task.start_blocking(vm, work, 4)
        value, thread = await task.result(timeout=0.01)
        assert value == 8
        assert thread != threading.get_ident()
        assert vm.now() == 0


@virtual_time
async def test_the_process_of_a_blocking_task_ends_at_once_and_the_thread_later() -> None:
    leave, left = threading.Event(), threading.Event()

    def work() -> None:
        leave.wait(5)
        left.set()

    async with VM() as vm:
        task = Task.start_blocking(vm, work)
        await asyncio.sleep(0)
        vm.exit(task.pid, KILL)
        assert await vm.join(task.pid) == KILLED
        assert not left.is_set()
        leave.set()
        assert await vm.run_blocking(left.wait, 5)


@virtual_time
async def test_a_task_is_labelled_by_its_function() -> None:
    async with VM() as vm:
        ran: list[str] = []
        vm.observers.append(lambda process, _: ran.append(process.label))
        await Task.start(vm, double, 1).result()
        await Task.start_blocking(vm, len, "abc").result()
        await asyncio.sleep(1)
        assert ran == ["Task double", "Task len"]
