"""A SQLite file that is broken is set aside; one of an older version is migrated, with a copy."""

from __future__ import annotations

import json
import sqlite3
import stat
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from aybiza.actors.memory import sqlite_file
from aybiza.actors.memory.sqlite_file import copies, looked_at, set_aside
from aybiza.actors.memory.sqlite_store import SqliteStore
from aybiza.actors.memory.store import StoreError, Wanted
from tests.actors.memory.backings import part, rows

OLD_SCHEMA = """
CREATE TABLE journal (
    call_id TEXT NOT NULL, number INTEGER NOT NULL, event INTEGER NOT NULL, at REAL NOT NULL,
    entry TEXT NOT NULL, PRIMARY KEY (call_id, number)
) WITHOUT ROWID
"""


def old_file(path: Path) -> None:
    turn = json.dumps({"type": "caller_turn", "turn": 4, "text": "Hello."})
    end = json.dumps({"type": "ended", "reason": "goodbye"})
    with sqlite3.connect(path) as connection:
        connection.execute(OLD_SCHEMA)
        values = [("CA1", 1, 1, 10.0, turn), ("CA1", 2, 2, 20.0, end), ("CA2", 1, 1, 30.0, turn)]
        connection.executemany("INSERT INTO journal VALUES (?,?,?,?,?)", values)
    connection.close()


def test_a_file_that_is_no_database_is_set_aside_with_a_clear_error_and_a_new_one_begins(
    tmp_path: Path,
) -> None:
    path = tmp_path / "memory.sqlite3"
    path.write_text("no database" * 100)
    store = SqliteStore(path)
    with (
        capture_logs() as logs,
        pytest.raises(StoreError, match=r"memory\.sqlite3: file is not a database; set aside as"),
    ):
        store.write([part("CA1", 1)])
    (copy,) = copies(str(path))
    assert [(log["event"], log["kept_as"]) for log in logs] == [("memory_set_aside", copy)]
    assert Path(copy).read_text().startswith("no database")
    store.write([part("CA1", 1)])
    assert store.read("CA1") == rows("CA1", 1)
    store.close()


def test_a_file_that_is_damaged_while_it_is_open_is_set_aside_too(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite3"
    store = SqliteStore(path)
    store.write([part("CA1", *range(1, 400), text="word " * 50)])
    store.close()
    damaged = bytearray(path.read_bytes())
    damaged[4096 * 3 :] = b"\xff" * len(damaged[4096 * 3 :])
    path.write_bytes(bytes(damaged))
    with capture_logs(), pytest.raises(StoreError, match="malformed; set aside as"):
        store.read("CA1")
    assert store.write([part("CA1", 1)])[0].outcome == "kept"
    assert len(copies(str(path))) == 1
    store.close()


def test_of_nodes_that_find_the_same_damage_one_sets_the_file_aside(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite3"
    path.write_text("no database" * 100)
    inode = path.stat().st_ino
    store = SqliteStore(path)
    with capture_logs(), pytest.raises(StoreError):
        store.read("CA1")
    store.write([part("CA1", 1)])
    assert set_aside(str(path), inode) == "another node has set it aside"
    assert store.read("CA1") == rows("CA1", 1)
    store.close()


def test_an_older_file_is_migrated_and_a_copy_stays_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite3"
    old_file(path)
    store = SqliteStore(path)
    with capture_logs() as logs:
        assert [row.entry["type"] for row in store.read("CA1")] == ["caller_turn", "ended"]
    (copy,) = copies(str(path))
    assert [log["event"] for log in logs] == ["memory_migrated"]
    assert stat.S_IMODE(Path(copy).stat().st_mode) == 0o600
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT count(*) FROM journal").fetchone() == (3,)
    connection.close()
    found = {one.call_id: one for one in store.find(Wanted(), 10)}
    assert (found["CA1"].opened, found["CA1"].updated) == (10.0, 20.0)
    assert (found["CA1"].outcome, found["CA1"].turns) == ("goodbye", 4)
    assert found["CA2"].outcome == ""
    assert store.write([part("CA2", 2, epoch=5)])[0].outcome == "kept"
    store.close()
    again = SqliteStore(path)
    again.read("CA1")
    assert len(copies(str(path))) == 1
    again.close()


def test_an_older_file_is_migrated_though_an_entry_in_it_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite3"
    old_file(path)
    odd = json.dumps({"type": "caller_turn", "turn": {"of": 2}})
    with sqlite3.connect(path) as connection:
        values = [("CA2", 2, 2, 31.0, '{"type": "ca'), ("CA3", 1, 1, 40.0, odd)]
        connection.executemany("INSERT INTO journal VALUES (?,?,?,?,?)", values)
    connection.close()
    store = SqliteStore(path)
    with capture_logs():
        found = {one.call_id: (one.opened, one.turns) for one in store.find(Wanted(), 10)}
    assert found == {"CA1": (10.0, 4), "CA2": (30.0, 4), "CA3": (40.0, 0)}
    # The call in progress goes on behind the entry that is lost.
    assert store.write([part("CA2", 3, epoch=5)])[0].outcome == "kept"
    kinds = [row.entry.get("type") for row in store.read("CA2")]
    assert kinds[:2] == ["caller_turn", "unreadable"] and len(kinds) == 3
    store.close()


def test_migrations_that_fail_leave_the_file_and_no_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "memory.sqlite3"
    old_file(path)
    store = SqliteStore(path)
    with monkeypatch.context() as patch, capture_logs() as logs:
        patch.setattr(sqlite_file, "_FILL", "INSERT INTO nowhere VALUES (1)")
        for _ in range(2):
            with pytest.raises(StoreError, match="no such table: nowhere"):
                store.read("CA1")
    assert (copies(str(path)), logs) == ([], [])
    with capture_logs():
        assert len(store.read("CA1")) == 2
    assert len(copies(str(path))) == 1
    store.close()


def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    store = SqliteStore(path)
    with pytest.raises(StoreError, match="made by a newer version of aybiza"):
        store.write([part("CA1", 1)])
    assert copies(str(path)) == []


def test_a_file_is_looked_at_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite3"
    assert looked_at(str(path)) == ("made at the first start", True)
    old_file(path)
    assert looked_at(str(path)) == ("a node migrates it at its start", True)
    store = SqliteStore(path)
    with capture_logs():
        store.read("CA1")
    store.close()
    assert looked_at(str(path)) == ("can be read", True)
    path.write_text("no database" * 100)
    says, good = looked_at(str(path))
    assert not good and says.startswith("file is not a database")
    assert path.read_text() == "no database" * 100


def test_a_file_is_read_while_its_disk_is_full(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite3"
    first = SqliteStore(path)
    first.write([part("CA1", 1)])
    file = sqlite3.connect(path, isolation_level=None)
    # Whoever would write finds the file taken, as if there were no room.
    file.execute("BEGIN IMMEDIATE")
    second = SqliteStore(path)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("aybiza.actors.memory.sqlite_file.BUSY_SECONDS", 0.0)
            assert second.read("CA1") == rows("CA1", 1)
    finally:
        file.close()
        first.close()
        second.close()
