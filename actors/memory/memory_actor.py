"""MemoryActor: the memory of the conversations, in the process and in stores.

A call's journal stands in a table of the VM (`aybiza.actors.memory.journals`), which outlives this
actor: `append` puts entries there at once, so neither the call's actor nor this one can die in
between. Each store gets them within `LINGER_SECONDS`, or at once when somebody waits for it by
`kept`: before anything is done that the world beyond the node can notice. An entry is kept when one
of the stores has it; the others are written behind. A store that is slow is waited for no longer
than `DURABLE_SECONDS`, one that is gone not at all: the call goes on from the process's own copy,
and the writes catch up. What has to be given up is counted and named. A store is touched by worker
threads only, one batch at a time.

    await kept(vm, call_id)      a store has the call's journal, or has had its time

Requests (`VM.call`):

    Keep(call_id)          have a store keep what the journal has now. Answers "ok"
    Load(call_id)          list of (event, entry), from the stores if need be
    Claim(call_id, about)  as `Load`; the call goes on here, so a copy is held, and no node that has
                           had the call before writes to its journal any more

Casts: `"write"`: there are new entries; `Forget(call_id)`: the call has left this node; its copy
goes once the stores have it.

A call whose newer owner has been found in a store is told so by `TAKEN`, sent to its stream.

Source: specification 001, "Memory Implementation".
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any, Final, Literal

import structlog

from aybiza.actors import names
from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.memory.journals import PRIVATE_SECONDS, Journal, journals, told
from aybiza.actors.memory.lane import Batch, Lane
from aybiza.actors.memory.reader import Patience, Reader
from aybiza.actors.memory.store import (
    UNKNOWN,
    About,
    JournalStore,
    StoreError,
    Written,
)
from aybiza.actors.runtime import (
    NO_REPLY,
    NORMAL,
    SHUTDOWN,
    VM,
    CallExit,
    Exit,
    From,
    FunctionClause,
    GenServer,
    Pid,
    Request,
    Shutdown,
    Stop,
    Task,
)

DURABLE_SECONDS = 0.05
# Entries that nobody waits for are written together, and not in the way of what they lead to.
LINGER_SECONDS = 0.03
RETRY_SECONDS = 1.0
KEPT_SECONDS = 0.5
SWEEP_SECONDS = 3600.0
LET_GO_SECONDS = 60.0
# How long a node that ends writes what its stores have not; within what the application has to end.
FLUSH_SECONDS = 1.5
BATCH_ENTRIES = 1000

TAKEN: Final = "taken elsewhere"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Keep(Request[Literal["ok"]]):
    """See the module."""

    call_id: str


@dataclass(frozen=True, slots=True)
class Load(Request[list[tuple[int, dict[str, Any]]]]):
    """See the module."""

    call_id: str


@dataclass(frozen=True, slots=True)
class Claim(Request[list[tuple[int, dict[str, Any]]]]):
    """See the module."""

    call_id: str
    about: About = UNKNOWN


@dataclass(frozen=True, slots=True)
class Forget:
    """See the module."""

    call_id: str


@dataclass(frozen=True, slots=True)
class _Late:
    lane: int
    batch: int


@dataclass(frozen=True, slots=True)
class _Retry:
    lane: int


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Who waits until a store has a journal up to its entry `number`."""

    from_: From
    journal: Journal
    number: int


async def kept(vm: VM, call_id: str) -> None:
    """See the module. At most `KEPT_SECONDS`; that the actor is not to be had is logged."""
    journal = journals(vm).get(call_id)
    if journal is None or journal.safe >= journal.last:
        return
    try:
        await names.call_patiently(vm, names.MEMORY, Keep(call_id), KEPT_SECONDS)
    except CallExit as error:
        log.error("memory_unavailable", call_id=call_id, reason=str(error.reason))


class MemoryActor(GenServer[Keep | Load | Claim, Forget | Literal["write"]]):
    """See the module. Started with its stores, the fastest first."""

    traps_exits = True

    async def init(self, *stores: JournalStore) -> None:
        self._lanes = [Lane(number, store) for number, store in enumerate(stores)]
        self._table = journals(self.vm)
        self._table.use(lane.name for lane in self._lanes)
        self._waiting: list[_Waiting] = []
        self._reader = Reader(self, self._lanes, self._table)
        self.send_after("sweep", SWEEP_SECONDS)
        self.send_after("let go", LET_GO_SECONDS)
        self._write()

    async def handle_call(self, request: Keep | Load | Claim, from_: From) -> Any:
        match request:
            case Keep(call_id):
                journal = self._table.get(call_id)
                if journal is None or journal.lost or journal.safe >= journal.last:
                    return "ok"
                if all(lane.late for lane in self._lanes):
                    return "ok"
                self._waiting.append(_Waiting(from_, journal, journal.last))
                self._write()
                return NO_REPLY
            case Load(call_id):
                journal = self._table.get(call_id)
                if journal is not None and journal.is_whole:
                    return told(journal.rows)
                self._reader.read(call_id, from_, None)
                return NO_REPLY
            case Claim(call_id, about):
                journal = self._table.get(call_id)
                if journal is None or not self._is_current(journal):
                    self._reader.read(call_id, from_, about)
                    return NO_REPLY
                journal.over = False
                if not journal.proved:
                    self._reader.read(call_id, None, about)
                return told(journal.rows)
        raise FunctionClause(self, request)

    async def handle_cast(self, request: Forget | Literal["write"]) -> None:
        match request:
            case "write":
                self.send_after("write", LINGER_SECONDS)
            case Forget(call_id):
                journal = self._table.get(call_id)
                if journal is not None:
                    journal.over = True
                    if journal.private and not journal.is_over_for_good():
                        journal.held_until = self._table.wall() + PRIVATE_SECONDS
                    self._drop(call_id, journal)
                    self._give_up_surplus()
            case _:
                raise FunctionClause(self, request)

    async def handle_info(self, message: Any) -> None:
        match message:
            case Exit(pid, reason) if (lane := self._lane_of(pid)) is not None:
                self._written(lane, reason)
            case Exit(Pid() as pid, reason) if self._reader.ended(pid, reason):
                return
            case _Late(number, batch) if self._lanes[number].is_writing(batch):
                lane = self._lanes[number]
                lane.late = True
                if (times := lane.times("memory_slow", self.vm.now())) is not None:
                    log.warning("memory_slow", store=lane.name, times=times)
                self._answer()
            case "write":
                self._write()
            case Patience(call_id, claim):
                self._reader.tell(call_id, claim, patient=False)
            case _Retry(number):
                self._lanes[number].retrying = False
                self._write()
            case "let go":
                for call_id, journal in list(self._table.items()):
                    self._drop(call_id, journal)
                self.send_after("let go", LET_GO_SECONDS)
            case "sweep":
                for lane in self._lanes:
                    Task.start(self.vm, self._sweep, lane.store)
                self.send_after("sweep", SWEEP_SECONDS)

    async def terminate(self, reason: Any) -> None:
        if reason not in (NORMAL, SHUTDOWN):
            return
        flushes = [self._flush(lane) for lane in self._lanes if not lane.late]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await asyncio.gather(*flushes)
        for lane in self._lanes:
            held = [self._table[call_id] for call_id in self._table.waiting[lane.name]]
            if left := sum(len(journal.unkept(lane.name)) for journal in held):
                log.error("memory_not_flushed", store=lane.name, entries=left, calls=len(held))

    async def _flush(self, lane: Lane) -> None:
        """Write what the store has not; a batch on its way is written once more."""
        with contextlib.suppress(StoreError):
            while parts := self._table.parts(lane.name, BATCH_ENTRIES):
                for part, written in zip(
                    parts, await self.vm.run_blocking(lane.store.write, parts), strict=True
                ):
                    if (journal := self._table.get(part.call_id)) is not None:
                        self._settle(lane, journal, part.epoch, written)

    def get_state(self) -> Any:
        """For people: how it stands with each store."""
        behind = {name: len(waiting) for name, waiting in self._table.waiting.items()}
        late = [lane.name for lane in self._lanes if lane.late]
        reading = len(self._reader)
        return {"calls": len(self._table), "behind": behind, "late": late, "reading": reading}

    # Writing

    def _lane_of(self, writer: Any) -> Lane | None:
        return next((lane for lane in self._lanes if lane.is_written_by(writer)), None)

    def _write(self) -> None:
        """Write what the stores have not, to each that is not at it or has refused just now."""
        self._table.told = False
        for lane in self._lanes:
            if lane.batch is None and not lane.retrying:
                self._write_to(lane)

    def _write_to(self, lane: Lane) -> None:
        parts = self._table.parts(lane.name, BATCH_ENTRIES)
        if not parts:
            return
        written: list[Written] = []

        async def write() -> None:
            try:
                written.extend(await self.vm.run_blocking(lane.store.write, parts))
            except StoreError as error:
                raise Stop(Shutdown(str(error))) from None

        lane.batches += 1
        lane.batch = Batch(parts, written, Task.start(self.vm, write).pid, lane.batches)
        self.send_after(_Late(lane.number, lane.batches), DURABLE_SECONDS)

    def _written(self, lane: Lane, reason: Any) -> None:
        batch, lane.batch = lane.batch, None
        assert batch is not None
        if reason != NORMAL:
            why = reason.detail if isinstance(reason, Shutdown) else reason
            if (times := lane.times("memory_not_written", self.vm.now())) is not None:
                reason = str(why)
                log.error("memory_not_written", store=lane.name, reason=reason, times=times)
            emit(self.vm, events.STORE_FAILED, store=lane.name)
            lane.late = lane.retrying = True
            self._answer()
            self.send_after(_Retry(lane.number), RETRY_SECONDS)
            return
        if lane.late and lane.recovers():
            entries = sum(len(part.rows) for part in batch.parts)
            log.info("memory_caught_up", store=lane.name, entries=entries)
        for part, written in zip(batch.parts, batch.written, strict=True):
            journal = self._table.get(part.call_id)
            if journal is not None:
                self._settle(lane, journal, part.epoch, written)
        self._answer()
        self._write()

    def _settle(self, lane: Lane, journal: Journal, epoch: int, written: Written) -> None:
        """What a store has told of a part of the journal."""
        call_id = written.call_id
        match written.outcome:
            case "kept":
                # A newer epoch, given meanwhile by another store, is still to be proved here.
                if journal.epoch == epoch:
                    journal.proved.add(lane.name)
                journal.kept[lane.name] = written.last
            case "behind" if journal.first <= written.last + 1:
                log.warning("memory_behind", call_id=call_id, store=lane.name, last=written.last)
                journal.kept[lane.name] = written.last
            case "behind":
                # Of a call that is over here its beginning may be gone everywhere.
                self._give_up(call_id, journal, "the store has lost what comes before", lane)
            case "refused" if lane.name not in journal.proved:
                # Nobody could be asked for an epoch when the call came here, the newest owner.
                journal.epoch = written.epoch + 1
            case "refused" if journal.epoch == epoch:
                self._lose(call_id, journal, lane)
        if journal.kept.get(lane.name, 0) >= journal.last:
            self._table.waiting[lane.name].pop(call_id, None)
            self._drop(call_id, journal)

    def _lose(self, call_id: str, journal: Journal, lane: Lane) -> None:
        """The call has a newer owner: nothing of it is written here any more."""
        log.warning("call_taken_elsewhere", call_id=call_id, store=lane.name)
        emit(self.vm, events.MEMORY_REFUSED, call_id=call_id, store=lane.name)
        journal.lost = True
        for waiting in self._table.waiting.values():
            waiting.pop(call_id, None)
        if (stream := self.vm.whereis(names.stream(call_id))) is not None:
            self.vm.send(stream, TAKEN)
        self._drop(call_id, journal)

    def _answer(self) -> None:
        """Answer those whose entries a store has by now, or all if no store is to be waited for."""
        late = all(lane.late for lane in self._lanes)
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if late or one.journal.lost or one.journal.safe >= one.number:
                one.from_.answer("ok")
            else:
                self._waiting.append(one)

    def _drop(self, call_id: str, journal: Journal) -> None:
        behind = any(call_id in waiting for waiting in self._table.waiting.values())
        held = self._table.wall() < journal.held_until
        if journal.over and not (behind or held):
            self._table.pop(call_id, None)

    def _give_up_surplus(self) -> None:
        for call_id, journal in list(self._table.surplus()):
            lanes = [one for one in self._lanes if call_id in self._table.waiting[one.name]]
            self._give_up(call_id, journal, "too much waits", *lanes)

    def _give_up(self, call_id: str, journal: Journal, why: str, *lanes: Lane) -> None:
        """These stores will not have what they have not."""
        journal.held_until = 0.0
        for lane in lanes:
            entries = len(journal.unkept(lane.name))
            log.error("memory_dropped", call_id=call_id, store=lane.name, entries=entries, why=why)
            emit(self.vm, events.MEMORY_DROPPED, count=entries, call_id=call_id, store=lane.name)
            journal.kept[lane.name] = journal.last
            self._table.waiting[lane.name].pop(call_id, None)
        self._drop(call_id, journal)

    def _is_current(self, journal: Journal) -> bool:
        """Whether the copy is the journal as it is, whatever the stores say."""
        away = all(lane.late for lane in self._lanes)
        return journal.is_whole and not journal.lost and (not journal.over or away)

    async def _sweep(self, store: JournalStore) -> None:
        """Delete the calls whose time is up."""
        try:
            while await self.vm.run_blocking(store.sweep, self._table.wall()):
                pass
        except StoreError as error:
            log.error("memory_not_swept", store=store.name, reason=str(error))
