"""The records of a period in pages, for a command that asks the nodes of a cluster for theirs.

    told = page(path, since, until, None)                in a thread of the node
    told = page(path, since, until, told["next"])        until `next` is None
    table, rows = rows_of_page(told)                     by whoever asked

Contract: a page is JSON data: `file` (which file it is of, None where it does not say), `table`,
`columns`, `rows` (compressed) and `next`, where the next page begins. It has at most `ROWS` rows.
SQLite itself writes the rows as JSON, because it lets the node's loop go on meanwhile. Times are
exact to a microsecond. A row that is added while pages are read may be left out.
Errors: `RecordsError` for a file that cannot be read, `ValueError` for a place that is none or a
page that is none. A file that is not there has no rows.
"""

from __future__ import annotations

import base64
import json
import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from aybiza.actors.measures.records import TABLES, file_of, reading

ROWS: Final = 1_000
MOST_BYTES: Final = 16 * 1024 * 1024
"""What a page may be when it is no longer compressed."""

Start = Sequence[Any] | None
"""Where a page begins: a table, the number of the row before, and that of the last one; None: the
first page."""

_FIRST: Final = next(iter(TABLES))
_NUMBERS: Final = 2**63


def page(path: Path, since: float, until: float, start: Start) -> dict[str, Any]:
    """The page that begins at `start`, of the rows from `since` to before `until`."""
    if not path.exists():
        return {"file": None, "table": _FIRST, "columns": [], "rows": _packed("[]"), "next": None}
    with reading(path) as connection:
        table, after, last = _place(start)
        if last is None:
            after, last = _ends(connection, table, since, until)
        columns = _columns(connection, table)
        texts = [
            (number, text)
            for number, text in connection.execute(
                # By the rows' numbers: an index on their times would have to be sorted each time.
                f"SELECT rowid, json_array({', '.join(columns)}) FROM {table} NOT INDEXED"
                " WHERE rowid > ? AND rowid <= ? AND at >= ? AND at < ? ORDER BY rowid LIMIT ?",
                (after, last, since, until, ROWS),
            )
        ]
        follows: list[Any] | None = [table, texts[-1][0], last] if len(texts) == ROWS else None
        return {
            "file": file_of(connection),
            "table": table,
            "columns": columns,
            "rows": _packed(f"[{','.join(text for _, text in texts)}]"),
            "next": follows or _next_table(table),
        }


def rows_of_page(told: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """The table that a page is of, and its rows with all columns of that table."""
    try:
        table, columns = told["table"], list(told["columns"])
        unpacking = zlib.decompressobj()
        text = unpacking.decompress(base64.b64decode(told["rows"], validate=True), MOST_BYTES)
        if table not in TABLES or not unpacking.eof:
            raise ValueError(f"no page of {table!r:.40}")
        empty = dict.fromkeys(TABLES[table])
        rows = [
            {**empty, **dict(zip(columns, row, strict=True))}
            for row in json.loads(text, parse_constant=lambda _: None)
        ]
    except (KeyError, TypeError, ValueError, RecursionError, zlib.error) as error:
        raise ValueError(f"not a page of records: {error}") from None
    return table, rows


def _place(start: Start) -> tuple[str, int, int | None]:
    match start:
        case None:
            return _FIRST, 0, None
        case [str(table), None, None] if table in TABLES:
            return table, 0, None
        case [str(table), int(after), int(last)] if (
            table in TABLES and -_NUMBERS <= after <= last < _NUMBERS
        ):
            return table, after, last
    raise ValueError(f"no place in the records: {start!r:.80}")


def _next_table(table: str) -> list[Any] | None:
    names = list(TABLES)
    at = names.index(table) + 1
    return [names[at], None, None] if at < len(names) else None


def _ends(
    connection: sqlite3.Connection, table: str, since: float, until: float
) -> tuple[int, int]:
    """The number before the first row of the period, and that of its last one."""
    first, last = connection.execute(
        f"SELECT min(rowid), max(rowid) FROM {table} WHERE at >= ? AND at < ?", (since, until)
    ).fetchone()
    return (0, 0) if first is None else (first - 1, last)


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    """Those of `TABLES` that the file has: an older one has fewer."""
    there = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
    return [name for name in TABLES[table] if name in there]


def _packed(text: str) -> str:
    return base64.b64encode(zlib.compress(text.encode(), 1)).decode()
