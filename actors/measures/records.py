"""`Records`: what turns were like, what was charged for, how calls ended, in a SQLite file.

    child(MetricsSink, Records(path, node="vm-1", days=90))
    with reading(path) as connection: …                      for `aybiza report` and `aybiza costs`

The file outlives nodes and their restarts; all nodes of a machine write to the same one, a batch a
second and in a thread, so a node that is killed has lost the last second at most. No word and no
number of a caller stands in it. What is older than `days` is removed. Rows are added only: a column
that a later version adds is empty in older rows.

Errors: a file that is busy, full or away is tried again (`SinkError`); one that cannot be read is
set aside as `….damaged` and a new one begun, as in place of one that is deleted or renamed.
`RecordsError` for who reads, for people.
Source: specification 000, section 4 and "Phase 5"; SQLite, "Write-Ahead Logging".
"""

from __future__ import annotations

import contextlib
import math
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final

import structlog

from aybiza.actors.measures import events, turn_fold
from aybiza.actors.measures.exported import plain
from aybiza.actors.measures.metrics_sink import SinkError
from aybiza.actors.measures.turn_fold import STAGES, TurnFold, TurnRecord
from aybiza.actors.runtime.telemetry import Event
from aybiza.config.private_files import check_private, in_turn, is_at, private_file

NAME: Final = "records.sqlite3"
"""The file, in the folder of the memory's."""

BUSY_SECONDS: Final = 5.0
PRUNE_SECONDS: Final = 3_600.0
_DAY: Final = 86_400.0

TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "calls": {
        "at": "REAL NOT NULL",
        "node": "TEXT",
        "call_id": "TEXT",
        "tenant": "TEXT",
        "agent": "TEXT",
        "country": "TEXT",
        "carrier": "TEXT",
        "outcome": "TEXT",
        "turns": "INTEGER",
        "seconds": "REAL",
        "micro_usd": "INTEGER",
    },
    "turns": {
        "at": "REAL NOT NULL",
        "node": "TEXT",
        "call_id": "TEXT",
        "turn": "INTEGER",
        "tenant": "TEXT",
        "agent": "TEXT",
        "country": "TEXT",
        "model": "TEXT",
        "region": "TEXT",
        "outcome": "TEXT",
        "stop_reason": "TEXT",
        "cache": "TEXT",
        "optimal": "TEXT",
        "rule": "TEXT",
        "experiment": "TEXT",
        "arm": "TEXT",
        "complexity": "REAL",
        "edge_ms": "REAL",
        "total_ms": "REAL",
        "micro_usd": "INTEGER",
        "optimal_micro_usd": "INTEGER",
        **dict.fromkeys(STAGES, "REAL"),
    },
    "charges": {
        "at": "REAL NOT NULL",
        "node": "TEXT",
        "call_id": "TEXT",
        "turn": "INTEGER",
        "tenant": "TEXT",
        "agent": "TEXT",
        "what": "TEXT",
        "model": "TEXT",
        "region": "TEXT",
        "quantity": "REAL",
        "estimated": "INTEGER",
        "input_tokens": "INTEGER",
        "output_tokens": "INTEGER",
        "cache_read_tokens": "INTEGER",
        "cache_write_tokens": "INTEGER",
        "micro_usd": "INTEGER NOT NULL",
    },
}
"""The columns of each table. Times are unix times; stages are seconds from the end of the caller's
voice; amounts are micro-USD."""

Item = tuple[str, dict[str, Any]]

_OF_THE_ROWS: Final = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
"""Errors that the same rows would meet again."""

log = structlog.get_logger(__name__)


class RecordsError(Exception):
    """The records cannot be read; the text is for people."""


class Records:
    """See the module. `hear` is for the loop, the rest for threads."""

    name: ClassVar[str] = "records"
    events: ClassVar[Sequence[Event]] = (*turn_fold.EVENTS, events.COST)
    seconds: ClassVar[float | None] = 1.0

    def __init__(self, path: Path, *, node: str, days: int) -> None:
        self.path = path
        self._node = node
        self._days = days
        self._fold = TurnFold()
        self._calls: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._pruned = -math.inf

    def hear(
        self, event: Event, measured: Mapping[str, Any], told: Mapping[str, Any], at: float
    ) -> Iterator[Item]:
        """The rows of an event."""
        about = {"at": at, "node": self._node}
        if event == events.COST:
            yield "charges", {**about, **measured, **told}
        elif event == events.CALL_START:
            self._calls[told["call_id"]] = dict(told)
            if len(self._calls) > turn_fold.MAX_CALLS:
                del self._calls[next(iter(self._calls))]
        elif event == events.CALL_STOP:
            began = self._calls.pop(told["call_id"], {})
            yield "calls", {**about, **began, **measured, **told}
        for turn in self._fold.hear(event, measured, told, at):
            yield "turns", {**about, **_row(turn)}

    def put(self, batch: Sequence[Item]) -> None:
        """Write a batch, all of it or none. Raises SinkError."""
        with self._lock:
            try:
                if self._connection is not None and not is_at(self.path, self._inode):
                    log.warning("records_file_gone", path=str(self.path))
                    self._close()
                connection = self._connection = self._connection or self._open()
                with connection:
                    for table, columns in TABLES.items():
                        rows = [
                            [plain(row.get(column)) for column in columns]
                            for name, row in batch
                            if name == table
                        ]
                        marks = ", ".join("?" * len(columns))
                        connection.executemany(
                            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows
                        )
                self._prune(connection)
            except (sqlite3.Error, OSError) as error:
                self._close()
                if _is_damaged(error):
                    self._set_aside()
                again = not isinstance(error, _OF_THE_ROWS)
                raise SinkError(f"{self.path}: {error}", again=again) from None

    def close(self) -> None:
        """Close the file; a later batch opens it again."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        private_file(self.path)
        self._inode = self.path.stat().st_ino
        for suffix in ("-wal", "-shm", "-journal"):
            with contextlib.suppress(FileNotFoundError):
                check_private(self.path.with_name(self.path.name + suffix))
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            with connection:
                _lay(connection)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _prune(self, connection: sqlite3.Connection) -> None:
        if time.monotonic() - self._pruned < PRUNE_SECONDS:
            return
        self._pruned, now = time.monotonic(), time.time()
        with connection:
            for table in TABLES:
                connection.execute(f"DELETE FROM {table} WHERE at < ?", (now - self._days * _DAY,))

    def _set_aside(self) -> None:
        aside = self.path.with_name(f"{self.path.name}.damaged")
        with contextlib.suppress(OSError), in_turn(self.path.parent):
            if not is_at(self.path, self._inode):
                return
            os.replace(self.path, aside)
            for suffix in ("-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        log.error("records_not_readable", path=str(self.path), set_aside=str(aside))


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """The records for reading, while nodes go on writing. Raises RecordsError."""
    if not path.exists():
        raise RecordsError(
            f"{path}: there are no records yet; a node writes them while it carries calls"
        )
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=BUSY_SECONDS)
    except sqlite3.Error as error:
        raise RecordsError(f"{path}: {error}") from None
    try:
        connection.row_factory = sqlite3.Row
        yield connection
    except sqlite3.Error as error:
        raise RecordsError(f"{path}: {error}") from None
    finally:
        connection.close()


def file_of(connection: sqlite3.Connection) -> str | None:
    """Which file it is, wherever it stands; None for one that no node of this version wrote to."""
    if not connection.execute("PRAGMA table_info(about)").fetchall():
        return None
    row = connection.execute("SELECT file FROM about").fetchone()
    return None if row is None else str(row[0])


def _lay(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS about (file TEXT NOT NULL)")
    connection.execute(
        "INSERT INTO about SELECT lower(hex(randomblob(16))) WHERE NOT EXISTS (SELECT 1 FROM about)"
    )
    for table, columns in TABLES.items():
        laid = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({laid})")
        connection.execute(f"CREATE INDEX IF NOT EXISTS {table}_at ON {table} (at)")
        there = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        for name, kind in columns.items():
            if name not in there:
                added = kind.removesuffix(" NOT NULL")
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {added}")


def _is_damaged(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _row(turn: TurnRecord) -> dict[str, Any]:
    return {
        **turn.about,
        **turn.stages,
        "at": turn.over_at,
        "call_id": turn.call_id,
        "turn": turn.turn,
        "outcome": turn.outcome,
    }
