"""MemoryActor: the memory of the conversations, in the process and in a store.

A call's journal is appended to before what it tells is acted on. `Append` is answered when the
store has the entries, or after `DURABLE_SECONDS` if the store is slow, and at once while it is
gone: the call goes on from the process's own copy, which outlives this actor (a table of the VM),
and the writes catch up. The store is touched by worker threads only, one batch at a time.

Requests (`VM.call`):

    Append(call_id, first, event, entries)   entries `first`, `first + 1` … of the call's journal,
                                             all of the line's event `event`; those it has are
                                             passed over. Answers "ok"
    Load(call_id, keep)                      list of (event, entry), from the store if need be;
                                             `keep`: the call goes on here, hold a copy of it

Casts: `Forget(call_id)`: the call has left this node; its copy goes once the store has it.

Source: specification 001, "Memory Implementation".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import structlog

from actors.memory_store import Row, SqliteStore, StoreError
from actors.runtime import (
    NO_REPLY,
    NORMAL,
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
RETRY_SECONDS = 1.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Append(Request[Literal["ok"]]):
    """See the module."""

    call_id: str
    first: int
    event: int
    entries: list[dict[str, Any]]


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


@dataclass(slots=True)
class _Batch:
    """Rows on their way to the store, and who waits for that."""

    rows: list[Row]
    writer: Pid
    number: int


class MemoryActor(GenServer[Append | Load, Forget]):
    """See the module."""

    traps_exits = True

    async def init(self, store: SqliteStore, wall: Callable[[], float] = time.time) -> None:
        self.store = store
        self._wall = wall
        self.journals: dict[str, Journal] = self.vm.tables.setdefault("memory", {})
        self._unkept = {name for name, held in self.journals.items() if held.unkept()}
        self._batch: _Batch | None = None
        self._batches = 0
        # Whether the store is slow or gone: nobody waits for it then.
        self._late = False
        self._retrying = False
        self._waiting: list[From] = []
        self._next: list[From] = []
        self._reading: dict[str, list[tuple[From, bool]]] = {}
        self._readers: dict[Pid, str] = {}
        self._write()

    async def handle_call(self, request: Append | Load, from_: From) -> Any:
        match request:
            case Append():
                self._append(request)
                self._next.append(from_)
                self._write()
                if self._late:
                    self._answer_all()
                return NO_REPLY
            case Load(call_id, keep):
                journal = self.journals.get(call_id)
                if journal is None or journal.rows[0].number > 1:
                    self._read(call_id, from_, keep)
                    return NO_REPLY
                journal.over = journal.over and not keep
                return _told(journal.rows)
        raise FunctionClause(self, request)

    async def handle_cast(self, request: Forget) -> None:
        match request:
            case Forget(call_id):
                journal = self.journals.get(call_id)
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
            case "retry":
                self._retrying = False
                self._write()

    def _append(self, request: Append) -> None:
        journal = self.journals.get(request.call_id) or Journal()
        at = self._wall()
        for number, entry in enumerate(request.entries, request.first):
            if number > journal.last:
                journal.rows.append(Row(request.call_id, number, request.event, at, entry))
                self.journals[request.call_id] = journal
                self._unkept.add(request.call_id)

    def _write(self) -> None:
        """Write what the store has not, unless a batch is on its way or was refused just now."""
        if self._batch is not None or self._retrying:
            return
        self._waiting, self._next = [*self._waiting, *self._next], []
        rows = [row for call_id in self._unkept for row in self.journals[call_id].unkept()]
        if not rows:
            self._answer_all()
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
            journal = self.journals[call_id]
            journal.kept = number
            if journal.last == number:
                self._unkept.discard(call_id)
                self._drop(call_id, journal)
        self._answer(self._waiting)
        self._waiting = []
        self._write()

    def _answer_all(self) -> None:
        self._answer([*self._waiting, *self._next])
        self._waiting, self._next = [], []

    def _answer(self, waiting: list[From]) -> None:
        for from_ in waiting:
            from_.answer("ok")

    def _drop(self, call_id: str, journal: Journal) -> None:
        if journal.over and journal.kept >= journal.last:
            del self.journals[call_id]

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
        journal = self.journals.get(call_id)
        waiting = self._reading.pop(call_id, [])
        if journal is not None:
            first = journal.rows[0].number
            rows = journal.rows = [*(row for row in rows if row.number < first), *journal.rows]
        elif rows and any(keep for _, keep in waiting):
            self.journals[call_id] = Journal(rows, kept=rows[-1].number)
        for from_, _ in waiting:
            from_.answer(_told(rows))


def _told(rows: list[Row]) -> list[tuple[int, dict[str, Any]]]:
    return [(row.event, row.entry) for row in rows]
