"""The process's copies of the journals: what is written next, and what is given up."""

from __future__ import annotations

from aybiza.actors.memory.journals import Journal, Journals, begin_anew, journals, told
from aybiza.actors.memory.store import UNKNOWN
from aybiza.actors.runtime import VM
from tests.actors.memory.backings import numbers, rows


def test_a_store_is_given_whole_calls_until_they_come_to_a_batch() -> None:
    table = Journals()
    for n in range(4):
        table[f"CA{n}"] = Journal(rows(f"CA{n}", 1, 2, 3))
    table.use(["one", "two"])
    parts = table.parts("one", 4)
    assert [(part.call_id, numbers(part.rows)) for part in parts] == [
        ("CA0", [1, 2, 3]),
        ("CA1", [1, 2, 3]),
    ]
    assert all(part.epoch > 0 for part in parts)


def test_each_store_is_given_what_it_has_not() -> None:
    table = Journals()
    table["CA1"] = Journal(rows("CA1", 1, 2, 3), kept={"one": 2})
    table.use(["one", "two"])
    assert numbers(table.parts("one", 100)[0].rows) == [3]
    assert numbers(table.parts("two", 100)[0].rows) == [1, 2, 3]
    assert table["CA1"].safe == 2


def test_a_copy_that_nobody_goes_on_from_gives_way_to_a_longer_one() -> None:
    old = Journal(rows("CA1", 1, 2), kept={"one": 2})
    old.join(rows("CA1", 1, 2, 3), is_new=True)
    assert old.last == 3
    live = Journal(rows("CA1", 2, 3))
    live.join(rows("CA1", 1, 2, 3, 4, other=True), is_new=True)
    assert [row.entry.get("other") for row in live.rows] == [True, None, None]


def test_only_calls_that_are_over_are_given_up_the_oldest_first() -> None:
    table = Journals()
    for n in range(4):
        table[f"CA{n}"] = Journal(rows(f"CA{n}", 1, 2, 3), over=n > 0)
    assert [call_id for call_id, _ in table.surplus(3)] == ["CA1", "CA2"]
    assert list(table.surplus(9)) == []


def test_a_store_agrees_up_to_the_first_entry_that_is_another() -> None:
    mine = Journal(rows("CA1", 1, 2, 3))
    assert mine.agreed(rows("CA1", 1, 2)) == 2
    assert mine.agreed(rows("CA1", 1, 2, 3, 4)) == 3
    assert mine.agreed([*rows("CA1", 1), *rows("CA1", 2, 3, other=True)]) == 1
    assert mine.agreed([]) == Journal().agreed(rows("CA1", 1)) == 0


def test_a_call_that_no_store_tells_of_goes_on_from_the_whole_copy_that_is_here() -> None:
    vm = VM()
    here = journals(vm)["CA1"] = Journal(rows("CA1", 1, 2, 3), over=True)
    assert begin_anew(vm, "CA1", UNKNOWN) == told(rows("CA1", 1, 2, 3))
    # What a store tells later is not put below what the call has gone on from.
    here.join(rows("CA1", 1, 2, 3, 4, 5), is_new=True)
    assert (numbers(here.rows), here.over) == ([1, 2, 3], False)


def test_a_call_with_a_newer_owner_or_without_its_beginning_begins_anew() -> None:
    vm = VM()
    journals(vm).use(["store"])
    for lost in (Journal(rows("CA1", 1, 2, 3), lost=True), Journal(rows("CA1", 1, 2, 3)[1:])):
        journals(vm)["CA1"] = lost
        journals(vm).waiting["store"]["CA1"] = None
        assert begin_anew(vm, "CA1", UNKNOWN) == []
        assert journals(vm).parts("store", 100) == []


def test_a_call_of_which_a_store_has_all_keeps_no_other_from_it() -> None:
    table = Journals()
    table.use(["store"])
    table["CA1"] = Journal(rows("CA1", 1, 2), kept={"store": 2})
    table["CA2"] = Journal(rows("CA2", 1))
    table.waiting["store"] = dict.fromkeys(table)
    assert [part.call_id for part in table.parts("store", 100)] == ["CA2"]
