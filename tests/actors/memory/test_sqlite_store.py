"""The store of the journals: a SQLite file."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aybiza.actors.memory.sqlite_store import Row, SqliteStore, StoreError


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "folder" / "memory.sqlite3")
    yield made
    made.close()


def rows(call_id: str, *numbers: int, **entry: Any) -> list[Row]:
    return [Row(call_id, number, number + 10, 1.5, {"n": number, **entry}) for number in numbers]


def test_rows_come_back_as_they_were_in_their_order(store: SqliteStore) -> None:
    store.write(rows("CA1", 2, 1, 3))
    assert store.read("CA1") == rows("CA1", 1, 2, 3)


def test_a_call_without_a_journal_has_no_rows(store: SqliteStore) -> None:
    store.write(rows("CA1", 1))
    assert store.read("CA2") == []


def test_calls_are_kept_apart(store: SqliteStore) -> None:
    store.write([*rows("CA1", 1), *rows("CA2", 1, 2)])
    assert store.read("CA1") == rows("CA1", 1)
    assert store.read("CA2") == rows("CA2", 1, 2)


def test_writing_again_changes_nothing(store: SqliteStore) -> None:
    store.write(rows("CA1", 1, 2))
    store.write(rows("CA1", 1, 2, 3, other=True))
    assert store.read("CA1") == [*rows("CA1", 1, 2), *rows("CA1", 3, other=True)]


@pytest.mark.parametrize("text", ["", "naïve 電話 🎧", "\ud83d half a pair", "\0 '; DROP TABLE"])
def test_any_text_can_be_kept(store: SqliteStore, text: str) -> None:
    store.write(rows("CA1", 1, text=text))
    assert store.read("CA1") == rows("CA1", 1, text=text)


def test_an_entry_that_is_not_quite_json_does_not_keep_others_from_being_written(
    store: SqliteStore,
) -> None:
    store.write([*rows("CA1", 1, odd=b"\0", why={(1, 2): "x"}), *rows("CA2", 1)])
    assert store.read("CA1") == rows("CA1", 1, odd="b'\\x00'", why={})
    assert store.read("CA2") == rows("CA2", 1)


def test_the_file_outlives_the_store(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite3"
    first = SqliteStore(str(path))
    first.write(rows("CA1", 1))
    first.close()
    first.close()
    second = SqliteStore(path)
    assert second.read("CA1") == rows("CA1", 1)
    second.close()
    assert first.read("CA1") == rows("CA1", 1)
    first.close()


def test_what_was_written_is_there_when_the_process_dies(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite3"
    store = SqliteStore(path)
    store.write(rows("CA1", 1))
    # Another reader sees what a dead process would have left behind.
    other = SqliteStore(path)
    assert other.read("CA1") == rows("CA1", 1)
    other.close()
    store.close()


def test_a_store_in_the_process_leaves_no_file(tmp_path: Path) -> None:
    store = SqliteStore(":memory:")
    store.write(rows("CA1", 1))
    assert store.read("CA1") == rows("CA1", 1)
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_threads_take_turns(store: SqliteStore) -> None:
    threads = [
        threading.Thread(target=store.write, args=(rows(f"CA{n}", *range(1, 50)),))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert all(len(store.read(f"CA{n}")) == 49 for n in range(8))


def test_a_file_that_cannot_be_used_is_named_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("These are some notes, and no database at all; nor will they become one.\n")
    store = SqliteStore(path)
    for use in (lambda: store.write(rows("CA1", 1)), lambda: store.read("CA1")):
        with pytest.raises(StoreError, match=r"notes\.txt: file is not a database"):
            use()


def test_a_folder_that_cannot_be_made_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = SqliteStore(tmp_path / "file" / "memory.sqlite3")
    with pytest.raises(StoreError, match="file"):
        store.read("CA1")


def test_a_store_that_could_not_be_used_works_when_it_can(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite3"
    path.write_text("no database" * 100)
    store = SqliteStore(path)
    with pytest.raises(StoreError):
        store.write(rows("CA1", 1))
    path.unlink()
    store.write(rows("CA1", 1))
    assert store.read("CA1") == rows("CA1", 1)
    store.close()


def test_a_batch_is_written_whole_or_not_at_all(store: SqliteStore, tmp_path: Path) -> None:
    store.write(rows("CA1", 1))
    with sqlite3.connect(tmp_path / "folder" / "memory.sqlite3") as connection:
        connection.execute(
            "CREATE TRIGGER no_three BEFORE INSERT ON journal WHEN new.number = 3"
            " BEGIN SELECT RAISE(ABORT, 'no three'); END"
        )
    connection.close()
    with pytest.raises(StoreError, match="no three"):
        store.write(rows("CA1", 2, 3))
    assert store.read("CA1") == rows("CA1", 1)
