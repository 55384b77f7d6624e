"""MemoryActor: the memory of the conversations, in the process and in a store.

A call's journal stands in a table of the VM, which outlives this actor: `append` puts entries there
at once, so neither the call's actor nor this one can die in between. The store gets them within
`LINGER_SECONDS`, or at once when somebody waits for it by `kept`: before anything is done that the
world beyond the node can notice. A store that is slow is waited for no longer than
`DURABLE_SECONDS`, one that is gone not at all: the call goes on from the process's own copy, and
the writes catch up. The store is touched by worker threads only, one batch at a time.

    append(vm, call_id, first, event, entries)   entries `first`, `first + 1` … of the call's
                                                 journal, all of the line's event `event`; those it
                                                 has are passed over
    await kept(vm, call_id)                      the store has them, or has had its time

Requests (`VM.call`):

    Keep(call_id)          have the store keep what the journal has now. Answers "ok"
    Load(call_id, keep)    list of (event, entry), from the store if need be; `keep`: the call goes
                           on here, hold a copy of it

Casts: `"write"`: there are new entries; `Forget(call_id)`: the call has left this node; its copy
goes once the store has it.

Source: specification 001, "Memory Implementation".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import structlog

from aybiza.actors import names
from aybiza.actors.memory.sqlite_store import Row, SqliteStore, StoreError
from aybiza.actors.runtime import (
    NO_REPLY,
    NORMAL,
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
LINGER_SECONDS = 0.01
RETRY_SECONDS = 1.0
KEPT_SECONDS = 0.5

TABLE: Final = "memory"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Keep(Request[Literal["ok"]]):
    """See the module."""

    call_id: str


@dataclass(frozen=True, slots=True)
class Load(Request[list[tuple[int, dict[str, Any]]]]):
    """See the module."""

    call_id: str
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Forget:
    """See the module."""

    call_id: str


@dataclass(frozen=True, slots=True)
class _Late:
    batch: int


@dataclass(frozen=True, slots=True)
class _Read:
    call_id: str
    rows: list[Row]


@dataclass(slots=True)
class Journal:
    """The process's copy of one call's journal, in order; the store has it up to `kept`.

    It holds all that the store has not; what is before its first row the store has.
    """

    rows: list[Row] = field(default_factory=list)
    kept: int = 0
    over: bool = False

    @property
    def last(self) -> int:
        """The number of the last entry; 0 when there is none."""
        return self.rows[-1].number if self.rows else 0

    def unkept(self) -> list[Row]:
        """What the store has not."""
        first = len(self.rows)
        while first and self.rows[first - 1].number > self.kept:
            first -= 1
        return self.rows[first:]


class Journals(dict[str, Journal]):
    """The table: the journals by the ids of their calls.

    `unkept`: the calls of which the store has not all. `told`: the actor knows of new entries.
    `wall`: the clock that they are stamped with, unix time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unkept: set[str] = set()
        self.told = False
        self.wall: Callable[[], float] = time.time


def journals(vm: VM) -> Journals:
    """The table of `vm`, made at the first use."""
    found = vm.tables.get(TABLE)
    if not isinstance(found, Journals):
        found = vm.tables[TABLE] = Journals()
    return found


def append(vm: VM, call_id: str, first: int, event: int, entries: list[dict[str, Any]]) -> None:
    """See the module. Never waits."""
    table = journals(vm)
    journal = table.get(call_id) or Journal()
    at = table.wall()
    for number, entry in enumerate(entries, first):
        if number > journal.last:
            journal.rows.append(Row(call_id, number, event, at, entry))
            table[call_id] = journal
            table.unkept.add(call_id)
    if table.unkept and not table.told:
        table.told = True
        vm.cast(names.MEMORY, "write")


async def kept(vm: VM, call_id: str) -> None:
    """See the module. At most `KEPT_SECONDS`; that the actor is not to be had is logged."""
    journal = journals(vm).get(call_id)
    if journal is None or journal.kept >= journal.last:
        return
    try:
        await names.call_patiently(vm, names.MEMORY, Keep(call_id), KEPT_SECONDS)
    except CallExit as error:
        log.error("memory_unavailable", call_id=call_id, reason=str(error.reason))


@dataclass(slots=True)
class _Batch:
    """Rows on their way to the store."""

    rows: list[Row]
    writer: Pid
    number: int


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Who waits until the store has a journal up to its entry `number`."""

    from_: From
    journal: Journal
    number: int


class MemoryActor(GenServer[Keep | Load, Forget | Literal["write"]]):
    """See the module."""

    traps_exits = True

    async def init(self, store: SqliteStore) -> None:
        self.store = store
        self._table = journals(self.vm)
        self._batch: _Batch | None = None
        self._batches = 0
        # Whether the store is slow or gone: nobody waits for it then.
        self._late = False
        self._retrying = False
        self._waiting: list[_Waiting] = []
        self._reading: dict[str, list[tuple[From, bool]]] = {}
        self._readers: dict[Pid, str] = {}
        self._write()

    async def handle_call(self, request: Keep | Load, from_: From) -> Any:
        match request:
            case Keep(call_id):
                journal = self._table.get(call_id)
                if self._late or journal is None or journal.kept >= journal.last:
                    return "ok"
                self._waiting.append(_Waiting(from_, journal, journal.last))
                self._write()
                return NO_REPLY
            case Load(call_id, keep):
                journal = self._table.get(call_id)
                if journal is None or journal.rows[0].number > 1:
                    self._read(call_id, from_, keep)
                    return NO_REPLY
                journal.over = journal.over and not keep
                return _told(journal.rows)
        raise FunctionClause(self, request)

    async def handle_cast(self, request: Forget | Literal["write"]) -> None:
        match request:
            case "write":
                self.send_after("write", LINGER_SECONDS)
            case Forget(call_id):
                journal = self._table.get(call_id)
                if journal is not None:
                    journal.over = True
                    self._drop(call_id, journal)
            case _:
                raise FunctionClause(self, request)

    async def handle_info(self, message: Any) -> None:
        match message:
            case Exit(pid, reason) if self._batch is not None and pid == self._batch.writer:
                self._written(self._batch.rows, reason)
            case Exit(pid, reason) if pid in self._readers:
                call_id = self._readers.pop(pid)
                if reason != NORMAL:
                    log.error("memory_not_read", call_id=call_id, reason=str(reason))
                    self._has_read(call_id, [])
            case _Read(call_id, rows):
                self._has_read(call_id, rows)
            case _Late(number) if self._batch is not None and number == self._batch.number:
                log.warning("memory_slow", store=self.store.path)
                self._late = True
                self._answer_all()
            case "write":
                self._write()
            case "retry":
                self._retrying = False
                self._write()

    def _write(self) -> None:
        """Write what the store has not, unless a batch is on its way or was refused just now."""
        if self._batch is not None or self._retrying:
            return
        self._table.told = False
        held = self._table
        rows = [row for call_id in self._table.unkept for row in held[call_id].unkept()]
        if not rows:
            return

        async def write() -> None:
            try:
                await self.vm.run_blocking(self.store.write, rows)
            except StoreError as error:
                raise Stop(Shutdown(str(error))) from None

        self._batches += 1
        self._batch = _Batch(rows, Task.start(self.vm, write).pid, self._batches)
        self.send_after(_Late(self._batches), DURABLE_SECONDS)

    def _written(self, rows: list[Row], reason: Any) -> None:
        self._batch = None
        if reason != NORMAL:
            log.error("memory_not_written", store=self.store.path, reason=str(reason))
            self._late = self._retrying = True
            self._answer_all()
            self.send_after("retry", RETRY_SECONDS)
            return
        if self._late:
            log.info("memory_caught_up", store=self.store.path, entries=len(rows))
        self._late = False
        for call_id, number, *_ in rows:
            journal = self._table[call_id]
            journal.kept = number
            if journal.last == number:
                self._table.unkept.discard(call_id)
                self._drop(call_id, journal)
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if one.journal.kept >= one.number:
                one.from_.answer("ok")
            else:
                self._waiting.append(one)
        self._write()

    def _answer_all(self) -> None:
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.from_.answer("ok")

    def _drop(self, call_id: str, journal: Journal) -> None:
        if journal.over and journal.kept >= journal.last:
            del self._table[call_id]

    def _read(self, call_id: str, from_: From, keep: bool) -> None:
        waiting = self._reading.setdefault(call_id, [])
        waiting.append((from_, keep))
        if len(waiting) > 1:
            return

        async def read() -> None:
            try:
                rows = await self.vm.run_blocking(self.store.read, call_id)
            except StoreError as error:
                raise Stop(Shutdown(str(error))) from None
            self.vm.send(self.pid, _Read(call_id, rows))

        self._readers[Task.start(self.vm, read).pid] = call_id

    def _has_read(self, call_id: str, rows: list[Row]) -> None:
        journal = self._table.get(call_id)
        waiting = self._reading.pop(call_id, [])
        if journal is not None:
            first = journal.rows[0].number
            rows = journal.rows = [*(row for row in rows if row.number < first), *journal.rows]
        elif rows and any(keep for _, keep in waiting):
            self._table[call_id] = Journal(rows, kept=rows[-1].number)
        for from_, _ in waiting:
            from_.answer(_told(rows))


def _told(rows: list[Row]) -> list[tuple[int, dict[str, Any]]]:
    return [(row.event, row.entry) for row in rows]
