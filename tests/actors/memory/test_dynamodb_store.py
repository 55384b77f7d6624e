"""Journals in DynamoDB, as moto has it: beside the contract of all stores, its limits and its pair
with Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aybiza.actors import names
from aybiza.actors.memory import dynamodb_store
from aybiza.actors.memory.dynamodb_store import ROWS, DynamoDbStore
from aybiza.actors.memory.memory_actor import Forget, MemoryActor
from aybiza.actors.memory.redis_store import RedisStore
from aybiza.actors.memory.store import StoreError
from aybiza.actors.runtime import VM
from aybiza.config.ports import free_port
from tests.actors.memory.backings import CREDENTIALS, Backing, backing, numbers, part, rows
from tests.actors.memory.kit import held, keep, load, logged, until
from tests.actors.memory.servers import RedisServer
from tests.slowness import slowness


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backing]:
    made = backing("dynamodb", tmp_path, request)
    yield made
    made.close()


def test_a_part_that_is_longer_than_a_transaction_is_written_in_pieces(place: Backing) -> None:
    store = place.store()
    assert store.write([part("CA1", *range(1, ROWS + 3))])[0].last == ROWS + 2
    assert numbers(store.read("CA1")) == list(range(1, ROWS + 3))


def test_what_a_node_remembers_of_a_call_that_others_have_written_to_costs_nothing(
    place: Backing,
) -> None:
    one, two = place.store(), place.store()
    one.write([part("CA1", 1)])
    two.write([part("CA1", 2)])
    assert one.write([part("CA1", 2, 3)])[0].last == 3
    assert two.write([part("CA1", 3)])[0] == ("CA1", "kept", 1, 3)
    two.forget(["CA1"])
    assert one.write([part("CA1", 4)])[0].outcome == "behind"
    assert one.write([part("CA1", 1, 2, 3, 4)])[0].outcome == "kept"
    assert one.read("CA1") == rows("CA1", 1, 2, 3, 4)


def test_an_entry_that_no_item_can_hold_is_left_out_and_the_others_are_kept(
    place: Backing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dynamodb_store, "ENTRY_BYTES", 100)
    store = place.store()
    store.write([part("CA1", 1, text="x" * 200), part("CA1", 2)])
    first, second = store.read("CA1")
    assert first.entry["type"] == "left_out" and first.entry["bytes"] > 200
    assert second.entry == {"n": 2}


def test_a_table_that_is_not_there_is_told_with_the_command_that_makes_it(dynamodb: str) -> None:
    store = DynamoDbStore("nothing", "us-east-1", dynamodb, CREDENTIALS)
    with pytest.raises(StoreError, match="table nothing: there is no such table: make it with"):
        store.write([part("CA1", 1)])
    store.close()


def test_a_dynamodb_that_cannot_be_reached_is_an_error_at_once() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    store = DynamoDbStore("conversations", "us-east-1", url, CREDENTIALS)
    began = time.monotonic()
    with pytest.raises(StoreError, match="table conversations: Could not connect"):
        store.read("CA1")
    assert time.monotonic() - began < 5.0 * slowness()
    store.close()


async def test_redis_and_dynamodb_together_lose_nothing_when_redis_is_away_or_has_forgotten(
    place: Backing, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aybiza.actors.memory.memory_actor.RETRY_SECONDS", 0.02)
    monkeypatch.setattr("aybiza.actors.memory.memory_actor.DURABLE_SECONDS", 30.0)
    redis.client.flushall()
    fast, lasting = RedisStore(redis.url), place.store()
    with logged() as logs:
        async with VM("one") as one, VM("two") as two:
            await one.start(MemoryActor, fast, lasting, name=names.MEMORY)
            assert await load(one, "CA1", keep=True) == []
            await keep(one, "CA1", 1, "a", "b")
            redis.kill()
            await keep(one, "CA1", 3, "c")
            await until(lambda: len(lasting.read("CA1")) == 3)
            redis.start()
            await keep(one, "CA1", 4, "d")
            await until(lambda: len(fast.read("CA1")) == 4)
            one.cast(names.MEMORY, Forget("CA1"))
            await until(lambda: held(one) == set())
            # An hour later.
            redis.client.flushall()
            await two.start(MemoryActor, fast, lasting, name=names.MEMORY)
            assert await load(two, "CA1", keep=True) == ["a", "b", "c", "d"]
            await keep(two, "CA1", 5, "e")
            await until(lambda: len(fast.read("CA1")) == len(lasting.read("CA1")) == 5)
    assert "memory_dropped" not in {log["event"] for log in logs}
    fast.close()
