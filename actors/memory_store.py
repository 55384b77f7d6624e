"""Where journals are kept: a SQLite file.

Used from worker threads only; one lock makes its calls take turns, so it may be shared by an
actor and the actor's successor. Writing the same entries again changes nothing.

Errors: `sqlite3.Error` and `OSError` pass to the caller, who keeps what could not be written.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

# (call, number of the entry in its call from 1, number of the line's event, unix time, entry)
Row: TypeAlias = tuple[str, int, int, float, dict[str, Any]]

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


class SqliteStore:
    """The journals of all calls in the file `path`, whose folder is made if need be.

    `":memory:"` keeps them in the process.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def write(self, rows: Iterable[Row]) -> None:
        """Keep the rows; those that are there already are left as they are."""
        values = [
            (call_id, number, event, at, json.dumps(entry, ensure_ascii=False))
            for call_id, number, event, at, entry in rows
        ]
        with self._lock:
            connection = self._open()
            with connection:
                connection.executemany("INSERT OR IGNORE INTO journal VALUES (?,?,?,?,?)", values)

    def read(self, call_id: str) -> list[Row]:
        """The journal of a call in its order; empty if there is none."""
        with self._lock:
            found = self._open().execute(
                "SELECT call_id, number, event, at, entry FROM journal"
                " WHERE call_id = ? ORDER BY number",
                (call_id,),
            )
            return [(*row[:4], json.loads(row[4])) for row in found.fetchall()]

    def close(self) -> None:
        """Close the file; a later call opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            if self.path != ":memory:":
                Path(self.path).parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=5.0, check_same_thread=False)
            # A write-ahead log survives the death of the process without a sync for each turn.
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(_SCHEMA)
            self._connection = connection
        return self._connection
