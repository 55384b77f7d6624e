"""Journals in a real Redis: beside the contract of all stores, what Redis does on its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from aybiza.actors import names
from aybiza.actors.memory import redis_store
from aybiza.actors.memory.memory_actor import Forget, MemoryActor
from aybiza.actors.memory.redis_store import CALLS, TTL_SECONDS, RedisStore
from aybiza.actors.memory.store import About, StoreError, Wanted
from aybiza.actors.runtime import VM
from tests.actors.memory.backings import OPENED, numbers, part
from tests.actors.memory.kit import held, keep, logged, note, until
from tests.actors.memory.servers import PASSWORD, RedisServer, demoted, lead_to, redis_server
from tests.slowness import slowness


@pytest.fixture
def server(redis: RedisServer) -> RedisServer:
    redis.client.flushall()
    return redis


@pytest.fixture
def store(server: RedisServer) -> Iterator[RedisStore]:
    made = RedisStore(server.url)
    yield made
    made.close()


def test_a_call_stays_for_an_hour_after_its_last_entry(
    store: RedisStore, server: RedisServer
) -> None:
    store.claim("CA1", 1, About(opened=OPENED))
    store.write([part("CA1", 1)])
    keys = ["conv:{CA1}", "conv:{CA1}:head"]
    for key in keys:
        server.client.expire(key, 10)
    store.write([part("CA1", 2)])
    assert [TTL_SECONDS - 5 < server.client.ttl(key) <= TTL_SECONDS for key in keys] == [True] * 2


def test_entries_stand_in_the_list_in_their_order(store: RedisStore, server: RedisServer) -> None:
    store.write([part("CA1", 1, 2), part("CA1", 3)])
    found: Any = server.client.lrange("conv:{CA1}", 0, -1)
    assert [text.split(b",")[0] for text in found] == [b"[1", b"[2", b"[3"]


def test_calls_that_redis_has_let_go_are_taken_off_the_list(
    store: RedisStore, server: RedisServer
) -> None:
    for n in range(3):
        store.claim(f"CA{n}", 1, About(opened=OPENED + n))
    server.client.delete("conv:{CA0}:head")
    assert [one.call_id for one in store.find(Wanted(), 10)] == ["CA2", "CA1"]
    assert store.sweep(OPENED + 10 * TTL_SECONDS) == 1
    assert server.client.zrange(CALLS, 0, -1) == [b"CA1", b"CA2"]


def test_what_was_evicted_in_mid_call_is_asked_for_again(
    store: RedisStore, server: RedisServer
) -> None:
    store.write([part("CA1", 1, 2, 3)])
    server.client.delete("conv:{CA1}")
    (behind,) = store.write([part("CA1", 4)])
    assert (behind.outcome, behind.last) == ("behind", 0)
    assert store.write([part("CA1", 1, 2, 3, 4)])[0].last == 4
    assert numbers(store.read("CA1")) == [1, 2, 3, 4]


def test_a_wrong_password_is_an_error_that_does_not_show_it(server: RedisServer) -> None:
    wrong = RedisStore(server.url.replace(PASSWORD, "g0ssip"))
    with pytest.raises(StoreError, match=r"redis://\(hidden\)@127\.0\.0\.1") as caught:
        wrong.write([part("CA1", 1)])
    assert "g0ssip" not in str(caught.value)
    wrong.close()


def test_a_full_redis_refuses_and_takes_it_all_when_there_is_room(
    store: RedisStore, server: RedisServer
) -> None:
    server.client.config_set("maxmemory", 1)
    try:
        with pytest.raises(StoreError, match="memory"):
            store.write([part("CA1", 1)])
    finally:
        server.client.config_set("maxmemory", 0)
    assert store.write([part("CA1", 1)])[0].outcome == "kept"


def test_a_redis_that_hangs_is_left_in_time(
    store: RedisStore, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.close()
    monkeypatch.setattr(redis_store, "READ_SECONDS", 0.05)
    quick = RedisStore(server.url)
    quick.write([part("CA1", 1)])
    server.freeze()
    try:
        with pytest.raises(StoreError):
            quick.write([part("CA1", 2)])
    finally:
        server.thaw()
    assert quick.write([part("CA1", 2)])[0].last == 2
    assert numbers(quick.read("CA1")) == [1, 2]
    quick.close()


def test_a_server_that_is_no_longer_the_first_is_left_for_the_one_that_its_name_leads_to(
    store: RedisStore, server: RedisServer, tmp_path: Path
) -> None:
    with redis_server(tmp_path) as promoted, demoted(server, promoted.port):
        store.read("CA1")
        lead_to(store._redis.connection_pool, promoted.port)
        with pytest.raises(StoreError, match="read only"):
            store.write([part("CA1", 1)])
        assert store.write([part("CA1", 1)])[0].outcome == "kept"
        assert promoted.client.llen("conv:{CA1}") == 1
        store.close()


async def test_a_redis_that_is_killed_and_comes_back_empty_gets_the_calls_that_go_on(
    store: RedisStore, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aybiza.actors.memory.memory_actor.RETRY_SECONDS", 0.02)
    with logged() as logs:
        async with VM() as vm:
            await vm.start(MemoryActor, store, name=names.MEMORY)
            await keep(vm, "CA1", 1, "a", "b")
            for number in range(3, 40):
                note(vm, "CA1", number, "in the midst of it")
                if number == 10:
                    # While a batch is on its way.
                    await asyncio.sleep(0.011)
                    await asyncio.to_thread(server.kill)
            began = vm.now()
            await keep(vm, "CA1", 40, "without Redis")
            assert vm.now() - began < 1.0 * slowness()
            await asyncio.to_thread(server.start)
            await until(lambda: len(store.read("CA1")) == 40)
            vm.cast(names.MEMORY, Forget("CA1"))
            await until(lambda: held(vm) == set())
    assert "memory_not_written" in {log["event"] for log in logs}
    assert "memory_dropped" not in {log["event"] for log in logs}


def test_a_turn_s_entries_are_written_in_a_fraction_of_a_millisecond(store: RedisStore) -> None:
    took = []
    for number in range(1, 201):
        began = time.perf_counter()
        store.write([part("CA1", number)])
        took.append(time.perf_counter() - began)
    assert median(took) < 0.003 * slowness()
