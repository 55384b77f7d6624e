"""The ledger of placed calls on disk: a SQLite file beside the memory.

    store = AttemptStore(path, days=90)
    entries = store.open(time.time())     and have it to oneself, until `close`
    store.keep([entry, …])                on the disk when it returns
    store.forget("+14155552671")          nothing on the disk is of this number any more

One process has the file at a time, by a lock beside it: two that placed calls by one ledger would
call people twice. What is older than `days` is deleted when it is opened, but for campaigns that
run and attempts that go on; 0: nothing is. What is forgotten is gone from the file and its log,
and campaigns do not know the number any more; an attempt that goes on stays, and is named.

For threads. Errors: `StoreTaken` while another process has it; `sqlite3.Error` and `OSError`, with
texts for people.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from aybiza.config.private_files import private_file, taken
from aybiza.dialogue.outbound.ledger import Attempted, Begun, Entry, Halted, Ledger, decode, encode

FILE: Final = "outbound.sqlite3"
"""Its name, beside the memory."""

BUSY_SECONDS: Final = 5.0
LEAST_DAYS: Final = 31
"""Attempts are counted for so long."""
DAY: Final = 86_400.0

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS ledger (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, entry TEXT NOT NULL
)
"""


class Forgotten(NamedTuple):
    """How many attempts are gone, and the ids of those that go on."""

    attempts: int
    going_on: list[str]


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

    def forget(self, number: str) -> Forgotten:
        """See the module. It has to be open."""
        with self._turn:
            if self._file is None:
                raise sqlite3.ProgrammingError(f"{self.path}: is not open")
            rows = list(self._rows(self._file))
            ledger = Ledger.of(entry for _, _, entry in rows)
            own = [one for one in ledger.attempts.values() if one.begun.to == number]
            going_on = [one.begun.id for one in own if one.is_live]
            gone = {one.begun.id for one in own} - set(going_on)
            self._file.execute("BEGIN IMMEDIATE")
            try:
                for row, _, entry in rows:
                    if getattr(entry, "id", "") in gone:
                        self._file.execute("DELETE FROM ledger WHERE number = ?", (row,))
                    elif isinstance(entry, Begun) and number in entry.spec.get("numbers", ()):
                        self._without(self._file, row, entry, number)
                self._file.execute("COMMIT")
            except BaseException:
                self._file.execute("ROLLBACK")
                raise
            self._file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return Forgotten(len(gone), going_on)

    def _without(self, file: sqlite3.Connection, row: int, entry: Begun, number: str) -> None:
        """A campaign, as if the number had never been in it."""
        numbers = [one for one in entry.spec["numbers"] if one != number]
        left = replace(entry, spec={**entry.spec, "numbers": numbers})
        text = json.dumps(encode(left))
        file.execute("UPDATE ledger SET entry = ? WHERE number = ?", (text, row))
        if not numbers:
            over = json.dumps(encode(Halted(entry.name, entry.at, "done")))
            file.execute("INSERT INTO ledger (at, entry) VALUES (?, ?)", (entry.at, over))

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
        self._held = taken(self.path)
        if self._held is None:
            raise StoreTaken(f"{self.path}: another node places calls by it")

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
