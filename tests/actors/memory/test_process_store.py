"""The store in the process: beside the contract of all stores, its bound."""

from __future__ import annotations

from aybiza.actors.memory.process_store import ProcessStore
from aybiza.actors.memory.store import Wanted
from tests.actors.memory.backings import entries, part


def test_of_too_many_calls_the_oldest_that_are_over_go() -> None:
    store = ProcessStore(most=3)
    end = {"type": "ended", "reason": "hangup"}
    store.write([part("CA0", 1), entries("CA1", end), entries("CA2", end)])
    store.write([part("CA3", 1), part("CA4", 1)])
    assert {record.call_id for record in store.find(Wanted(), 10)} == {"CA0", "CA3", "CA4"}
