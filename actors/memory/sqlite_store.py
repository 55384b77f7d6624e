"""Journals in a SQLite file, which the nodes of a machine share.

Used from worker threads only; one lock makes its calls take turns, so it may be shared by an actor
and the actor's successor. How the file is opened, migrated and set aside when it is broken is told
in `aybiza.actors.memory.sqlite_file`. Deleted rows are overwritten and leave the file. A
file that is deleted or renamed while it is in use gives way to a new one.

Errors: `StoreError` says which file and why.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import structlog

from aybiza.actors.memory.sqlite_file import DAMAGED, IN_PROCESS, is_broken, opened, set_aside
from aybiza.actors.memory.store import (
    About,
    CallRecord,
    Claimed,
    Head,
    Part,
    Row,
    StoreError,
    Wanted,
    Written,
    dumps,
    entry_of,
    placed,
    told_by,
)
from aybiza.config.private_files import is_at
from aybiza.config.settings import Settings

log = structlog.get_logger(__name__)

SWEEP_CALLS: Final = 200
FREED_PAGES: Final = 1000

_CLAIM = """
INSERT INTO calls (call_id, epoch, caller, agent, tenant, opened, expires)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (call_id) DO UPDATE SET
    epoch = max(epoch + 1, excluded.epoch),
    caller = iif(agent = '', excluded.caller, caller),
    tenant = iif(agent = '', excluded.tenant, tenant),
    opened = iif(agent = '', excluded.opened, opened),
    expires = iif(agent = '', excluded.expires, expires),
    agent = iif(agent = '', excluded.agent, agent)
RETURNING epoch
"""
_UPDATE = """
UPDATE calls SET epoch = ?, updated = max(updated, ?), outcome = coalesce(?, outcome),
    turns = coalesce(?, turns) WHERE call_id = ?
"""
_RECORD = "call_id, caller, agent, tenant, opened, max(updated, opened), outcome, turns, expires"
_WANTED: Final = {
    "caller": "caller = ?",
    "agent": "agent = ?",
    "outcome": "outcome = ?",
    "since": "opened >= ?",
    "until": "opened < ?",
}


class SqliteStore:
    """The journals of all calls in the file `path`, whose folder is made if need be.

    Files and folder are their owner's alone; one that another user has put there is refused
    (`aybiza.config.private_files`).

    `":memory:"` keeps them in the process.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = self.name = str(path)
        self.sets_aside = True
        """Whether a damaged file is set aside and begun anew; a command leaves it to nodes."""
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0

    @classmethod
    def of(cls, settings: Settings) -> SqliteStore:
        """The store of these settings."""
        return cls(settings.memory_path)

    def claim(self, call_id: str, epoch: int, about: About) -> Claimed:
        """See `JournalStore`."""
        with self._changing() as connection:
            ((held,),) = connection.execute(_CLAIM, (call_id, epoch, *about)).fetchall()
            return Claimed(held, _read(connection, call_id))

    def write(self, parts: Sequence[Part]) -> list[Written]:
        """See `JournalStore`; all or none."""
        with self._changing() as connection:
            return [_write(connection, part) for part in parts]

    def read(self, call_id: str) -> list[Row]:
        """See `JournalStore`."""
        with self._using() as connection:
            return _read(connection, call_id)

    def find(self, wanted: Wanted, limit: int) -> list[CallRecord]:
        """See `JournalStore`."""
        asked = {name: value for name, value in wanted._asdict().items() if value is not None}
        where = " AND ".join(_WANTED[name] for name in asked) or "TRUE"
        query = f"SELECT {_RECORD} FROM calls WHERE {where} ORDER BY opened DESC LIMIT ?"
        with self._using() as connection:
            found = connection.execute(query, (*asked.values(), limit)).fetchall()
        return [CallRecord(*row) for row in found]

    def forget(self, call_ids: Iterable[str]) -> int:
        """See `JournalStore`; nothing of them is left in the file."""
        with self._changing() as connection:
            count = sum(_delete(connection, call_id) for call_id in call_ids)
        with self._using() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return count

    def sweep(self, now: float) -> int:
        """See `JournalStore`; the file grows smaller by what was deleted."""
        due = "SELECT call_id FROM calls WHERE expires > 0 AND expires <= ? LIMIT ?"
        with self._changing() as connection:
            found = connection.execute(due, (now, SWEEP_CALLS)).fetchall()
            count = sum(_delete(connection, call_id) for (call_id,) in found)
        with self._using() as connection:
            # Each step frees a page, and `execute` would take one step.
            connection.executescript(f"PRAGMA incremental_vacuum({FREED_PAGES})")
        return count

    def close(self) -> None:
        """Close the file; a later call opens it again."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _is_there(self) -> bool:
        return self.path == IN_PROCESS or is_at(Path(self.path), self._inode)

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._connection is not None and not self._is_there():
                    log.warning("memory_file_gone", store=self.path, do="a new file begins")
                    self._close()
                if self._connection is None:
                    self._connection, self._inode = opened(self.path, self.sets_aside)
                yield self._connection
            except (sqlite3.Error, OSError) as error:
                text = f"{self.path}: {error}"
                if is_broken(error):
                    self._close()
                    if self.sets_aside:
                        text = f"{text}; {set_aside(self.path, self._inode)}"
                    elif DAMAGED not in text:
                        text = f"{text}; {DAMAGED}"
                raise StoreError(text) from error

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that has the file for itself from its beginning."""
        with self._using() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # SQLite has rolled back by itself where the disk is full.
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise


def _read(connection: sqlite3.Connection, call_id: str) -> list[Row]:
    found = connection.execute(
        "SELECT call_id, number, event, at, entry FROM journal WHERE call_id = ? ORDER BY number",
        (call_id,),
    ).fetchall()
    return [Row(name, number, event, at, entry_of(e)) for name, number, event, at, e in found]


def _head(connection: sqlite3.Connection, call_id: str) -> Head:
    # The last number is the journal's own: nodes of an older version add rows without a head.
    found: tuple[Any, Any] = connection.execute(
        "SELECT (SELECT epoch FROM calls WHERE call_id = ?1),"
        " (SELECT max(number) FROM journal WHERE call_id = ?1)",
        (call_id,),
    ).fetchone()
    return Head(found[0] or 0, found[1] or 0)


def _write(connection: sqlite3.Connection, part: Part) -> Written:
    head = _head(connection, part.call_id)
    written, rows = placed(head, part)
    if written.outcome != "kept" or not rows:
        return written
    if part.epoch > head.epoch:
        about = part.about or About(opened=rows[0].at)
        connection.execute(_CLAIM, (part.call_id, part.epoch, *about)).fetchall()
        connection.execute(
            "DELETE FROM journal WHERE call_id = ? AND number >= ?",
            (part.call_id, rows[0].number),
        )
    values = [(*row[:4], dumps(row.entry)) for row in rows]
    connection.executemany("INSERT INTO journal VALUES (?,?,?,?,?)", values)
    told = told_by(rows)
    update = (part.epoch, told.updated, told.outcome, told.turns, part.call_id)
    connection.execute(_UPDATE, update)
    return written


def _delete(connection: sqlite3.Connection, call_id: str) -> int:
    connection.execute("DELETE FROM journal WHERE call_id = ?", (call_id,))
    return connection.execute("DELETE FROM calls WHERE call_id = ?", (call_id,)).rowcount
