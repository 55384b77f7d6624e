"""Requests a minute of an address: here, over Redis, and when Redis is away; bounded always."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from aybiza.config.ports import free_port
from aybiza.gateway.admission import rate_limit
from aybiza.gateway.admission.rate_limit import ADDRESSES, MINUTE, AddressTable, RateLimit
from tests.gateway.admission.redis_double import redis_double

DEAD = "redis://:s3cret@127.0.0.1:1/0"


class Clock:
    """A clock that is set by hand."""

    now = 1_760_000_000.0

    def __call__(self) -> float:
        return self.now


async def test_beyond_the_limit_it_tells_how_long_to_wait() -> None:
    clock = Clock()
    limit = RateLimit(3, clock=clock)
    assert [await limit.hit("a") for _ in range(3)] == [None] * 3
    clock.now += 20
    assert await limit.hit("a") == MINUTE - 20
    assert await limit.hit("b") is None
    clock.now += MINUTE - 20
    assert await limit.hit("a") is None


async def test_requests_that_were_refused_do_not_make_the_wait_longer() -> None:
    clock = Clock()
    limit = RateLimit(1, clock=clock)
    await limit.hit("a")
    for _ in range(MINUTE - 1):
        clock.now += 1
        assert await limit.hit("a") is not None
    clock.now += 1
    assert await limit.hit("a") is None


async def test_without_a_limit_nothing_is_counted() -> None:
    limit = RateLimit(0, DEAD)
    assert [await limit.hit("a") for _ in range(1000)] == [None] * 1000
    assert len(limit.table) == 0
    await limit.aclose()


async def test_an_attack_from_many_addresses_keeps_its_bound_and_costs_the_same_each_time() -> None:
    limit = RateLimit(100)
    for number in range(ADDRESSES + 5_000):
        await limit.hit(str(number))
    assert len(limit.table) == ADDRESSES
    assert await limit.table.get("LIMITER/0/100/1/minute") == 0


async def test_a_clock_that_is_put_back_shuts_nobody_out() -> None:
    clock = Clock()
    limit = RateLimit(1, clock=clock)
    await limit.hit("a")
    clock.now -= 3600
    assert await limit.hit("a") is None
    assert await limit.hit("a") == MINUTE


async def test_the_table_is_a_storage_of_the_library() -> None:
    table = AddressTable(most=2)
    assert [await table.incr("a", 60), await table.incr("a", 60, 2)] == [1, 3]
    assert await table.check()
    await table.clear("a")
    assert await table.get("a") == 0
    await table.incr("b", 60)
    assert await table.reset() == 1


@pytest.fixture(params=["double", "redis-server"])
async def redis(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a server."""
    if request.param == "double":
        async with redis_double() as double:
            yield double.url
        return
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed; the double has to do")
    port = free_port()
    options = ["--port", str(port), "--save", "", "--requirepass", "s3cret", "--dir", str(tmp_path)]
    quiet = asyncio.subprocess.DEVNULL
    server = await asyncio.create_subprocess_exec("redis-server", *options, stdout=quiet)
    try:
        async with asyncio.timeout(60):
            await _listens(port)
        yield f"redis://:s3cret@127.0.0.1:{port}/0"
    finally:
        server.terminate()
        await server.wait()


async def _listens(port: int) -> None:
    while True:
        try:
            return (await asyncio.open_connection("127.0.0.1", port))[1].close()
        except OSError:
            await asyncio.sleep(0.01)


async def test_nodes_with_the_same_redis_count_together(
    redis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit, "REDIS_SECONDS", 5.0)
    one, other = RateLimit(3, redis), RateLimit(3, redis)
    assert [await one.hit("a"), await other.hit("a"), await one.hit("a")] == [None] * 3
    wait = await other.hit("a")
    assert wait is not None
    assert MINUTE - 5 < wait <= MINUTE
    assert await other.hit("b") is None
    await one.aclose()
    await other.aclose()


async def test_without_redis_a_node_counts_alone_and_says_so_once_a_minute() -> None:
    timer = Clock()
    limit = RateLimit(500, DEAD, timer=timer)
    with capture_logs() as logs:
        for _ in range(20):
            assert await limit.hit("a") is None
            timer.now += 5.0
    assert [line["event"] for line in logs] == ["rate_limit_alone"] * 2
    assert "s3cret" not in repr(logs)
    await limit.aclose()


async def test_what_was_counted_before_redis_went_away_still_counts() -> None:
    async with redis_double() as double:
        limit = RateLimit(3, double.url)
        assert [await limit.hit("a") for _ in range(2)] == [None, None]
        double.silent = True
        assert await limit.hit("a") is None
        assert await limit.hit("a") is not None
        await limit.aclose()


async def test_a_redis_that_does_not_answer_is_waited_for_once_in_a_while() -> None:
    async with redis_double() as double:
        double.silent = True
        limit = RateLimit(1000, double.url)
        began = time.monotonic()
        for _ in range(500):
            assert await limit.hit("a") is None
        assert time.monotonic() - began < 500 * rate_limit.REDIS_SECONDS / 10
        await limit.aclose()


async def test_redis_is_asked_nothing_for_who_is_beyond_the_limit_here() -> None:
    async with redis_double() as double:
        limit = RateLimit(2, double.url)
        for _ in range(50):
            await limit.hit("a")
        assert sum(double.counts.values()) == 2
        assert double.passwords == {"s3cret"}
        await limit.aclose()
