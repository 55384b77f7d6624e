"""What this machine knows of a call: its rows of the records, and its journal from the stores.

    found = of_call(settings, "CA0123", [records])
    found.call_id, found.evidence, found.missing

A call is named by its id or how that begins. What cannot be read is no error as long as something
else tells of the call: `missing` says, for people, what is not there and why.

Waits for disks and networks: not for the loop. Errors: `EvidenceError` where nothing is known of
such a call, or of more than one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aybiza.actors.measures.records import RecordsError, reading
from aybiza.actors.memory.calls import Calls
from aybiza.actors.memory.store import StoreError, Wanted
from aybiza.actors.memory.stores import stores
from aybiza.console.diagnosis.call_tree import Evidence

if TYPE_CHECKING:
    from aybiza.config.settings import Settings


class EvidenceError(Exception):
    """There is no such call, or more than one; the text is for people."""


@dataclass(slots=True)
class Found:
    """See the module."""

    call_id: str
    evidence: Evidence
    missing: list[str] = field(default_factory=list)


def of_call(settings: Settings, begins: str, files: Sequence[Path]) -> Found:
    """All that is known of the call. Raises EvidenceError."""
    missing: list[str] = []
    turns, calls = _records(begins, files, missing)
    journals = _journals(settings, begins, missing)
    ids = {str(row["call_id"]) for row in (*turns, *calls)} | set(journals)
    if len(ids) != 1 and begins not in ids:
        many = f"{len(ids)} calls begin with {begins}" if ids else f"nothing is known of {begins}"
        raise EvidenceError("; ".join([many, *missing]))
    call_id = begins if begins in ids else ids.pop()
    record = next((row for row in reversed(calls) if row["call_id"] == call_id), None)
    own = [row for row in turns if row["call_id"] == call_id]
    if call_id not in journals and not missing:
        missing.append("its journal is in none of the stores that AYBIZA_MEMORY names")
    return Found(call_id, Evidence(record, own, journals.get(call_id, ())), missing)


def _records(
    begins: str, files: Sequence[Path], missing: list[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    turns: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []
    for path in files:
        try:
            with reading(path) as connection:
                turns += _begin_with(connection, "turns", begins)
                calls += _begin_with(connection, "calls", begins)
        except RecordsError as error:
            missing.append(str(error))
    return turns, calls


def _begin_with(connection: sqlite3.Connection, table: str, begins: str) -> list[dict[str, Any]]:
    wanted = f"SELECT * FROM {table} WHERE substr(call_id, 1, ?) = ? ORDER BY at"
    return [dict(row) for row in connection.execute(wanted, (len(begins), begins))]


def _journals(
    settings: Settings, begins: str, missing: list[str]
) -> dict[str, list[dict[str, Any]]]:
    """The journals of the calls whose ids begin so, by their ids."""
    lasting = tuple(name for name in settings.memory if name != "memory")
    if not lasting:
        missing.append("AYBIZA_MEMORY=memory keeps journals in nodes alone")
        return {}
    made = stores(settings.model_copy(update={"memory": lasting}))
    calls = Calls(made)
    try:
        ids = [one.call_id for one in calls.find(Wanted()) if one.call_id.startswith(begins)]
        wanted = [begins] if begins in ids else ids
        return {one: [row.entry for row in calls.read(one)] for one in wanted[:2]}
    except StoreError:
        return {}
    finally:
        missing.extend(calls.failed.values())
        for store in made:
            store.close()
