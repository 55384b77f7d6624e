"""Everything that tells time or chance follows the loop and the seed."""

import asyncio
import datetime
import os
import random
import secrets
import threading
import time
import uuid

import pytest

from aybiza.faults.virtual import EPOCH, LOOK_SECONDS, Deadlock, ambient


def drawn(seed: int) -> list[object]:
    async def draw() -> list[object]:
        await asyncio.sleep(90.0)
        return [
            time.time(),
            time.monotonic(),
            time.perf_counter_ns(),
            datetime.date.today(),
            time.localtime().tm_hour,
            random.random(),
            uuid.uuid4(),
            os.urandom(4),
            secrets.token_hex(4),
        ]

    with ambient(seed) as loop:
        return loop.run_until_complete(draw())


def test_the_same_seed_gives_the_same_times_and_the_same_chance() -> None:
    assert drawn(7) == drawn(7)


def test_another_seed_gives_other_chances_and_the_same_times() -> None:
    one, other = drawn(1), drawn(2)
    assert one[:5] == other[:5]
    assert not set(map(str, one[5:])) & set(map(str, other[5:]))


def test_time_jumps_to_the_next_timer() -> None:
    began = time.monotonic()
    assert drawn(1)[:3] == [EPOCH + 90.0, 90.0, 90_000_000_000]
    assert time.monotonic() - began < 30.0


def test_the_machine_is_as_it_was_afterwards() -> None:
    before = (time.time, time.monotonic, os.urandom, uuid.uuid4, os.environ.get("TZ"))
    state = random.getstate()
    drawn(3)
    assert (time.time, time.monotonic, os.urandom, uuid.uuid4, os.environ.get("TZ")) == before
    assert random.getstate() == state


def test_other_threads_keep_the_real_clocks() -> None:
    with ambient() as loop:
        seen: list[float] = []
        thread = threading.Thread(target=lambda: seen.append(time.time()))
        thread.start()
        thread.join()
        assert loop.time() == 0.0
    assert abs(seen[0] - time.time()) < 60.0


def test_blocking_work_is_done_on_the_spot_and_counted() -> None:
    async def main() -> tuple[int, float]:
        loop = asyncio.get_running_loop()
        loop.job_seconds = lambda: 2.5  # type: ignore[attr-defined]
        there = await asyncio.to_thread(threading.get_ident)
        with pytest.raises(KeyError):
            await asyncio.to_thread(dict[str, int]().__getitem__, "x")
        return there, loop.time()

    with ambient() as loop:
        assert loop.run_until_complete(main()) == (threading.get_ident(), 5.0)
        assert loop.jobs == 2


def test_a_loop_in_which_nothing_can_happen_any_more_says_so() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with ambient() as loop:
        task = loop.create_task(main())
        with pytest.raises(Deadlock, match="nothing is ready"):
            loop.run_until_complete(task)
        task.cancel()
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))


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
