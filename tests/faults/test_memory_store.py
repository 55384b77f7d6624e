"""The store of a world keeps journals, unless its disk is full."""

import pytest

from aybiza.actors.memory.store import Part, Row, StoreError
from aybiza.faults.memory_store import MemoryStore

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
