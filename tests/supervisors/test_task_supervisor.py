"""Supervised tasks in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from aybiza.actors.runtime import (
    KILLED,
    TIMEOUT,
    VM,
    CallExit,
    Crashed,
    GenServer,
    Task,
    virtual_time,
)
from aybiza.supervisors import SupervisorError, TaskSupervisor
from tests.supervisors.crew import rest


class Client(GenServer):
    """Does in its own name what it is asked."""

    async def init(self, trap: bool = False) -> None:
        self.trap_exit(trap)

    async def handle_call(self, request: Callable[[], Awaitable[Any]], from_: Any) -> Any:
        return await request()

    async def handle_info(self, message: Any) -> None:
        """Ends of its tasks."""


async def after(seconds: float) -> float:
    """`seconds`, when they are over; more than 9 raise at once."""
    if seconds > 9:
        raise ValueError(seconds)
    await asyncio.sleep(seconds)
    return seconds


async def outcomes(vm: VM, items: list[float], **options: Any) -> list[tuple[str, Any]]:
    stream = TaskSupervisor.async_stream(vm, "tasks", items, after, **options)
    return [tuple(outcome) async for outcome in stream]


class TestAsync:
    @virtual_time
    async def test_gives_the_value(self) -> None:
        async with VM() as vm:
            await vm.start(TaskSupervisor, name="tasks")
            task = await TaskSupervisor.async_(vm, "tasks", after, 1.0)
            assert await TaskSupervisor.count_children(vm, "tasks") == (1, 1, 0, 1)
            assert await task.result() == 1.0
            assert await TaskSupervisor.count_children(vm, "tasks") == (0, 0, 0, 0)

    @virtual_time
    async def test_a_crash_ends_the_process_that_asked(self) -> None:
        async with VM() as vm:
            await vm.start(TaskSupervisor, name="tasks")
            client = await vm.start(Client)
            assert client

            async def run() -> Any:
                task = await TaskSupervisor.async_(vm, "tasks", after, 10.0)
                return await task.result()

            with pytest.raises(CallExit) as caught:
                await vm.call(client, run)
            assert isinstance(caught.value.reason, Crashed)
            assert not vm.alive(client)

    @virtual_time
    async def test_the_task_ends_with_the_process_that_asked(self) -> None:
        async with VM() as vm:
            await vm.start(TaskSupervisor, name="tasks")
            client = await vm.start(Client)
            assert client

            async def run() -> Task[float]:
                return await TaskSupervisor.async_(vm, "tasks", after, 5.0)

            task = await vm.call(client, run)
            await rest()
            vm.exit(client, "boom")
            await rest()
            assert not vm.alive(task.pid)


class TestAsyncNolink:
    @virtual_time
    async def test_a_crash_is_told_by_the_result_alone(self) -> None:
        async with VM() as vm:
            await vm.start(TaskSupervisor, name="tasks")
            client = await vm.start(Client)
            assert client

            async def run() -> str:
                task = await TaskSupervisor.async_nolink(vm, "tasks", after, 10.0)
                with pytest.raises(CallExit):
                    await task.result()
                return "alive"

            assert await vm.call(client, run) == "alive"

    @virtual_time
    async def test_ends_with_the_supervisor(self) -> None:
        async with VM() as vm:
            tasks = await vm.start(TaskSupervisor, name="tasks")
            assert tasks
            task = await TaskSupervisor.async_nolink(vm, "tasks", after, 5.0)
            await vm.stop(tasks)
            with pytest.raises(CallExit):
                await task.result()


class TestMistakes:
    @virtual_time
    async def test_a_coroutine_or_a_plain_function_is_told_of(self) -> None:
        async with VM() as vm:
            await vm.start(TaskSupervisor, name="tasks")
            with pytest.raises(TypeError, match="a task was given the coroutine after: give it "):
                await TaskSupervisor.async_(vm, "tasks", after(1.0))  # type: ignore[arg-type]
            plain: Any = len
            task = await TaskSupervisor.async_nolink(vm, "tasks", plain, "abc")
            with pytest.raises(CallExit) as caught:
                await task.result()
            assert caught.value.reason.exception.__notes__ == [
                "a task was given the plain function len: define it with `async def`, or run it in "
                "a thread, Task.start_blocking(vm, len, …)"
            ]


class TestStartChild:
    @virtual_time
    async def test_runs_for_its_effect_and_only_once_unless_told_otherwise(self) -> None:
        async with VM() as vm:
            await vm.start(TaskSupervisor, max_restarts=10, name="tasks")
            runs = 0

            async def fail() -> None:
                nonlocal runs
                runs += 1
                if runs < 4:
                    raise ValueError(runs)

            await TaskSupervisor.start_child(vm, "tasks", fail)
            await rest()
            assert runs == 1
            await TaskSupervisor.start_child(vm, "tasks", fail, restart="transient")
            await rest()
            assert runs == 4

    @virtual_time
    async def test_stops_at_max_children(self) -> None:
        async with VM() as vm:
            await vm.start(TaskSupervisor, max_children=1, name="tasks")
            await TaskSupervisor.start_child(vm, "tasks", after, 5.0)
            with pytest.raises(SupervisorError) as caught:
                await TaskSupervisor.async_(vm, "tasks", after, 5.0)
            assert caught.value.term == "max_children"


class TestAsyncStream:
    @virtual_time
    async def test_keeps_the_order_of_the_items(self) -> None:
        async with VM() as vm:
            await vm.start(TaskSupervisor, name="tasks")
            assert await outcomes(vm, [3.0, 1.0, 2.0], max_concurrency=3) == [
                ("ok", 3.0),
                ("ok", 1.0),
                ("ok", 2.0),
            ]
            assert vm.now() == pytest.approx(3.0)

    @virtual_time
    async def test_unordered_gives_what_is_there_first(self) -> None:
        async with VM() as vm:
            await vm.start(TaskSupervisor, name="tasks")
            got = await outcomes(vm, [3.0, 1.0, 2.0], max_concurrency=3, ordered=False)
            assert [value for _, value in got] == [1.0, 2.0, 3.0]

    @virtual_time
    async def test_runs_no_more_than_max_concurrency_at_once(self) -> None:
        async with VM() as vm:
            await vm.start(TaskSupervisor, name="tasks")
            running = most = 0

            async def count(_: int) -> None:
                nonlocal running, most
                running += 1
                most = max(most, running)
                await asyncio.sleep(1.0)
                running -= 1

            stream = TaskSupervisor.async_stream(vm, "tasks", range(10), count, max_concurrency=3)
            assert len([outcome async for outcome in stream]) == 10
            assert most == 3
            assert vm.now() == pytest.approx(4.0)

    @virtual_time
    async def test_a_task_over_its_time_is_killed_or_ends_the_stream(self) -> None:
        async with VM() as vm:
            await vm.start(TaskSupervisor, name="tasks")
            items = [1.0, 8.0, 2.0]
            got = await outcomes(vm, items, timeout=3.0, on_timeout="kill_task", max_concurrency=2)
            assert got == [("ok", 1.0), ("exit", TIMEOUT), ("ok", 2.0)]
            with pytest.raises(CallExit) as caught:
                await outcomes(vm, items, timeout=3.0, max_concurrency=2)
            assert caught.value.reason == TIMEOUT
            await rest()
            assert await TaskSupervisor.count_children(vm, "tasks") == (0, 0, 0, 0)

    @virtual_time
    async def test_a_crash_is_an_outcome_unless_it_is_linked(self) -> None:
        async with VM() as vm:
            await vm.start(TaskSupervisor, name="tasks")
            client = await vm.start(Client)
            assert client
            got = await vm.call(client, lambda: outcomes(vm, [1.0, 10.0], link=False))
            assert [status for status, _ in got] == ["ok", "exit"]
            assert isinstance(got[1][1], Crashed)
            with pytest.raises(CallExit):
                await vm.call(client, lambda: outcomes(vm, [1.0, 10.0]))
            assert not vm.alive(client)

    @virtual_time
    async def test_leaving_it_early_ends_its_tasks_and_nobody_else(self) -> None:
        async with VM() as vm:
            await vm.start(TaskSupervisor, name="tasks")
            client = await vm.start(Client)
            assert client

            async def first() -> Any:
                stream = TaskSupervisor.async_stream(
                    vm, "tasks", [1.0, 5.0, 5.0], after, max_concurrency=3
                )
                async for outcome in stream:
                    await stream.aclose()
                    return outcome.value

            assert await vm.call(client, first) == 1.0
            await rest()
            assert await TaskSupervisor.count_children(vm, "tasks") == (0, 0, 0, 0)
            assert vm.alive(client)

    @virtual_time
    async def test_the_tasks_end_with_a_process_that_is_killed(self) -> None:
        async with VM() as vm:
            await vm.start(TaskSupervisor, name="tasks")
            client = await vm.start(Client)
            assert client
            asking = asyncio.ensure_future(
                vm.call(client, lambda: outcomes(vm, [5.0], timeout=None), timeout=None)
            )
            await rest()
            vm.exit(client, "kill")
            with pytest.raises(CallExit) as caught:
                await asking
            assert caught.value.reason == KILLED
            await rest()
            assert await TaskSupervisor.count_children(vm, "tasks") == (0, 0, 0, 0)
