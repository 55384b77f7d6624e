"""Files of records for tests of commands that put them together."""

from __future__ import annotations

from pathlib import Path

from aybiza.actors.measures.records import Records
from tests.actors.measures.report_kit import calls_of


def filled(path: Path, node: str, count: int, shift: float = 0.0) -> Path:
    """A file with so many calls of a turn each."""
    records = Records(path, node=node, days=3_650)
    rows = calls_of(count, count)
    for table in ("calls", "turns", "charges"):
        told = [{**row, "node": node, "at": row["at"] + shift} for row in getattr(rows, table)]
        records.put([(table, row) for row in told])
    records.close()
    return path
