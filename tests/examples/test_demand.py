"""The example of demand: nothing is made that nobody asked for, and nothing queues up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aybiza.actors.runtime import KILL, VM, Pid, sys, virtual_time
from aybiza.supervisors import Supervisor, child
from examples import demand
from examples.demand import Ask, Consumer, Numbers, Producer, Squares


class Slow(Consumer):
    """Notes what it gets; an event takes it a second."""

    at_once = 4

    async def init(self, source: Any, seen: list[Any], seconds: float = 1.0) -> Any:
        self.seen, self.seconds = seen, seconds
        return self.subscribe(source)

    async def consume(self, event: Any) -> None:
        await asyncio.sleep(self.seconds)
        self.seen.append(event)


async def started(vm: VM, *arguments: Any, **options: Any) -> Pid:
    pid = await vm.start(*arguments, **options)
    assert pid is not None
    return pid


@virtual_time
async def test_a_producer_makes_no_more_than_a_slow_consumer_asks_for() -> None:
    async with VM() as vm:
        numbers, seen = await started(vm, Numbers), list[int]()
        await started(vm, Slow, numbers, seen)
        await asyncio.sleep(3.5)
        assert seen == [0, 1, 2]
        assert (await sys.get_state(vm, numbers))["next"] == Slow.at_once
        await asyncio.sleep(97)
        assert seen == list(range(100))
        assert (await sys.get_state(vm, numbers))["next"] <= 100 + Slow.at_once
        assert vm.statistics()["mailbox_messages"] <= 1


@virtual_time
async def test_a_stage_in_the_middle_asks_for_what_it_is_asked_for() -> None:
    async with VM() as vm:
        numbers, seen = await started(vm, Numbers), list[int]()
        squares = await started(vm, Squares, numbers)
        await started(vm, Slow, squares, seen)
        await asyncio.sleep(10.5)
        assert seen == [number**2 for number in range(10)]
        assert (await sys.get_state(vm, numbers))["next"] == 12


@virtual_time
async def test_consumers_share_by_what_they_ask_for_and_nothing_comes_twice() -> None:
    async with VM() as vm:
        numbers, quick, slow = await started(vm, Numbers), list[int](), list[int]()
        await started(vm, Slow, numbers, quick, 0.1)
        await started(vm, Slow, numbers, slow, 1.0)
        await asyncio.sleep(20)
        assert len(quick) > 8 * len(slow) > 0
        assert len({*quick, *slow}) == len(quick) + len(slow)


@virtual_time
async def test_what_a_dead_consumer_asked_for_is_forgotten() -> None:
    class Late(Producer):
        async def produce(self, count: int) -> list[Any]:
            return []

        async def handle_cast(self, request: Any) -> None:
            self.hand_out(request)

    async with VM() as vm:
        late, one, other = await started(vm, Late), list[int](), list[int]()
        dead = await started(vm, Slow, late, one)
        await asyncio.sleep(0.1)
        vm.exit(dead, KILL)
        await started(vm, Slow, late, other)
        await asyncio.sleep(0.1)
        vm.cast(late, [1, 2, 3])
        await asyncio.sleep(5)
        assert (one, other) == ([], [1, 2, 3])


@virtual_time
async def test_a_consumer_ends_with_its_producer_and_a_supervisor_starts_both_again() -> None:
    async with VM() as vm:
        seen: list[int] = []
        stages = [
            child(Numbers, name="numbers"),
            child(Squares, "numbers", name="squares"),
            child(Slow, "squares", seen, 0.1),
        ]
        await vm.start(Supervisor, stages, strategy="rest_for_one")
        await asyncio.sleep(1.05)
        vm.exit("squares", KILL)
        await asyncio.sleep(1)
        assert seen[:10] == [number**2 for number in range(10)]
        assert len(seen) > 15
        assert seen == sorted(seen)


@virtual_time
async def test_events_that_are_left_over_serve_who_asks_next() -> None:
    async with VM() as vm:
        numbers, seen = await started(vm, Numbers), list[int]()
        gone = await started(vm, Slow, vm.spawn(asyncio.sleep, 100), [])
        vm.send(numbers, Ask(gone, 3))
        await asyncio.sleep(0.1)
        await started(vm, Slow, numbers, seen)
        await asyncio.sleep(2.5)
        assert seen == [3, 4]


def test_the_example_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    virtual_time(demand.main)()
    assert capsys.readouterr().out.split()[:5] == ["0", "1", "4", "9", "16"]
