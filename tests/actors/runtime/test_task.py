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
    Down,
    Exit,
    ExitError,
    GenServer,
    Task,
    TaskResult,
    current_process,
    virtual_time,
)
from aybiza.actors.runtime.task import BRUTAL_KILL


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


async def test_a_limit_of_shutdown_that_is_misspelt_is_refused() -> None:
    async with VM() as vm:
        task = Task.start(vm, asyncio.sleep, 10)
        with pytest.raises(ValueError, match="BRUTAL_KILL, not 'brutal-kill'"):
            task.shutdown("brutal-kill")  # type: ignore[arg-type]
        assert vm.alive(task.pid)


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


async def asked(vm: VM, function: Any, *, trap: bool = True) -> tuple[Any, list[Any]]:
    """What `function` returns when an owner runs it, and the messages that the owner got."""
    owner = await vm.start(Owner, trap)
    assert owner is not None
    value = await vm.call(owner, function, timeout=None)
    await asyncio.sleep(1)
    process = vm.find(owner)
    return value, [] if process is None else process.server.seen


@virtual_time
async def test_the_value_of_a_task_is_given_to_its_owner_once() -> None:
    async with VM() as vm:

        async def ask() -> Any:
            task = Task.async_(vm, double, 4)
            value = await task.result()
            with pytest.raises(CallExit) as failed:
                await task.result(0.1)
            return value, failed.value.reason

        assert await asked(vm, ask, trap=False) == ((8, TIMEOUT), [])


@virtual_time
async def test_an_owner_who_does_not_ask_gets_the_value_and_the_end_as_messages() -> None:
    async with VM() as vm:
        task, seen = await asked(vm, lambda: Task.async_(vm, double, 4), trap=False)
        assert seen == [TaskResult(task.debt.ref, 8), Down(task.debt.ref, task.pid, "normal")]


@virtual_time
async def test_only_its_owner_asks_for_a_task_ends_it_or_lets_it_go() -> None:
    async with VM() as vm:
        task, _ = await asked(vm, lambda: Task.async_(vm, double, 4, 100.0))
        owner = task.debt.owner.pid
        for ask in (task.result, task.yield_, lambda: Task.await_many([task])):
            with pytest.raises(ValueError, match=f"{owner} owns it"):
                await ask()
        for act in (task.shutdown, task.ignore):
            with pytest.raises(ValueError, match=f"{owner} owns it"):
                act()
        assert vm.alive(task.pid)


@virtual_time
async def test_yield_tells_what_has_come_of_a_task_and_lets_it_run_on() -> None:
    async with VM() as vm:

        async def ask() -> Any:
            task = Task.async_(vm, double, 1, 2.0)
            failing = Task.async_(vm, fail, ExitError("why"))
            early = await task.yield_(1.0)
            return early, await task.yield_(5.0), await failing.yield_(0.0)

        told, seen = await asked(vm, ask)
        assert told == (None, ("ok", 2), ("exit", "why"))
        assert [(type(message), message.reason) for message in seen] == [
            (Exit, "why"),
            (Exit, "normal"),
        ]


@virtual_time
async def test_shutdown_waits_for_the_end_kills_who_takes_too_long_and_disturbs_nobody() -> None:
    async with VM() as vm:

        async def stay(seconds: float) -> str:
            current_process.get().trap_exit = True  # type: ignore[union-attr]
            await asyncio.sleep(seconds)
            return "done"

        async def ask() -> Any:
            plain, killed = Task.async_(vm, double, 1, 99.0), Task.async_(vm, double, 1, 99.0)
            ready, stubborn = Task.async_(vm, stay, 1.0), Task.async_(vm, stay, 99.0)
            finished = Task.async_(vm, double, 4)
            await asyncio.sleep(0.1)
            began = vm.now()
            return (
                await plain.shutdown(),
                await killed.shutdown(BRUTAL_KILL),
                await ready.shutdown(3.0),
                await stubborn.shutdown(2.0),
                await finished.shutdown(),
                round(vm.now() - began, 1),
            )

        told, seen = await asked(vm, ask)
        assert told == (None, None, ("ok", "done"), ("exit", KILLED), ("ok", 8), 2.9)
        assert [(type(message), message.reason) for message in seen] == [(Exit, "normal")]


@virtual_time
async def test_an_ignored_task_runs_on_and_is_not_heard_of() -> None:
    async with VM() as vm:
        task, seen = await asked(vm, lambda: ignored(Task.async_(vm, double, 1, 5.0)))
        assert vm.alive(task.pid)
        await asyncio.sleep(6)
        assert not vm.alive(task.pid)
        assert seen == []


def ignored(task: Task[Any]) -> Task[Any]:
    assert task.ignore() is None
    return task


@virtual_time
async def test_a_completed_task_has_its_value_and_no_process() -> None:
    async with VM() as vm:

        async def ask() -> Any:
            task = Task.completed(vm, 9)
            with pytest.raises(ValueError, match="no process"):
                task.shutdown()
            return await task.result(), repr(task)

        assert await asked(vm, ask) == ((9, "<Task completed>"), [])


@virtual_time
async def test_many_tasks_are_waited_for_at_once() -> None:
    async with VM() as vm:

        async def ask() -> Any:
            tasks = [Task.async_(vm, double, n, seconds) for n, seconds in ((1, 2.0), (2, 1.0))]
            values = await Task.await_many(tasks, 3.0)
            slow = [Task.async_(vm, double, n, seconds) for n, seconds in ((1, 1.0), (2, 99.0))]
            told = await Task.yield_many(slow, 2.0)
            assert [task for task, _ in told] == slow
            return values, [outcome for _, outcome in told], vm.now()

        told, _ = await asked(vm, ask)
        assert told == ([2, 4], [("ok", 2), None], 4.0)
        assert await Task.await_many([]) == []


@virtual_time
async def test_waiting_for_many_ends_with_the_first_that_fails_or_the_limit() -> None:
    async with VM() as vm:

        async def ask() -> Any:
            reasons = []
            for bad in (Task.async_(vm, fail, ExitError("why")), Task.async_(vm, double, 1, 99.0)):
                with pytest.raises(CallExit) as failed:
                    await Task.await_many([Task.async_(vm, double, 1), bad], 1.0)
                reasons.append(failed.value.reason)
            return reasons

        assert (await asked(vm, ask))[0] == ["why", TIMEOUT]


@virtual_time
async def test_handles_that_keep_their_values_can_be_asked_together_too() -> None:
    async with VM() as vm:
        tasks = [Task.start(vm, double, n, 1.0) for n in range(3)]
        assert await Task.await_many(tasks) == [0, 2, 4]
        assert await Task.await_many(tasks) == [0, 2, 4]
