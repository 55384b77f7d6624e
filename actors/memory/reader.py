"""Journals that are read or claimed: all stores are asked at once, and the longest is believed.

Part of `MemoryActor`. Those who ask at once share one reading. Who waits is told when all stores
have answered that are not late, or after `PATIENCE_SECONDS`, when one of them has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import structlog

from aybiza.actors.memory.journals import Journal, Journals, told
from aybiza.actors.memory.lane import Lane
from aybiza.actors.memory.store import About, Claimed, JournalStore, Row, StoreError
from aybiza.actors.runtime import NORMAL, From, GenServer, Pid, Shutdown, Stop, Task

PATIENCE_SECONDS = 0.2

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """To the actor: who waits for this reading has waited long enough for all stores."""

    call_id: str
    claim: bool


@dataclass(frozen=True, slots=True)
class _Read:
    """A journal that a store is asked for; to claim it, if `about` is given. `found` is filled with
    its answer."""

    lane: int
    call_id: str
    about: About | None
    found: list[Claimed]


@dataclass(slots=True)
class _Reading:
    waiting: list[From] = field(default_factory=list)
    lanes: set[int] = field(default_factory=set)
    rows: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class _Readings:
    """The journals that are being read or claimed: those who ask at once share one reading."""

    _readings: dict[tuple[str, bool], _Reading] = field(default_factory=dict)
    _readers: dict[Pid, _Read] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._readings)

    def wait(self, call_id: str, claim: bool, from_: From | None) -> bool:
        """Have `from_` wait for the journal; whether the stores are yet to be asked."""
        new = (call_id, claim) not in self._readings
        reading = self._readings.setdefault((call_id, claim), _Reading())
        if from_ is not None:
            reading.waiting.append(from_)
        return new

    def is_waited_for(self, call_id: str, claim: bool) -> bool:
        """Whether nobody has been told of it yet who asked."""
        return bool(self._readings[call_id, claim].waiting)

    def asked(self, read: _Read, reader: Pid) -> None:
        """A store is asked by the task `reader`."""
        self._readings[read.call_id, read.about is not None].lanes.add(read.lane)
        self._readers[reader] = read

    def ended(self, reader: Pid) -> _Read | None:
        """The task has ended: what it was to read; None if it is none."""
        read = self._readers.pop(reader, None)
        if read is not None:
            self._readings[read.call_id, read.about is not None].lanes.discard(read.lane)
        return read

    def keep(self, call_id: str, rows: list[Row]) -> None:
        """A store has these rows of a call of which no copy is held; the longest are kept."""
        reading = self._readings[call_id, False]
        if len(rows) > len(reading.rows):
            reading.rows = rows

    def outstanding(self, call_id: str, claim: bool) -> frozenset[int] | None:
        """The stores that have not answered; None if the reading is over."""
        reading = self._readings.get((call_id, claim))
        return frozenset(reading.lanes) if reading is not None else None

    def waited(self, call_id: str, claim: bool) -> tuple[list[From], list[Row]]:
        """Those who wait and are answered now, and the rows that were kept for them."""
        reading = self._readings[call_id, claim]
        waiting, reading.waiting = reading.waiting, []
        if not reading.lanes:
            del self._readings[call_id, claim]
        return waiting, reading.rows


class Reader:
    """See the module. `actor` sends it `Patience` and the ends of its tasks."""

    def __init__(self, actor: GenServer[Any, Any], lanes: list[Lane], table: Journals) -> None:
        self._actor, self._vm, self._pid = actor, actor.vm, actor.pid
        self._lanes = lanes
        self._table = table
        self._readings = _Readings()

    def read(self, call_id: str, from_: From | None, about: About | None) -> None:
        """Ask the stores for a journal; to claim it, if `about` is given."""
        if not self._readings.wait(call_id, about is not None, from_):
            return
        epoch = self._table.new_epoch()
        for lane in self._lanes:
            found: list[Claimed] = []
            asked = (lane.store, call_id, epoch, about, found)
            pid = Task.start(self._vm, self._ask, *asked).pid
            self._readings.asked(_Read(lane.number, call_id, about, found), pid)
        if len(self._lanes) > 1:
            self._actor.send_after(Patience(call_id, about is not None), PATIENCE_SECONDS)

    async def _ask(
        self,
        store: JournalStore,
        call_id: str,
        epoch: int,
        about: About | None,
        found: list[Claimed],
    ) -> None:
        try:
            if about is None:
                rows = await self._vm.run_blocking(store.read, call_id)
                found.append(Claimed(0, rows))
            else:
                found.append(await self._vm.run_blocking(store.claim, call_id, epoch, about))
        except StoreError as error:
            raise Stop(Shutdown(str(error))) from None

    def _has_read(self, read: _Read) -> None:
        """A store has answered, or failed."""
        lane, call_id, about = self._lanes[read.lane], read.call_id, read.about
        journal = self._table.get(call_id)
        waited = self._readings.is_waited_for(call_id, about is not None)
        if about is not None:
            journal = journal or Journal(about=about)
            dict.__setitem__(self._table, call_id, journal)
        for claimed in read.found:
            if journal is not None:
                journal.join(claimed.rows, is_new=waited)
            else:
                self._readings.keep(call_id, claimed.rows)
            if journal is not None and about is not None:
                self._own(lane, call_id, journal, claimed)
        if journal is not None and about is not None:
            journal.about, journal.over = journal.about or about, False
        self.tell(call_id, about is not None, patient=True)

    def _own(self, lane: Lane, call_id: str, journal: Journal, claimed: Claimed) -> None:
        """The call is ours by what a store says; the others have yet to hear of a newer epoch."""
        agreed = journal.kept[lane.name] = journal.agreed(claimed.rows)
        # Where the store has another past than what was told, a newer epoch takes its place.
        epoch = claimed.epoch + (bool(claimed.rows) and claimed.rows[-1].number > agreed)
        if epoch > journal.epoch:
            journal.epoch, journal.proved = epoch, set()
        if claimed.epoch == journal.epoch:
            journal.proved.add(lane.name)
        journal.over = journal.lost = False
        if journal.last > journal.kept.get(lane.name, 0):
            self._table.waiting[lane.name][call_id] = None
            self._vm.send(self._pid, "write")

    def tell(self, call_id: str, claim: bool, *, patient: bool) -> None:
        """Tell those who wait, once all stores have answered that are not late; without patience,
        once one of them has."""
        outstanding = self._readings.outstanding(call_id, claim)
        if outstanding is None:
            return
        awaited = any(not self._lanes[number].late for number in outstanding)
        if awaited and (patient or len(outstanding) == len(self._lanes)):
            return
        waiting, rows = self._readings.waited(call_id, claim)
        journal = self._table.get(call_id)
        if claim and waiting and journal is not None and not journal.rows:
            # What comes later is not put below what the call begins with.
            journal.anew = True
        for from_ in waiting:
            from_.answer(told(journal.rows if journal is not None else rows))

    def __len__(self) -> int:
        return len(self._readings)

    def ended(self, pid: Pid, reason: Any) -> bool:
        """A process has ended; whether it was one that read."""
        read = self._readings.ended(pid)
        if read is None:
            return False
        if reason != NORMAL:
            log.error("memory_not_read", call_id=read.call_id, reason=str(reason))
        self._has_read(read)
        return True
