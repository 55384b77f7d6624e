"""The file of a `SqliteStore`: opened, brought up to the schema of today, set aside when broken.

    connection, inode = opened(path)      ready for use, in autocommit mode
    set_aside(path, inode)                the broken file gets another name; says which, in words

An older schema is migrated, and a copy of the file as it was stays beside it, with a name that ends
in `.v0` and the time; `aybiza calls forget` names such copies. A newer schema is refused. A file
that is no database, or a damaged one, is renamed (`.broken-` and the time) and told in the log; the
next use begins a new one, and nodes write into it again what their calls have. Of several nodes
that find the same damage one renames the file: whoever comes later sees that it is another by now.

Errors: `sqlite3.Error` and `OSError`, with texts for people.
Source: SQLite: "PRAGMA Statements" (user_version, auto_vacuum, secure_delete), "Result Codes".
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog

from aybiza.config.private_files import check_private, in_turn, private_file

BUSY_SECONDS: Final = 5.0
VERSION: Final = 1
IN_PROCESS: Final = ":memory:"
DAMAGED: Final = "it is damaged and was left as it is; a node sets it aside at its start"

_BROKEN: Final = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT})
_BESIDE: Final = ("-wal", "-shm", "-journal")

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS journal (
    call_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    event INTEGER NOT NULL,
    at REAL NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (call_id, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls (
    call_id TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL DEFAULT 0,
    caller TEXT NOT NULL DEFAULT '',
    agent TEXT NOT NULL DEFAULT '',
    tenant TEXT NOT NULL DEFAULT '',
    opened REAL NOT NULL DEFAULT 0,
    updated REAL NOT NULL DEFAULT 0,
    outcome TEXT NOT NULL DEFAULT '',
    turns INTEGER NOT NULL DEFAULT 0,
    expires REAL NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS calls_opened ON calls (opened);
CREATE INDEX IF NOT EXISTS calls_caller ON calls (caller, opened);
CREATE INDEX IF NOT EXISTS calls_agent ON calls (agent, opened);
CREATE INDEX IF NOT EXISTS calls_outcome ON calls (outcome, opened);
CREATE INDEX IF NOT EXISTS calls_expires ON calls (expires) WHERE expires > 0;
"""

# What the journals of an older file tell of their calls. An entry that is no JSON tells nothing,
# and does not keep the others from being migrated.
_FILL: Final = """
WITH told AS (
    SELECT call_id, number, at, iif(json_valid(entry), entry, '{}') AS entry FROM journal
)
INSERT OR IGNORE INTO calls (call_id, opened, updated, outcome, turns)
SELECT call_id, min(at), max(at),
    coalesce((SELECT json_extract(entry, '$.reason') FROM told AS ends
        WHERE ends.call_id = told.call_id AND json_extract(entry, '$.type') = 'ended'
        ORDER BY number DESC LIMIT 1), ''),
    coalesce(max(iif(json_type(entry, '$.turn') = 'integer', json_extract(entry, '$.turn'), 0)), 0)
FROM told GROUP BY call_id;
"""

log = structlog.get_logger(__name__)


def opened(path: str, sets_aside: bool = True) -> tuple[sqlite3.Connection, int]:
    """See the module. `inode` is 0 for `:memory:`. Without `sets_aside` a broken file stays."""
    inode = 0
    if path != IN_PROCESS:
        _own_files(path)
        inode = os.stat(path).st_ino
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None
    )
    try:
        _prepare(connection, path)
    except sqlite3.Error as error:
        connection.close()
        if is_broken(error):
            what = set_aside(path, inode) if sets_aside else DAMAGED
            raise sqlite3.DatabaseError(f"{error}; {what}") from error
        raise
    return connection, inode


def is_broken(error: Exception) -> bool:
    """Whether the file itself is at fault."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _BROKEN


def set_aside(path: str, inode: int) -> str:
    """See the module; what has become of the file."""
    if path == IN_PROCESS:
        return "it begins anew"
    aside = f"{path}.broken-{_stamp()}"
    with _one_at_a_time(path):
        try:
            if os.stat(path).st_ino != inode:
                return "another node has set it aside"
            os.rename(path, aside)
        except OSError as error:
            return f"it cannot be set aside ({error.strerror}): move it away"
        for ending in _BESIDE:
            with contextlib.suppress(OSError):
                os.rename(path + ending, aside + ending)
    log.error("memory_set_aside", store=path, kept_as=aside, do="a new file begins; look at it")
    return f"set aside as {aside}; a new file begins"


def looked_at(path: str) -> tuple[str, bool]:
    """What there is to say of the file, and whether it will do; it is left as it is."""
    if not os.path.exists(path):
        return "made at the first start", True
    try:
        with contextlib.closing(
            sqlite3.connect(f"{Path(path).as_uri()}?mode=ro", uri=True)
        ) as file:
            version = _version(file)
    except sqlite3.Error as error:
        return f"{error}: a node sets it aside and begins a new one", False
    if version > VERSION:
        return "it was made by a newer version of aybiza", False
    return "can be read" if version == VERSION else "a node migrates it at its start", True


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    # A file with tables keeps what it has, and is written to all the same: where the disk is full,
    # nothing could be read.
    if _version(connection) == 0:
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    # A write-ahead log survives the death of the process without a sync for each turn.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA secure_delete=ON")
    if _version(connection) == VERSION:
        return
    with _one_at_a_time(path):
        version = _version(connection)
        if version > VERSION:
            raise sqlite3.NotSupportedError(
                "it was made by a newer version of aybiza: run that, or set AYBIZA_MEMORY_PATH"
                " to another file"
            )
        if version < VERSION:
            _migrate(connection, path)


def _migrate(connection: sqlite3.Connection, path: str) -> None:
    if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        _lay(connection, _SCHEMA)
        return
    copy = Path(f"{path}.v0-{_stamp()}")
    private_file(copy)
    try:
        with contextlib.closing(sqlite3.connect(copy)) as target:
            connection.backup(target)
        _lay(connection, _SCHEMA + _FILL)
    except BaseException:
        # It is tried again each second: copies of a file that stays as it is would fill the disk.
        copy.unlink(missing_ok=True)
        raise
    log.warning("memory_migrated", store=path, copy=str(copy))
    # Without it the pages of what is deleted would stay in an older file.
    connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    connection.execute("VACUUM")


def _lay(connection: sqlite3.Connection, statements: str) -> None:
    """Bring the file to this version, whole or not at all."""
    try:
        connection.executescript(
            f"BEGIN IMMEDIATE; {statements}; PRAGMA user_version={VERSION}; COMMIT"
        )
    except BaseException:
        # SQLite has rolled back by itself where the disk is full.
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def copies(path: str) -> list[str]:
    """The files beside `path` that hold calls, too: set aside, or as they were before."""
    file = Path(path)
    found = file.parent.glob(f"{file.name}.*") if file.parent.is_dir() else ()
    ours = (f"{file.name}.broken-", f"{file.name}.v0-")
    return sorted(str(one) for one in found if one.name.startswith(ours))


def _own_files(path: str) -> None:
    # SQLite gives its two other files the mode of the first, but takes those that are there.
    private_file(Path(path))
    for ending in _BESIDE:
        with contextlib.suppress(FileNotFoundError):
            check_private(Path(path + ending))


@contextmanager
def _one_at_a_time(path: str) -> Iterator[None]:
    """Nodes that share the file take turns."""
    if path == IN_PROCESS:
        yield
        return
    with in_turn(Path(path).parent):
        yield


def _stamp() -> str:
    return time.strftime("%Y%m%dT%H%M%S", time.gmtime()) + f"-{os.getpid()}"
