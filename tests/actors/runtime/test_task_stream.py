"""Streams of tasks that are linked to the caller."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from aybiza.actors.runtime import (
    TIMEOUT,
    VM,
    CallExit,
    Crashed,
    ExitError,
    Process,
    Task,
    virtual_time,
)
from aybiza.actors.runtime.task_stream import StreamOptions
from tests.actors.runtime.test_task import Owner


async def after(seconds: float) -> float:
    """`seconds`, when they are over; more than 9 raise at once."""
    if seconds > 9:
        raise ValueError(seconds)
    await asyncio.sleep(seconds)
    return seconds


async def outcomes(vm: VM, items: list[float], **options: Any) -> list[tuple[str, Any]]:
    return [tuple(outcome) async for outcome in Task.async_stream(vm, items, after, **options)]


@virtual_time
async def test_a_caller_that_traps_exits_gets_outcomes_and_no_messages() -> None:
    async with VM() as vm:
        owner = await vm.start(Owner)
        assert owner
        got = await vm.call(owner, lambda: outcomes(vm, [1.0, 10.0, 0.0], max_concurrency=3))
        await asyncio.sleep(1)
        assert [status for status, _ in got] == ["ok", "exit", "ok"]
        assert isinstance(got[1][1], Crashed)
        process = vm.find(owner)
        assert process is not None
        assert process.server.seen == []
        assert not process.links


@virtual_time
async def test_a_task_that_fails_ends_a_caller_that_does_not_trap_exits_and_all_others() -> None:
    async with VM() as vm:
        owner = await vm.start(Owner, False)
        assert owner
        with pytest.raises(CallExit) as caught:
            await vm.call(owner, lambda: outcomes(vm, [5.0, 10.0, 5.0], max_concurrency=3))
        assert isinstance(caught.value.reason, Crashed)
        await asyncio.sleep(1)
        assert vm.processes() == []


@virtual_time
async def test_an_exit_can_tell_its_item() -> None:
    async with VM() as vm:
        options = {"timeout": 2.0, "on_timeout": "kill_task", "zip_input_on_exit": True}
        got = await outcomes(vm, [1.0, 3.0, 2.5], **options, max_concurrency=3)
        assert got == [("ok", 1.0), ("exit", (3.0, TIMEOUT)), ("exit", (2.5, TIMEOUT))]


@virtual_time
async def test_a_result_is_handed_on_before_the_next_item_starts() -> None:
    async with VM() as vm:
        began: list[int] = []

        async def note(index: int) -> int:
            began.append(index)
            return index

        stream = Task.async_stream(vm, range(5), note, max_concurrency=1)
        async with aclosing(stream):
            async for _ in stream:
                break
        assert began == [0]


@virtual_time
async def test_a_limit_counts_from_the_start_of_its_task_though_the_caller_is_slow() -> None:
    async with VM() as vm:
        options = {"timeout": 2.0, "on_timeout": "kill_task", "max_concurrency": 2}
        got = []
        async for outcome in Task.async_stream(vm, [1.0, 3.0], after, **options):  # type: ignore[arg-type]
            got.append(tuple(outcome))
            await asyncio.sleep(10)
        assert got == [("ok", 1.0), ("exit", TIMEOUT)]


@virtual_time
async def test_tasks_end_with_a_stream_that_is_left_or_out_of_time() -> None:
    async with VM() as vm:

        async def leave(_: Process) -> None:
            stream = Task.async_stream(vm, [0.0, 9.0, 9.0], after, max_concurrency=3)
            async with aclosing(stream):
                async for _outcome in stream:
                    break
            with pytest.raises(CallExit) as caught:
                await outcomes(vm, [3.0, 9.0], timeout=2.0, max_concurrency=2)
            assert caught.value.reason == TIMEOUT
            await asyncio.sleep(1)
            ended.set_result(vm.processes())

        ended: asyncio.Future[Any] = vm.loop.create_future()
        left = vm.spawn_process(leave, label="leaves")
        assert await ended == [left.pid]


@virtual_time
async def test_an_exit_without_a_value_is_an_exit() -> None:
    async def leave(_: int) -> None:
        raise ExitError("normal")

    async with VM() as vm:
        stream = Task.async_stream(vm, [1], leave)
        assert [tuple(outcome) async for outcome in stream] == [("exit", "normal")]


@pytest.mark.parametrize("most", [0, -1, 1.5, True, "2"])
def test_a_concurrency_that_is_no_number_of_tasks_is_refused(most: Any) -> None:
    with pytest.raises(ValueError, match=f"max_concurrency .* not {most!r}"):
        StreamOptions(max_concurrency=most)


def test_a_time_limit_without_a_meaning_is_refused_before_any_task_runs() -> None:
    refusal = "a time limit is a number of seconds or None, not 'soon'"
    with pytest.raises((ValueError, TypeError), match=refusal):
        StreamOptions(timeout="soon")  # type: ignore[arg-type]
