"""Calls of several stores: found once, read from where there is more, forgotten everywhere."""

from __future__ import annotations

import pytest

from aybiza.actors.memory import calls
from aybiza.actors.memory.calls import GOES_ON_SECONDS, Calls
from aybiza.actors.memory.process_store import ProcessStore
from aybiza.actors.memory.store import About, CallRecord, StoreError, Wanted
from tests.actors.memory.backings import OPENED, entries, numbers, part

ANN = About("+15550100", "desk", "desk", OPENED)
BOB = ANN._replace(caller="+15550101", opened=OPENED + 1)
END = {"type": "ended", "reason": "hangup"}
LATER = OPENED + GOES_ON_SECONDS + 1000


class Broken(ProcessStore):
    """A store that nobody can read."""

    def find(self, wanted: Wanted, limit: int) -> list[CallRecord]:
        raise StoreError("broken: nobody is there")


def stores() -> tuple[ProcessStore, ProcessStore]:
    fast, lasting = ProcessStore(), ProcessStore()
    fast.name, lasting.name = "fast", "lasting"
    for store in (fast, lasting):
        store.claim("CA1", 1, ANN)
        store.claim("CA2", 1, BOB)
        store.write([entries("CA2", END)])
    fast.write([part("CA1", 1)])
    lasting.write([part("CA1", 1, 2, 3)])
    return fast, lasting


def test_a_call_in_two_stores_is_found_once_and_read_where_there_is_more() -> None:
    found = Calls(stores())
    assert [record.call_id for record in found.find(Wanted())] == ["CA2", "CA1"]
    assert [record.call_id for record in found.find(Wanted(), 1)] == ["CA2"]
    assert numbers(found.read("CA1")) == [1, 2, 3]
    assert found.read("CA7") == []


def test_of_stores_those_that_can_be_read_tell_what_they_have() -> None:
    _, lasting = stores()
    found = Calls([Broken(), lasting])
    assert [record.call_id for record in found.find(Wanted())] == ["CA2", "CA1"]
    assert numbers(found.read("CA1")) == [1, 2, 3]
    assert found.failed == {"memory of the process": "broken: nobody is there"}
    with pytest.raises(StoreError, match="nobody is there"):
        Calls([Broken()]).find(Wanted())


def test_a_caller_is_forgotten_in_every_store_and_the_others_stay() -> None:
    fast, lasting = stores()
    lasting.write([entries("CA1", END, first=4)])
    told = Calls([fast, lasting]).forget("+15550100", LATER)
    assert (told.gone, told.failed, told.going_on) == ({"fast": 1, "lasting": 1}, {}, [])
    for store in (fast, lasting):
        assert store.read("CA1") == []
        assert [record.call_id for record in store.find(Wanted(), 10)] == ["CA2"]


@pytest.mark.parametrize("kept", ["+15550100", "15550100", "0015550100"])
def test_a_caller_is_forgotten_however_a_switch_has_told_the_number(kept: str) -> None:
    store = ProcessStore()
    store.claim("CA1", 1, ANN._replace(caller=kept))
    store.write([part("CA1", 1), entries("CA1", END, first=2)])
    told = Calls([store]).forget("+1 555 0100", LATER)
    assert (told.call_ids, told.failed, store.read("CA1")) == (["CA1"], {}, [])


@pytest.mark.parametrize(
    "written",
    [
        *("+1 (555) 0100", " 1-555-0100", "+1 555\u20110100", "15550100", "00 1 555 0100"),
        *("\u202a+1 555 0100\u202c", "+1 (0)555 0100", "001 (0) 555-0100"),
    ],
)
def test_a_caller_is_found_and_forgotten_however_the_number_is_written(written: str) -> None:
    fast, lasting = stores()
    found = Calls([fast, lasting])
    assert [record.call_id for record in found.find(Wanted(caller=written))] == ["CA1"]
    told = found.forget(written, LATER)
    assert (told.gone, told.failed) == ({"fast": 1, "lasting": 1}, {})
    assert fast.read("CA1") == lasting.read("CA1") == []


def test_a_store_that_knows_a_call_without_its_caller_forgets_it_too() -> None:
    fast, lasting = ProcessStore(), ProcessStore()
    fast.claim("CA1", 1, ANN)
    lasting.write([part("CA1", 1)])
    Calls([fast, lasting]).forget("+15550100", LATER)
    assert lasting.find(Wanted(), 10) == []


def test_a_store_that_cannot_be_had_is_named_and_the_others_forget() -> None:
    _, lasting = stores()
    told = Calls([Broken(), lasting]).forget("+15550100", LATER)
    assert told.failed == {"memory of the process": "broken: nobody is there"}
    assert told.gone == {"lasting": 1}


def test_a_call_that_goes_on_is_named() -> None:
    told = Calls(stores()).forget("+15550100", OPENED + 10)
    assert told.going_on == ["CA1"]


class Late(ProcessStore):
    """A store whose list follows a moment later, or never."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._left = looks
        self._gone: list[CallRecord] = []

    def find(self, wanted: Wanted, limit: int) -> list[CallRecord]:
        found = super().find(wanted, limit)
        if found:
            self._gone = found
            return found
        self._left -= 1
        return self._gone if self._left >= 0 else []


def test_a_list_that_follows_late_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "PAUSES", (0.0, 0.0, 0.0))
    for looks, failed in ((1, set()), (9, {"memory of the process"})):
        store = Late(looks)
        store.claim("CA1", 1, ANN)
        assert set(Calls([store]).forget("+15550100", LATER).failed) == failed
