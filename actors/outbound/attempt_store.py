"""The ledger of placed calls on disk: a SQLite file beside the memory.

    store = AttemptStore(path, days=90)
    entries = store.open(time.time())     and have it to oneself, until `close`
    store.keep([entry, …])                on the disk when it returns

One process has the file at a time, by a lock beside it: two that placed calls by one ledger would
call people twice. What is older than `days` is deleted when it is opened, but for campaigns that
run and attempts that go on; 0: nothing is.

For threads. Errors: `StoreTaken` while another process has it; `sqlite3.Error` and `OSError`, with
texts for people.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from aybiza.config.private_files import private_file
from aybiza.dialogue.outbound.ledger import Attempted, Begun, Entry, Ledger, decode, encode

BUSY_SECONDS: Final = 5.0
LEAST_DAYS: Final = 31
"""Attempts are counted for so long."""
DAY: Final = 86_400.0

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS ledger (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, entry TEXT NOT NULL
)
"""


class StoreTaken(OSError):
    """Another process places calls by this ledger."""


class AttemptStore:
    """See the module."""

    def __init__(self, path: Path, *, days: int = 90) -> None:
        self.path = path
        self._days = max(days, LEAST_DAYS) if days else 0
        self._file: sqlite3.Connection | None = None
        self._held: int | None = None
        self._turn = threading.Lock()

    def open(self, now: float) -> list[Entry]:
        """See the module; again, if it is open already."""
        with self._turn:
            self._take()
            if self._file is None:
                private_file(self.path)
                self._file = sqlite3.connect(
                    self.path, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None
                )
                self._file.execute("PRAGMA journal_mode=WAL")
                # An attempt has to be there behind a power cut, too.
                self._file.execute("PRAGMA synchronous=FULL")
                self._file.execute("PRAGMA secure_delete=ON")
                self._file.execute(_SCHEMA)
            rows = list(self._rows(self._file))
            old = set(self._old(rows, now))
            self._file.executemany("DELETE FROM ledger WHERE number = ?", [(n,) for n in old])
            return [entry for number, _, entry in rows if number not in old]

    def keep(self, entries: Sequence[tuple[float, Entry]]) -> None:
        """Each with its unix time."""
        with self._turn:
            if self._file is None:
                raise sqlite3.ProgrammingError(f"{self.path}: is not open")
            self._file.execute("BEGIN IMMEDIATE")
            try:
                self._file.executemany(
                    "INSERT INTO ledger (at, entry) VALUES (?, ?)",
                    [(at, json.dumps(encode(entry))) for at, entry in entries],
                )
                self._file.execute("COMMIT")
            except BaseException:
                self._file.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Others may have it. Idempotent."""
        with self._turn:
            if self._file is not None:
                self._file.close()
                self._file = None
            if self._held is not None:
                os.close(self._held)
                self._held = None

    def _take(self) -> None:
        if self._held is not None:
            return
        lock = self.path.with_name(f"{self.path.name}.lock")
        private_file(lock)
        held = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(held)
            raise StoreTaken(f"{self.path}: another node places calls by it") from None
        self._held = held

    def _rows(self, file: sqlite3.Connection) -> Iterator[tuple[int, float, Entry]]:
        for number, at, text in file.execute(
            "SELECT number, at, entry FROM ledger ORDER BY number"
        ):
            entry = decode(_json(text))
            if entry is not None:
                yield number, at, entry

    def _old(self, rows: Sequence[tuple[int, float, Entry]], now: float) -> Iterator[int]:
        if not self._days:
            return
        ledger, before = Ledger.of(entry for _, _, entry in rows), now - self._days * DAY
        kept = {one.begun.id for one in ledger.live()}
        kept |= {name for name, one in ledger.campaigns.items() if not one.halted}
        for number, at, entry in rows:
            named = entry.name if isinstance(entry, Begun) else getattr(entry, "id", "")
            of = entry.campaign if isinstance(entry, Attempted) else ""
            if at < before and not {named, of} & kept:
                yield number


def _json(text: Any) -> Any:
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None
