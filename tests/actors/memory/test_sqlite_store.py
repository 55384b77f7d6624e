"""The store in a SQLite file: beside the contract of all stores, its file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aybiza.actors.memory.sqlite_store import SqliteStore
from aybiza.actors.memory.store import About, StoreError, Wanted
from tests.actors.memory.backings import OPENED, numbers, part, rows
from tests.slowness import slowness

CALLS = 100_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "folder" / "memory.sqlite3")
    yield made
    made.close()


def test_the_file_outlives_the_store(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite3"
    first = SqliteStore(str(path))
    first.write([part("CA1", 1)])
    first.close()
    second = SqliteStore(path)
    assert second.read("CA1") == rows("CA1", 1)
    second.close()


def test_an_entry_that_is_none_takes_no_others_with_it(store: SqliteStore) -> None:
    store.write([part("CA1", 1, 2, 3)])
    with sqlite3.connect(store.path) as other:
        other.execute("UPDATE journal SET entry = '{\"type\": ' WHERE number = 2")
    other.close()
    found = store.read("CA1")
    assert [row.number for row in found] == [1, 2, 3]
    assert found[0] == rows("CA1", 1)[0]
    assert found[1].entry == {"type": "unreadable"}


@pytest.mark.parametrize("renamed", [True, False])
def test_a_file_that_is_renamed_or_deleted_in_use_gives_way_to_a_new_one(
    tmp_path: Path, renamed: bool
) -> None:
    path = tmp_path / "memory.sqlite3"
    one, other = SqliteStore(path), SqliteStore(path)
    one.write([part("CA1", 1)])
    assert other.read("CA1") == rows("CA1", 1)
    if renamed:
        path.rename(tmp_path / "aside")
    else:
        path.unlink()
    (written,) = one.write([part("CA1", 2)])
    assert (written.outcome, written.last) == ("behind", 0)
    one.write([part("CA1", 1, 2)])
    assert other.read("CA1") == rows("CA1", 1, 2)
    one.close()
    other.close()
    third = SqliteStore(path)
    assert third.read("CA1") == rows("CA1", 1, 2)
    third.close()


def test_a_store_in_the_process_leaves_no_file(tmp_path: Path) -> None:
    store = SqliteStore(":memory:")
    store.write([part("CA1", 1)])
    assert store.read("CA1") == rows("CA1", 1)
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = SqliteStore(tmp_path / "file" / "memory.sqlite3")
    with pytest.raises(StoreError, match="file"):
        store.read("CA1")


def test_a_full_disk_refuses_and_takes_it_all_when_there_is_room(store: SqliteStore) -> None:
    store.write([part("CA1", 1)])
    assert store._connection is not None
    store._connection.execute("PRAGMA max_page_count=1")
    for _ in range(2):
        with pytest.raises(StoreError, match="disk is full"):
            store.write([part("CA2", 1), part("CA1", 2, text="word " * 50_000)])
    assert (store.read("CA1"), store.read("CA2")) == (rows("CA1", 1), [])
    store._connection.execute("PRAGMA max_page_count=1000000")
    store.write([part("CA2", 1), part("CA1", 2, text="word " * 50_000)])
    assert (len(store.read("CA1")), len(store.read("CA2"))) == (2, 1)


def test_a_batch_is_written_whole_or_not_at_all(store: SqliteStore, tmp_path: Path) -> None:
    store.write([part("CA1", 1)])
    with sqlite3.connect(tmp_path / "folder" / "memory.sqlite3") as connection:
        connection.execute(
            "CREATE TRIGGER no_three BEFORE INSERT ON journal WHEN new.number = 3"
            " BEGIN SELECT RAISE(ABORT, 'no three'); END"
        )
    connection.close()
    with pytest.raises(StoreError, match="no three"):
        store.write([part("CA2", 1), part("CA1", 2, 3)])
    assert store.read("CA1") == rows("CA1", 1)
    assert store.read("CA2") == []
    assert store.write([part("CA2", 1)])[0].outcome == "kept"


def test_rows_that_a_node_of_an_older_version_adds_are_part_of_the_journal(
    store: SqliteStore, tmp_path: Path
) -> None:
    store.write([part("CA1", 1)])
    with sqlite3.connect(tmp_path / "folder" / "memory.sqlite3") as connection:
        connection.execute("INSERT OR IGNORE INTO journal VALUES ('CA1', 2, 1, 1.0, '{}')")
    connection.close()
    assert store.write([part("CA1", 3)])[0].outcome == "kept"
    assert numbers(store.read("CA1")) == [1, 2, 3]


def test_nothing_of_a_forgotten_call_is_left_in_the_files(
    store: SqliteStore, tmp_path: Path
) -> None:
    about = About("+15550100", "clinic", "clinic", OPENED)
    store.claim("CA1", 1, about)
    store.write([part("CA1", *range(1, 200), text="my tooth hurts"), part("CA2", 1, text="other")])
    folder = tmp_path / "folder"

    def bytes_there() -> bytes:
        return b"".join(file.read_bytes() for file in folder.iterdir())

    assert b"my tooth hurts" in bytes_there() and b"+15550100" in bytes_there()
    store.forget(["CA1"])
    assert b"my tooth hurts" not in bytes_there() and b"+15550100" not in bytes_there()
    assert store.read("CA2") != []


def test_the_file_grows_smaller_when_calls_are_deleted(store: SqliteStore, tmp_path: Path) -> None:
    about = About(opened=OPENED, expires=OPENED + 1)
    for n in range(100):
        store.claim(f"CA{n}", 1, about)
        store.write([part(f"CA{n}", *range(1, 40), text="word " * 30)])
    file = tmp_path / "folder" / "memory.sqlite3"
    store.close()
    before = file.stat().st_size
    while store.sweep(OPENED + 2):
        pass
    store.close()
    assert file.stat().st_size < before / 4


def test_a_hundred_thousand_calls_are_searched_in_a_moment(
    store: SqliteStore, tmp_path: Path
) -> None:
    store.read("CA1")
    values = [
        (
            f"CA{n}",
            f"+1555{n % 5000:04}",
            f"agent{n % 7}",
            OPENED + n,
            "hangup" if n % 3 else "fault",
        )
        for n in range(CALLS)
    ]
    with sqlite3.connect(tmp_path / "folder" / "memory.sqlite3") as connection:
        insert = "INSERT INTO calls (call_id, caller, agent, opened, outcome) VALUES (?,?,?,?,?)"
        connection.executemany(insert, values)
    connection.close()
    asked = (
        Wanted(caller="+15550042"),
        Wanted(agent="agent3", outcome="fault", since=OPENED + 5000, until=OPENED + 90_000),
        Wanted(outcome="nothing"),
        Wanted(),
    )
    took = []
    for wanted in asked:
        began = time.perf_counter()
        store.find(wanted, 50)
        took.append(time.perf_counter() - began)
    assert len(store.find(asked[0], 50)) == CALLS / 5000
    assert max(took) < 0.05 * slowness()
