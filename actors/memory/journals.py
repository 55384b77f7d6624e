"""The process's own copies of the journals: a table of the VM, which outlives the memory's actor.

    keep_private(vm, call_id)                    nothing said on the call leaves the process
    append(vm, call_id, first, event, entries)   entries `first`, `first + 1` … of the call's
                                                 journal, all of the line's event `event`; those it
                                                 has are passed over. Never waits, never fails

A journal stays here while its call does, and until each store has all of it. What the stores of a
node do not take for so long that calls that are over come to more than `BACKLOG_ENTRIES` is given
up, the oldest call first (`Journals.surplus`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from aybiza.actors import names
from aybiza.actors.memory.store import About, Part, Row
from aybiza.actors.memory.withheld import without_words
from aybiza.actors.runtime import VM
from aybiza.config import clocks
from aybiza.dialogue.journal import FAULT, REACHED, TRANSFER

TABLE: Final = "memory"
BACKLOG_ENTRIES: Final = 100_000
_BEHIND: Final = frozenset({"line_measured", "analysed"})
"""Entries that stand behind the end of a call."""
PRIVATE_SECONDS: Final = 900.0
"""How long a private call that was cut off, or is put through, is held for a caller who is back."""


@dataclass(slots=True)
class Journal:
    """The process's copy of one call's journal, in order. `kept`: up to where the stores have it.

    It holds all that some store has not; what is before its first row all stores have. `epoch`: as
    whose it is written; `proved`: the stores that have taken or given that epoch. `over`: the call
    has left this node. `lost`: it has a newer owner, so nothing of it is written any more. `anew`:
    no store has told of a past in time, so the call has gone on from what is here. `private`:
    nothing that was said leaves the process, so its words are held until `held_until`, unix time,
    for who comes back.
    """

    rows: list[Row] = field(default_factory=list)
    kept: dict[str, int] = field(default_factory=dict)
    epoch: int = 0
    proved: set[str] = field(default_factory=set)
    about: About | None = None
    over: bool = False
    lost: bool = False
    anew: bool = False
    private: bool = False
    held_until: float = 0.0

    @property
    def is_whole(self) -> bool:
        """Whether it begins with the call's first entry, as far as is known here."""
        return self.first == 1 and bool(self.rows or not self.private)

    @property
    def outside(self) -> list[Row]:
        """The rows as they are told outside of the process."""
        return self._outside(self.rows)

    def _outside(self, rows: list[Row]) -> list[Row]:
        if not self.private:
            return rows
        return [row._replace(entry=without_words(row.entry)) for row in rows]

    def is_over_for_good(self) -> bool:
        """Whether no caller comes back to it."""
        entries = (row.entry for row in reversed(self.rows))
        none: dict[str, Any] = {}
        last = next((one for one in entries if one.get("type") not in _BEHIND), none)
        match last.get("type"):
            case "ended":
                return last.get("reason") not in (FAULT, TRANSFER)
            case "transferred":
                return last.get("outcome") == REACHED
        return False

    @property
    def first(self) -> int:
        """The number of the first entry that is held; 1 where none is."""
        return self.rows[0].number if self.rows else 1

    @property
    def last(self) -> int:
        """The number of the last entry; 0 when there is none."""
        return self.rows[-1].number if self.rows else 0

    @property
    def safe(self) -> int:
        """Up to where at least one store has it."""
        return max(self.kept.values(), default=0)

    def join(self, rows: list[Row], *, is_new: bool) -> None:
        """A store has these rows. `is_new`: nobody goes on from this copy yet: more is better."""
        left = self.over or self.lost
        if not rows or (self.anew and not left):
            return
        stale = left or self.safe >= self.last
        if is_new and stale and rows[-1].number > self.last:
            self.rows = rows
            return
        first = self.rows[0].number if self.rows else rows[-1].number + 1
        self.rows = [*(row for row in rows if row.number < first), *self.rows]

    def agreed(self, rows: list[Row]) -> int:
        """Up to which number a store's rows are those of this copy."""
        mine = {row.number: row.entry for row in self.outside}
        last = 0
        for row in rows:
            if mine.get(row.number) != row.entry:
                break
            last = row.number
        return last

    def unkept(self, store: str) -> list[Row]:
        """What the store has not."""
        kept = self.kept.get(store, 0)
        first = len(self.rows)
        while first and self.rows[first - 1].number > kept:
            first -= 1
        return self._outside(self.rows[first:])


class Journals(dict[str, Journal]):
    """The table: the journals by the ids of their calls.

    `waiting`: by the names of the stores, the calls of which they have not all, in the order in
    which they came. `told`: the actor knows of new entries. `wall`: the clock that they are stamped
    with, unix time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waiting: dict[str, dict[str, None]] = {}
        self.told = False
        self.wall: Callable[[], float] = clocks.wall

    def use(self, stores: Iterable[str]) -> None:
        """From now on these stores are written to."""
        for store in stores:
            self.waiting.setdefault(store, {})
            for call_id, journal in self.items():
                if not journal.lost and journal.unkept(store):
                    self.waiting[store][call_id] = None

    def parts(self, store: str, most: int) -> list[Part]:
        """What the store is to be given next: whole calls, until they come to `most` entries."""
        parts: list[Part] = []
        for call_id in self.waiting[store]:
            if most <= 0:
                break
            journal = self[call_id]
            if not journal.epoch:
                journal.epoch = self.new_epoch()
            # A list of its own: the journal grows while a thread writes.
            rows = journal.unkept(store)
            if rows:
                parts.append(Part(call_id, journal.epoch, journal.about, rows))
            most -= len(rows)
        return parts

    def new_epoch(self) -> int:
        """The epoch of a claim: the time in milliseconds, so that it grows from node to node."""
        return max(1, int(self.wall() * 1000))

    def surplus(self, most: int = BACKLOG_ENTRIES) -> Iterator[tuple[str, Journal]]:
        """Journals of calls that are over, the oldest first, until `most` of their entries stay."""
        over = [(call_id, journal) for call_id, journal in self.items() if journal.over]
        held = sum(len(journal.rows) for _, journal in over)
        for call_id, journal in over:
            if held <= most:
                return
            held -= len(journal.rows)
            yield call_id, journal


def told(rows: list[Row]) -> list[tuple[int, dict[str, Any]]]:
    """The rows as those who ask for a journal are told them."""
    return [(row.event, row.entry) for row in rows]


def begin_anew(vm: VM, call_id: str, about: About) -> list[tuple[int, dict[str, Any]]]:
    """No store has told in time: the call goes on from the copy that is here, if it is whole, or
    begins without its past. What it goes on from; see `Journal.anew`."""
    table = journals(vm)
    before = table.get(call_id)
    if before is not None and before.rows and before.is_whole and not before.lost:
        before.about, before.anew, before.over = before.about or about, True, False
        return told(before.rows)
    private = before is not None and before.private
    table[call_id] = Journal(about=about, anew=True, private=private)
    for waiting in table.waiting.values():
        waiting.pop(call_id, None)
    return []


def keep_private(vm: VM, call_id: str) -> None:
    """See the module. Before anything is said on it, and before its past is fetched."""
    table = journals(vm)
    journal = table.get(call_id)
    if journal is None:
        table[call_id] = Journal(private=True)
    else:
        journal.private = True


def journals(vm: VM) -> Journals:
    """The table of `vm`, made at the first use."""
    found = vm.tables.get(TABLE)
    if not isinstance(found, Journals):
        found = vm.tables[TABLE] = Journals()
    return found


def append(vm: VM, call_id: str, first: int, event: int, entries: list[dict[str, Any]]) -> None:
    """See the module."""
    table = journals(vm)
    journal = table.get(call_id) or Journal()
    at = table.wall()
    new = False
    for number, entry in enumerate(entries, first):
        if number > journal.last:
            journal.rows.append(Row(call_id, number, event, at, entry))
            table[call_id] = journal
            new = True
    if not new or journal.lost:
        return
    for waiting in table.waiting.values():
        waiting[call_id] = None
    if not table.told:
        table.told = True
        vm.cast(names.MEMORY, "write")
