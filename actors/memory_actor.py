"""MemoryActor: the memory of the conversations, in the process and in a store.

A call's journal is appended to before what it tells is acted on. `append` is answered when the
store has the entries, or after `DURABLE_SECONDS` if the store is slow or gone: the call goes on from
the process's own copy, which outlives this actor (a table of the VM), and the writes catch up.
The store is only touched by worker threads, one batch at a time.

Requests (`VM.call`):

    Append(call_id, first, event, entries)   entries `first`, `first + 1` … of the call's journal, all
                                             of the line's event `event`; those it has are passed over
    Load(call_id)                            -> list of (event, entry); from the store if need be

Casts: `Forget(call_id)`: the call is over; its copy goes once the store has it.

Source: specification 001, "Memory Implementation".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from actors.memory_store import Row, SqliteStore
from actors.runtime import NO_REPLY, NORMAL, Exit, From, FunctionClause, GenServer, Pid, Task

DURABLE_SECONDS = 0.05
RETRY_SECONDS = 1.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Append:
    """See the module."""

    call_id: str
    first: int
    event: int
    entries: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Load:
    """See the module."""

    call_id: str


@dataclass(frozen=True, slots=True)
class Forget:
    """See the module."""

    call_id: str


@dataclass(frozen=True, slots=True)
class _Waited:
    batch: int


@dataclass(frozen=True, slots=True)
class _Written:
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class _Read:
    call_id: str
    rows: list[Row]


@dataclass(slots=True)
class Journal:
    """The copy of one call's journal; `kept` entries of it are in the store."""

    rows: list[Row] = field(default_factory=list)
    kept: int = 0
    over: bool = False


class MemoryActor(GenServer):
    """See the module."""

    traps_exits = True

    async def init(self, store: SqliteStore, wall: Callable[[], float] = time.time) -> None:
        self.store = store
        self._wall = wall
        self.journals: dict[str, Journal] = self.vm.tables.setdefault("memory", {})
        self._unwritten = set(self.journals)
        self._batch = 0
        self._writing: Pid | None = None
        self._waiting: list[From] = []
        self._next: list[From] = []
        self._reading: dict[str, list[From]] = {}
        self._readers: dict[Pid, str] = {}
        self._write()

    async def handle_call(self, request: Any, from_: From) -> Any:
        match request:
            case Append():
                self._append(request)
                self._next.append(from_)
                self._write()
                return NO_REPLY
            case Load(call_id):
                journal = self.journals.get(call_id)
                if journal is not None:
                    return [(row[2], row[4]) for row in journal.rows]
                self._read(call_id, from_)
                return NO_REPLY
        raise FunctionClause(self, request)

    async def handle_cast(self, request: Any) -> None:
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
            case _Written(rows):
                self._kept(rows)
            case _Read(call_id, rows):
                self._has_read(call_id, rows)
            case _Waited(batch) if batch == self._batch:
                self._answer_waiting()
            case Exit(pid, reason) if pid == self._writing:
                self._writing = None
                if reason == NORMAL:
                    self._write()
                else:
                    log.warning("memory_not_written", store=self.store.path, reason=str(reason))
                    self._answer_waiting()
                    self.send_after("retry", RETRY_SECONDS)
            case Exit(pid, reason) if pid in self._readers:
                call_id = self._readers.pop(pid)
                if reason != NORMAL:
                    log.warning("memory_not_read", store=self.store.path, reason=str(reason))
                    self._has_read(call_id, [])
            case "retry":
                self._write()

    def _append(self, request: Append) -> None:
        journal = self.journals.setdefault(request.call_id, Journal())
        at = self._wall()
        for number, entry in enumerate(request.entries, request.first):
            if number == len(journal.rows) + 1:
                journal.rows.append((request.call_id, number, request.event, at, entry))
                self._unwritten.add(request.call_id)

    def _write(self) -> None:
        """Write what the store has not, unless a batch is on its way."""
        if self._writing is not None:
            return
        journals = [self.journals[call_id] for call_id in self._unwritten]
        rows = [row for journal in journals for row in journal.rows[journal.kept :]]
        self._waiting += self._next
        self._next = []
        if not rows:
            self._answer_waiting()
            return
        self._batch += 1

        async def write() -> None:
            await self.vm.run_blocking(self.store.write, rows)
            self.vm.send(self.pid, _Written(rows))

        self._writing = Task.start(self.vm, write).pid
        self.send_after(_Waited(self._batch), DURABLE_SECONDS)

    def _kept(self, rows: list[Row]) -> None:
        for call_id, number, *_ in rows:
            journal = self.journals.get(call_id)
            if journal is not None:
                journal.kept = max(journal.kept, number)
                if journal.kept == len(journal.rows):
                    self._unwritten.discard(call_id)
                self._drop(call_id, journal)
        self._answer_waiting()

    def _answer_waiting(self) -> None:
        for from_ in self._waiting:
            from_.answer("ok")
        self._waiting = []

    def _drop(self, call_id: str, journal: Journal) -> None:
        if journal.over and journal.kept == len(journal.rows):
            self.journals.pop(call_id, None)

    def _read(self, call_id: str, from_: From) -> None:
        waiting = self._reading.setdefault(call_id, [])
        waiting.append(from_)
        if len(waiting) > 1:
            return

        async def read() -> None:
            rows = await self.vm.run_blocking(self.store.read, call_id)
            self.vm.send(self.pid, _Read(call_id, rows))

        self._readers[Task.start(self.vm, read).pid] = call_id

    def _has_read(self, call_id: str, rows: list[Row]) -> None:
        journal = self.journals.get(call_id)
        if journal is None:
            journal = Journal(rows, len(rows))
            if rows:
                self.journals[call_id] = journal
        for from_ in self._reading.pop(call_id, []):
            from_.answer([(row[2], row[4]) for row in journal.rows])
