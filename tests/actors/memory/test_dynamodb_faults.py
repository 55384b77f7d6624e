"""A DynamoDB that throttles, refuses, fails, hangs or loses answers: the call goes on, the error
says so in time, and when it is over all that was written stands there once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from aybiza.actors import names
from aybiza.actors.memory import dynamodb_store
from aybiza.actors.memory.dynamodb_store import DynamoDbStore
from aybiza.actors.memory.memory_actor import MemoryActor
from aybiza.actors.memory.store import StoreError
from aybiza.actors.runtime import VM
from tests.actors.memory.backings import CREDENTIALS, numbers, part
from tests.actors.memory.faulty_dynamodb import Door, faulty
from tests.actors.memory.kit import keep, load, logged, until

_TABLES = count(1)


@pytest.fixture
def door(dynamodb: str) -> Iterator[Door]:
    with faulty(dynamodb) as made:
        yield made


@pytest.fixture
def store(
    dynamodb: str, door: Door, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[DynamoDbStore]:
    table = f"faults-{next(_TABLES)}"
    behind = DynamoDbStore(table, "us-east-1", dynamodb, CREDENTIALS)
    behind.make_table()
    behind.close()
    if "hanging" in request.node.name:
        monkeypatch.setattr(dynamodb_store, "READ_SECONDS", 1.5)
    made = DynamoDbStore(table, "us-east-1", door.url, CREDENTIALS)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("throttled", "Rate exceeded|ProvisionedThroughput"),
        ("denied", "Invalid token|UnrecognizedClient"),
        ("failing", "Internal server error|InternalServerError"),
        ("hanging", "timeout|timed out"),
        ("lost", "closed"),
    ],
)
def test_a_fault_is_an_error_that_says_so_and_what_is_written_again_stands_there_once(
    store: DynamoDbStore, door: Door, fault: str, why: str
) -> None:
    store.write([part("CA1", 1)])
    door.fault = fault
    with pytest.raises(StoreError, match=f"(?i){why}"):
        store.write([part("CA1", 2, 3)])
    door.fault = ""
    assert store.write([part("CA1", 2, 3)])[0].outcome == "kept"
    assert numbers(store.read("CA1")) == [1, 2, 3]


@pytest.mark.parametrize("fault", ["throttled", "denied", "failing", "hanging", "lost"])
async def test_a_call_goes_on_and_all_of_it_arrives_when_the_fault_is_over(
    store: DynamoDbStore, door: Door, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aybiza.actors.memory.memory_actor.RETRY_SECONDS", 0.02)
    with logged() as logs:
        async with VM("one") as vm:
            await vm.start(MemoryActor, store, name=names.MEMORY)
            assert await load(vm, "CA1", keep=True) == []
            await keep(vm, "CA1", 1, "a")
            door.fault = fault
            asked = door.asked
            # It returns although the store has it not.
            await keep(vm, "CA1", 2, "b")
            await until(lambda: door.asked > asked)
            await keep(vm, "CA1", 3, "c")
            door.fault = ""
            await until(lambda: numbers(store.read("CA1")) == [1, 2, 3])
    assert "memory_dropped" not in {log["event"] for log in logs}


def test_of_two_writers_the_older_is_refused_though_its_answer_was_lost(
    store: DynamoDbStore, door: Door
) -> None:
    store.write([part("CA1", 1, epoch=1)])
    door.fault = "lost"
    with pytest.raises(StoreError):
        store.write([part("CA1", 2, epoch=2)])
    door.fault = ""
    assert store.write([part("CA1", 2, epoch=1)])[0].outcome == "refused"
    assert numbers(store.read("CA1")) == [1, 2]
