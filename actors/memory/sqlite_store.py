"""Where journals are kept: a SQLite file.

Used from worker threads only; one lock makes its calls take turns, so it may be shared by an
actor and the actor's successor. Writing the same entries again changes nothing.

Errors: `StoreError` says which file and why; what could not be written is the caller's to keep.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aybiza.config.private_files import check_private, private_file

BUSY_SECONDS = 5.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS journal (
    call_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    event INTEGER NOT NULL,
    at REAL NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (call_id, number)
) WITHOUT ROWID
"""


class Row(NamedTuple):
    """An entry of a journal: the `number`th of its call, from 1.

    `event`: the number of the line's event it comes from; `at`: unix time; `entry`: a JSON object.
    """

    call_id: str
    number: int
    event: int
    at: float
    entry: dict[str, Any]


class StoreError(Exception):
    """The store cannot be read or written; the text is for people."""


class SqliteStore:
    """The journals of all calls in the file `path`, whose folder is made if need be.

    Files and folder are their owner's alone; one that another user has put there is refused
    (`aybiza.config.private_files`).

    `":memory:"` keeps them in the process.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def write(self, rows: Iterable[Row]) -> None:
        """Keep the rows, all or none; those that are there already are left as they are."""
        values = [(*row[:4], _text(row.entry)) for row in rows]
        with self._using() as connection, connection:
            connection.executemany("INSERT OR IGNORE INTO journal VALUES (?,?,?,?,?)", values)

    def read(self, call_id: str) -> list[Row]:
        """The journal of a call in its order; empty if there is none."""
        with self._using() as connection:
            found = connection.execute(
                "SELECT call_id, number, event, at, entry FROM journal"
                " WHERE call_id = ? ORDER BY number",
                (call_id,),
            ).fetchall()
        return [Row(name, number, event, at, json.loads(e)) for name, number, event, at, e in found]

    def close(self) -> None:
        """Close the file; a later call opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._connection = self._connection or self._open()
                yield self._connection
            except (sqlite3.Error, OSError) as error:
                raise StoreError(f"{self.path}: {error}") from error

    def _own_files(self) -> None:
        # SQLite gives its two other files the mode of the first, but takes those that are there.
        private_file(Path(self.path))
        for name in (f"{self.path}-wal", f"{self.path}-shm", f"{self.path}-journal"):
            with contextlib.suppress(FileNotFoundError):
                check_private(Path(name))

    def _open(self) -> sqlite3.Connection:
        if self.path != ":memory:":
            self._own_files()
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, check_same_thread=False)
        try:
            # A write-ahead log survives the death of the process without a sync for each turn.
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(_SCHEMA)
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def _text(entry: dict[str, Any]) -> str:
    """The entry as JSON; one that is not quite JSON must not keep the others from being written.

    In ASCII: a model's words may hold half a surrogate pair, which SQLite would not take.
    """
    return json.dumps(entry, default=repr, skipkeys=True)
