"""Journals of calls that tell of each new entry; a world's note them in its trace, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aybiza.actors.memory.memory_actor import Journal, Journals
from aybiza.dialogue.journal import Entry, decode
from aybiza.faults.trace import Trace, shown

Told = Callable[[str, Entry], None]


class ToldJournals(Journals):
    """`entered` is called with a call's id and each new entry of its journal; `last` has the number
    of the newest by the calls' ids."""

    entered: Told
    last: dict[str, int]

    def __setitem__(self, call_id: str, journal: Journal) -> None:
        super().__setitem__(call_id, journal)
        for row in journal.rows[-1:]:
            entry = decode(row.entry) if row.number > self.last.get(call_id, 0) else None
            if entry is not None:
                self.last[call_id] = row.number
                self.note(call_id, entry)
                self.entered(call_id, entry)

    def note(self, call_id: str, entry: Entry) -> None:
        """For those that keep what is entered."""


class WatchedJournals(ToldJournals):
    """The journals of a world.

    `written` are all entries, with their times, by the calls' ids, also after the node has let go
    of a call.
    """

    def __init__(self, trace: Trace) -> None:
        super().__init__()
        self._trace = trace
        self.entered: Told = lambda call_id, entry: None
        self.last = {}
        self.written: dict[str, list[tuple[float, Entry]]] = {}

    def note(self, call_id: str, entry: Entry) -> None:
        self.written.setdefault(call_id, []).append((self._trace.now(), entry))
        self._trace.note("entry", call_id, shown(entry))


def entries_of(tables: dict[str, Any], call_id: str) -> list[Entry]:
    """The journal of a call, in order."""
    journals = tables["memory"]
    assert isinstance(journals, WatchedJournals)
    return [entry for _, entry in journals.written.get(call_id, [])]
