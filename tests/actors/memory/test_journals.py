"""The process's copies of the journals: what is written next, and what is given up."""

from __future__ import annotations

from aybiza.actors.memory.journals import Journal, Journals
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
