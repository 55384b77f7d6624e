"""Tasks under the supervisor of another node."""

import asyncio
from typing import Any

import pytest

from aybiza.actors.runtime import (
    KILLED,
    NOCONNECTION,
    TIMEOUT,
    CallExit,
    Crashed,
    Down,
    Exit,
    TaskResult,
    current_process,
    virtual_time,
)
from aybiza.supervisors import SupervisorError, TaskSupervisor
from tests.actors.cluster.kit import Probe, cluster, until

TASKS: Any = ("tasks", "b")


async def where(value: Any) -> Any:
    """The value, and the node that it was computed on."""
    process = current_process.get()
    assert process is not None
    return process.vm.node, value


async def slow(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


async def fail(text: str) -> None:
    raise ValueError(text)


async def bad(_: Any) -> Any:
    return lambda: None


async def owner_of(node: Any, *, trap: bool = True) -> Any:
    pid = await node.vm.start(Probe, trap=trap)
    return pid, node.vm.find(pid).server


def in_process(node: Any, pid: Any, function: Any) -> Any:
    return node.vm.call(pid, ("run", function), 30.0)


@virtual_time
async def test_a_value_comes_back_from_another_node() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        await b.vm.start(TaskSupervisor, name="tasks")
        for start in (TaskSupervisor.async_, TaskSupervisor.async_nolink):
            task = await start(a.vm, TASKS, where, 1)
            assert task.pid.node == "b"
            assert await task.result() == ("b", 1)
            assert await task.result() == ("b", 1)
        await asyncio.sleep(0.1)
        for node in (a, b):
            kept = {name for name, count in node.statistics().items() if count}
            assert kept <= {"held", "waiting"}


@virtual_time
async def test_the_owner_gets_the_value_and_the_end_as_messages() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        await b.vm.start(TaskSupervisor, name="tasks")
        pid, server = await owner_of(a)

        async def begin(self: Any) -> Any:
            good = await TaskSupervisor.async_nolink(self.vm, TASKS, where, 1)
            wrong = await TaskSupervisor.async_nolink(self.vm, TASKS, fail, "boom")
            return good.debt.ref, wrong.debt.ref, good.pid

        good, wrong, task = await in_process(a, pid, begin)
        await until(lambda: len(server.got) == 3)
        by_ref: dict[int, list[Any]] = {}
        for message in server.got:
            by_ref.setdefault(message.ref, []).append(message)
        assert by_ref[good] == [TaskResult(good, ("b", 1)), Down(good, task, "normal")]
        [down] = by_ref[wrong]
        assert isinstance(down.reason, Crashed)
        assert "boom" in str(down.reason)


@virtual_time
async def test_a_linked_task_and_its_owner_end_together() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        await b.vm.start(TaskSupervisor, name="tasks")
        pid, server = await owner_of(a)

        async def begin(self: Any) -> Any:
            return (await TaskSupervisor.async_(self.vm, TASKS, fail, "boom")).pid

        failed = await in_process(a, pid, begin)
        await until(lambda: any(isinstance(each, Exit) for each in server.got))
        assert [each.pid for each in server.got if isinstance(each, Exit)] == [failed]

        async def wait(self: Any) -> Any:
            return (await TaskSupervisor.async_(self.vm, TASKS, slow, 60)).pid

        waiting = await in_process(a, pid, wait)
        a.vm.exit(pid, "kill")
        assert await b.vm.join(waiting) == KILLED


@virtual_time
async def test_the_loss_of_the_node_is_told_as_the_end_of_the_task() -> None:
    async with cluster("a", "b") as (network, [a, b]):
        await b.vm.start(TaskSupervisor, name="tasks")
        task = await TaskSupervisor.async_nolink(a.vm, TASKS, slow, 60)
        network.part(["a"], ["b"])
        with pytest.raises(CallExit) as failure:
            await task.result()
        assert failure.value.reason == NOCONNECTION
        assert a.statistics()["lent"] == 0


@virtual_time
async def test_a_task_is_shut_down_and_does_not_disturb_its_owner() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        await b.vm.start(TaskSupervisor, name="tasks")
        pid, server = await owner_of(a)

        async def begin(self: Any) -> Any:
            task = await TaskSupervisor.async_(self.vm, TASKS, slow, 60)
            with pytest.raises(CallExit) as late:
                await task.result(0.1)
            ended = await task.shutdown()
            return late.value.reason, ended, task.pid

        reason, ended, task = await in_process(a, pid, begin)
        assert (reason, ended) == (TIMEOUT, None)
        assert not b.vm.alive(task)
        await asyncio.sleep(1)
        assert server.got == []


@virtual_time
async def test_a_stream_runs_on_another_node() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        await b.vm.start(TaskSupervisor, name="tasks")
        stream = TaskSupervisor.async_stream(a.vm, TASKS, range(5), where, max_concurrency=2)
        assert [tuple(outcome) async for outcome in stream] == [("ok", ("b", n)) for n in range(5)]
        stream = TaskSupervisor.async_stream(
            a.vm, TASKS, [0.1, 60.0], slow, timeout=1.0, on_timeout="kill_task"
        )
        assert [tuple(each) async for each in stream] == [("ok", 0.1), ("exit", TIMEOUT)]
        await asyncio.sleep(0.1)
        assert b.statistics()["links"] == 0


@virtual_time
async def test_what_does_not_start_or_travel_is_told() -> None:
    async with cluster("a", "b") as (_, [a, b]):
        await b.vm.start(TaskSupervisor, name="tasks", max_children=1)
        with pytest.raises((AttributeError, TypeError)):
            await TaskSupervisor.async_nolink(a.vm, TASKS, lambda: slow(1))
        task = await TaskSupervisor.async_nolink(a.vm, TASKS, bad, 1)
        with pytest.raises(CallExit) as failure:
            await task.result()
        assert failure.value.reason[0] == "unpicklable_reply"
        await asyncio.sleep(0.1)
        await TaskSupervisor.async_nolink(a.vm, TASKS, slow, 5)
        with pytest.raises(SupervisorError, match="max_children"):
            await TaskSupervisor.async_nolink(a.vm, TASKS, slow, 5)
        with pytest.raises(CallExit):
            await TaskSupervisor.async_nolink(a.vm, ("nobody", "b"), slow, 5)
        await asyncio.sleep(6)
        assert a.statistics()["lent"] == 0
