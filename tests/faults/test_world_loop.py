"""The loop of a world: in asyncio's order, without waiting, and never for ever."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from aybiza.faults.virtual import ambient
from aybiza.faults.world_loop import LOOK_SECONDS, Deadlock


def test_blocking_work_is_done_on_the_spot_and_counted() -> None:
    async def main() -> tuple[int, float]:
        loop: Any = asyncio.get_running_loop()
        there = await asyncio.to_thread(threading.get_ident)
        with pytest.raises(KeyError):
            await asyncio.to_thread(dict[str, int]().__getitem__, "x")
        await asyncio.to_thread(loop.takes, 2.5)
        return there, loop.time()

    with ambient() as loop:
        assert loop.run_until_complete(main()) == (threading.get_ident(), 2.5)
        assert loop.jobs == 3


def test_a_loop_in_which_nothing_can_happen_any_more_says_so() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with ambient() as loop:
        task = loop.create_task(main())
        with pytest.raises(Deadlock, match="nothing is ready"):
            loop.run_until_complete(task)
        task.cancel()
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))


def test_a_loop_in_which_somebody_spins_says_so_and_when() -> None:
    async def main() -> None:
        await asyncio.sleep(3.0)
        while True:  # noqa: ASYNC110
            await asyncio.sleep(0)

    with ambient() as loop:
        task = loop.create_task(main())
        with pytest.raises(Deadlock, match=r"time stands still at 3\.000 s"):
            loop.run_until_complete(task)
        task.cancel()
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))


def test_a_wait_too_short_for_the_clock_lets_time_go_on_all_the_same() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(57.76)
        due = loop.time() + 1e-12
        while loop.time() < due:  # noqa: ASYNC110
            await asyncio.sleep(due - loop.time())
        return loop.time()

    with ambient() as loop:
        assert 57.76 < loop.run_until_complete(main()) < 57.761


def order(loop: asyncio.AbstractEventLoop) -> list[int]:
    """What a few hundred timers and callbacks, some of them cancelled, run in."""
    chance, ran = random.Random(4), list[int]()

    def run(number: int) -> None:
        ran.append(number)
        if number < 300:
            loop.call_soon(ran.append, -number)

    async def main() -> None:
        timers = [loop.call_later(chance.randrange(40) / 8, run, n) for n in range(3000)]
        for timer in timers:
            if chance.random() < 0.6:
                timer.cancel()
        await asyncio.sleep(10.0)

    loop.run_until_complete(main())
    return ran


def test_what_is_ready_runs_as_it_was_made_ready_and_what_was_cancelled_does_not() -> None:
    with ambient() as loop:
        ran = order(loop)
        assert loop.timers() == []
    chance = random.Random(4)
    when = [chance.randrange(40) / 8 for _ in range(3000)]
    kept = [n for n in range(3000) if chance.random() >= 0.6]
    assert [n for n in ran if n >= 300] == [
        n for n in sorted(kept, key=when.__getitem__) if n >= 300
    ]
    assert sorted(-n for n in ran if n < 0) == [n for n in kept if 0 < n < 300]


def test_an_error_in_a_callback_is_told_and_the_loop_goes_on() -> None:
    told: list[str] = []
    ran: list[int] = []

    def fail() -> None:
        raise RuntimeError("broken on purpose")

    with ambient() as loop:
        loop.set_exception_handler(lambda _, about: told.append(str(about["exception"])))
        steps: list[Callable[[], object]] = [fail, lambda: ran.append(1)]
        for step in steps:
            loop.call_soon(step)
        loop.run_until_complete(asyncio.sleep(1.0))
    assert (told, ran) == (["broken on purpose"], [1])


def test_what_is_waited_for_is_seen_before_the_clock_moves_on() -> None:
    held: list[int] = []

    async def come_and_go() -> None:
        await asyncio.sleep(7.25)
        held.append(1)
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        held.clear()

    with ambient() as loop:

        async def wait() -> tuple[bool, float, list[int]]:
            task = loop.create_task(come_and_go())
            seen = await loop.until(lambda: held, 10.0)
            outcome = (seen, loop.time(), list(held))
            await task
            return outcome

        seen, at, left = loop.run_until_complete(wait())
        assert seen and left == [1]
        assert at == pytest.approx(7.25)


def test_a_condition_of_the_time_alone_is_seen_soon_and_what_never_comes_in_time_is_said() -> None:
    with ambient() as loop:
        assert loop.run_until_complete(loop.until(lambda: loop.time() >= 3.0, 4.0))
        assert loop.time() == pytest.approx(3.0, abs=LOOK_SECONDS)
        assert not loop.run_until_complete(loop.until(lambda: False, 2.0))
        assert loop.time() == pytest.approx(5.0, abs=LOOK_SECONDS)


def test_what_a_condition_raises_reaches_who_waits() -> None:
    asked: list[int] = []

    def condition() -> bool:
        asked.append(1)
        if len(asked) > 2:
            raise KeyError("gone")
        return False

    with ambient() as loop, pytest.raises(KeyError, match="gone"):
        loop.run_until_complete(loop.until(condition, 10.0))
