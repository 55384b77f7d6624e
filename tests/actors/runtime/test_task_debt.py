"""What a task owes its owner."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aybiza.actors.runtime import (
    VM,
    CallExit,
    Down,
    Pid,
    Process,
    TaskResult,
    virtual_time,
)
from aybiza.actors.runtime.task_debt import Arrivals, Debt, first_told

TASK = Pid("n", 99)


async def owner_of(vm: VM) -> Process:
    """A process that waits for ever and leaves its mailbox alone."""

    async def wait(_: Process) -> None:
        await asyncio.Event().wait()

    process = vm.spawn_process(wait, label="owner")
    await asyncio.sleep(0)
    return process


@virtual_time
async def test_what_nobody_waits_for_lies_in_the_mailbox_until_it_is_taken() -> None:
    async with VM() as vm:
        owner = await owner_of(vm)
        one, other = Debt(owner), Debt(owner)
        one.answer(1)
        vm.send(owner.pid, "between")
        other.answer(2)
        one.fail(CallExit("normal", TASK))
        assert one.take() == TaskResult(one.ref, 1)
        assert first_told((other, one)) == (other, TaskResult(other.ref, 2))
        assert list(owner.mailbox) == ["between", Down(one.ref, TASK, "normal")]


@virtual_time
async def test_a_closed_debt_tells_nothing_and_takes_back_the_news_of_the_end() -> None:
    async with VM() as vm:
        owner = await owner_of(vm)
        debt = Debt(owner)
        debt.fail(CallExit("boom", TASK))
        debt.close()
        debt.answer(1)
        assert list(owner.mailbox) == []


@virtual_time
async def test_without_an_owner_all_is_kept() -> None:
    debt = Debt(None)
    assert debt.take() is None
    debt.answer(1)
    debt.fail(CallExit("normal", TASK))
    debt.close()
    assert debt.take() == debt.take() == TaskResult(debt.ref, 1)
    assert debt.all_told() == [TaskResult(debt.ref, 1), Down(debt.ref, TASK, "normal")]
    assert first_told((Debt(None), debt)) == (debt, TaskResult(debt.ref, 1))


@virtual_time
async def test_who_waits_gets_what_is_told_past_the_mailbox_and_the_rest_goes_into_it() -> None:
    async with VM() as vm:
        owner = await owner_of(vm)
        debt, ended = Debt(owner), Debt(owner)
        with Arrivals(vm.loop, (debt, ended)) as arrivals:
            assert await arrivals.next(1.0) is None
            vm.loop.call_later(1.0, debt.answer, "value")
            assert await arrivals.next(None) == (debt, TaskResult(debt.ref, "value"))
            ended.fail(CallExit("boom", TASK))
            assert list(owner.mailbox) == []
        assert list(owner.mailbox) == [Down(ended.ref, TASK, "boom")]


@virtual_time
async def test_a_value_that_comes_as_its_taker_gives_up_is_not_lost() -> None:
    async with VM() as vm:
        owner = await owner_of(vm)
        debt = Debt(owner)

        async def wait() -> Any:
            with Arrivals(vm.loop, (debt,)) as arrivals:
                return await arrivals.next(None)

        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        debt.answer("value")
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert list(owner.mailbox) == [TaskResult(debt.ref, "value")]


def test_its_number_is_none_that_a_monitor_has() -> None:
    assert Debt(None).ref < 0
