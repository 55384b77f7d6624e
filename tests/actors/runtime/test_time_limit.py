"""The common time limit of calls."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aybiza.actors.runtime import TIMEOUT, VM, CallExit, From, GenServer, virtual_time
from aybiza.actors.runtime.time_limit import TimeLimit

Due = list[Any]


@virtual_time
async def test_each_comes_due_after_its_own_time_and_in_order() -> None:
    loop = asyncio.get_running_loop()
    limit = TimeLimit(loop, 5.0)
    due: Due = []

    def act(_: From, label: str) -> None:
        due.append((loop.time(), label))

    for label in ("a", "b", "c"):
        limit.add(From(None, None), act, label)
        await asyncio.sleep(1)
    limit.add(From(None, None), act, "d")
    limit.add(From(None, None), act, "e")
    await asyncio.sleep(20)
    times = [5, 6, 7, 8, 8]
    assert due == [(pytest.approx(time), label) for time, label in zip(times, "abcde", strict=True)]


@virtual_time
async def test_who_is_discarded_never_comes_due_and_does_not_delay_the_others() -> None:
    loop = asyncio.get_running_loop()
    limit = TimeLimit(loop, 5.0)
    due: Due = []
    froms = [From(None, None) for _ in range(4)]
    for number, from_ in enumerate(froms):
        limit.add(from_, lambda _, label: due.append((loop.time(), label)), str(number))
        await asyncio.sleep(1)
    limit.discard(froms[0])
    limit.discard(froms[2])
    limit.discard(froms[2])
    await asyncio.sleep(20)
    assert due == [(pytest.approx(6), "1"), (pytest.approx(8), "3")]


@virtual_time
async def test_it_can_be_used_again_after_everyone_has_gone() -> None:
    loop = asyncio.get_running_loop()
    limit = TimeLimit(loop, 5.0)
    due: Due = []
    first = From(None, None)
    limit.add(first, lambda _, label: due.append((loop.time(), label)), "first")
    limit.discard(first)
    await asyncio.sleep(100)
    limit.add(From(None, None), lambda _, label: due.append((loop.time(), label)), "second")
    await asyncio.sleep(100)
    assert due == [(pytest.approx(105), "second")]


@virtual_time
async def test_one_who_comes_due_may_add_another() -> None:
    loop = asyncio.get_running_loop()
    limit = TimeLimit(loop, 5.0)
    due: Due = []

    def again(_: From, label: str) -> None:
        due.append((loop.time(), label))
        if len(due) < 3:
            limit.add(From(None, None), again, label)

    limit.add(From(None, None), again, "x")
    limit.add(From(None, None), again, "y")
    await asyncio.sleep(100)
    assert [time for time, _ in due] == pytest.approx([5, 5, 10, 10])


@virtual_time
async def test_closing_forgets_everyone() -> None:
    limit = TimeLimit(asyncio.get_running_loop(), 5.0)
    limit.add(From(None, None), lambda _, __: pytest.fail("came due"), None)
    limit.close()
    await asyncio.sleep(10)


@virtual_time
async def test_calls_of_the_usual_and_of_other_limits_each_end_in_their_time() -> None:
    class Silent(GenServer):
        async def handle_call(self, request: object, from_: From) -> None:
            await asyncio.Event().wait()

    async with VM() as vm:
        ended: dict[float | None, float] = {}

        async def ask(timeout: float) -> None:
            pid = await vm.start(Silent)
            assert pid is not None
            with pytest.raises(CallExit) as failed:
                await vm.call(pid, "x", timeout)
            assert failed.value.reason == TIMEOUT
            assert failed.value.request == "x"
            ended[timeout] = vm.now()

        await asyncio.gather(*(ask(timeout) for timeout in (5.0, 1.0, 7.5, 0.0)))
        assert ended == {timeout: pytest.approx(timeout, abs=1e-6) for timeout in ended}


class Soon:
    """What uvloop gives for what is due within half a millisecond: no timer, no `when`."""

    def cancel(self) -> None:
        """It was to be done soon."""


class CountsMilliseconds:
    """A loop whose time is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.next: tuple[float, Any] | None = None

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, act: Any) -> Soon:
        self.next = (when, act)
        return Soon()

    def turn(self) -> None:
        assert self.next is not None
        (when, act), self.next = self.next, None
        self.now = max(self.now, when)
        act()


def test_a_loop_need_not_tell_when_its_timers_are_due() -> None:
    loop: Any = CountsMilliseconds()
    limit = TimeLimit(loop, 1.0)
    due: Due = []

    def act(who: str, _: None) -> None:
        due.append((loop.now, who))

    for now, who in ((0.0, "one"), (0.0002, "other"), (0.0004, "last")):
        loop.now = now
        limit.add(who, act, None)
    for _ in range(3):
        loop.turn()
    limit.add("late", act, None)
    loop.turn()
    assert due == [(1.0, "one"), (1.0002, "other"), (1.0004, "last"), (2.0004, "late")]
