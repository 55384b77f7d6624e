"""Journals of calls that tell of each new entry; a world's note them in its trace, too."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from aybiza.actors.memory.journals import Journal, Journals
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
                if self.is_new(call_id, row.number, entry):
                    self.note(call_id, row.number, entry)
                    self.entered(call_id, entry)

    def is_new(self, call_id: str, number: int, entry: Entry) -> bool:
        """Whether an entry is told that this node has not had before."""
        return True

    def note(self, call_id: str, number: int, entry: Entry) -> None:
        """For those that keep what is entered."""


class WatchedJournals(ToldJournals):
    """The journals of a world.

    `written` are all entries, with their times, by the calls' ids, also after the node has let go
    of a call. The journals of `first`, another node's, and these are told as one: what a call
    brings along is not told again.
    """

    def __init__(self, trace: Trace, first: WatchedJournals | None = None) -> None:
        super().__init__()
        self._trace = trace
        self.last = {}
        self.entered: Told = lambda call_id, entry: None
        self.written: dict[str, list[tuple[float, Entry]]] = {}
        self._numbers: dict[str, list[int]] = {}
        self._told: dict[tuple[str, int], Entry] = {}
        if first is not None:
            self.entered = partial(_enter, first)
            self.written, self._told = first.written, first._told
            self._numbers = first._numbers

    def is_new(self, call_id: str, number: int, entry: Entry) -> bool:
        known = self._told.get((call_id, number)) == entry
        self._told[call_id, number] = entry
        return not known

    def note(self, call_id: str, number: int, entry: Entry) -> None:
        self.written.setdefault(call_id, []).append((self._trace.now(), entry))
        self._numbers.setdefault(call_id, []).append(number)
        self._trace.note("entry", call_id, shown(entry))

    def forget_told(self) -> None:
        """Forget what was written so far."""
        self.written.clear()
        self._numbers.clear()
        self._told.clear()

    def lose(self, kept: Callable[[str], int]) -> None:
        """The node is gone, and with it the entries of its calls behind the number that is `kept`
        of each elsewhere."""
        for call_id, journal in self.items():
            numbers, last = self._numbers.get(call_id, []), kept(call_id)
            while not (journal.over or journal.lost) and numbers and numbers[-1] > last:
                self._told.pop((call_id, numbers.pop()), None)
                self.written[call_id].pop()


def _enter(journals: ToldJournals, call_id: str, entry: Entry) -> None:
    """As whoever watches the journals wants it now."""
    journals.entered(call_id, entry)


def entries_of(journals: WatchedJournals, call_id: str) -> list[Entry]:
    """The journal of a call, in order."""
    return [entry for _, entry in journals.written.get(call_id, [])]
