"""Everything that tells time or chance follows the loop and the seed."""

import asyncio
import datetime
import os
import random
import secrets
import threading
import time
import uuid

from aybiza.faults.virtual import EPOCH, ambient


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
