"""The stores of a world keep journals, unless the disk is full or Redis is gone."""

import asyncio

import pytest

from aybiza.actors.memory.store import Part, Row, StoreError
from aybiza.faults.caller import hangs_up
from aybiza.faults.memory_store import MemoryStore
from aybiza.faults.world import World, in_world

ROW = Row("CA1", 1, 1, 0.0, {"type": "ended", "reason": "hangup"})
PART = Part("CA1", 1, None, [ROW])


def test_a_full_disk_takes_and_gives_nothing_until_there_is_room() -> None:
    store = MemoryStore()
    store.full = True
    with pytest.raises(StoreError, match="full"):
        store.write([PART])
    with pytest.raises(StoreError, match="full"):
        store.read("CA1")
    store.full = False
    store.write([PART])
    assert store.read("CA1") == [ROW]
    store.close()


def test_redis_is_gone_slow_or_empty() -> None:
    async def look(world: World) -> None:
        loop, redis = asyncio.get_running_loop(), world.redis

        async def write(seconds: float) -> float:
            redis.seconds, began = seconds, loop.time()
            await asyncio.to_thread(redis.write, [PART])
            return loop.time() - began

        redis.gone = True
        with pytest.raises(StoreError, match="refused"):
            await write(0.0)
        redis.gone = False
        assert [await write(0.0), round(await write(0.3), 6)] == [0.0, 0.3]
        redis.lose_all()
        with pytest.raises(StoreError, match="timeout"):
            await write(5.0)
        redis.seconds = 0.0
        assert redis.read("CA1") == [ROW], "what is answered too late has been done all the same"

    in_world(look)


def test_a_world_has_a_redis_ahead_of_its_file_where_one_is_wanted() -> None:
    async def stores(world: World) -> int:
        async with world.call(hangs_up()) as call:
            await call.until(lambda: bool(world.store.read("CA1")))
            return len(world.redis.read("CA1"))

    assert in_world(stores) == 0
    assert in_world(stores, redis=True) > 0
