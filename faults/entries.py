"""The journals of a world's calls, which note each entry in the trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aybiza.actors.memory.memory_actor import Journal, Journals
from aybiza.dialogue.journal import Entry, decode
from aybiza.faults.trace import Trace, shown

Told = Callable[[str, Entry], None]


class WatchedJournals(Journals):
    """`entered` is called with a call's id and each new entry of its journal.

    `written` are all entries, with their times, by the calls' ids, also after the node has let go
    of a call.
    """

    def __init__(self, trace: Trace) -> None:
        super().__init__()
        self._trace = trace
        self.entered: Told = lambda call_id, entry: None
        self.written: dict[str, list[tuple[float, Entry]]] = {}

    def __setitem__(self, call_id: str, journal: Journal) -> None:
        super().__setitem__(call_id, journal)
        written = self.written.setdefault(call_id, [])
        for row in journal.rows[-1:]:
            entry = decode(row.entry) if row.number > len(written) else None
            if entry is not None:
                written.append((self._trace.now(), entry))
                self._trace.note("entry", call_id, shown(entry))
                self.entered(call_id, entry)


def entries_of(tables: dict[str, Any], call_id: str) -> list[Entry]:
    """The journal of a call, in order."""
    journals = tables["memory"]
    assert isinstance(journals, WatchedJournals)
    return [entry for _, entry in journals.written.get(call_id, [])]
