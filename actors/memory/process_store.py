"""Journals in the process: gone with it. For trials, and for nodes that must keep nothing.

Calls that are over are let go when there are more than `CALLS`, the oldest first.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from aybiza.actors.memory.store import (
    UNKNOWN,
    About,
    CallRecord,
    Claimed,
    Head,
    Part,
    Row,
    Wanted,
    Written,
    dumps,
    placed,
    told_by,
)
from aybiza.config.settings import Settings

CALLS: Final = 10_000


@dataclass(slots=True)
class _Call:
    """A call: the rows with their entries as JSON, as any other store has them."""

    epoch: int = 0
    rows: list[tuple[int, int, float, str]] = field(default_factory=list)
    about: About = UNKNOWN
    outcome: str = ""
    turns: int = 0
    updated: float = 0.0

    @property
    def head(self) -> Head:
        return Head(self.epoch, self.rows[-1][0] if self.rows else 0)

    def know(self, about: About | None) -> None:
        if about is not None and not self.about.opened:
            self.about = about


class ProcessStore:
    """See the module and `JournalStore`."""

    def __init__(self, most: int = CALLS) -> None:
        self.name = "memory of the process"
        self._most = most
        self._calls: dict[str, _Call] = {}
        self._lock = threading.Lock()

    @classmethod
    def of(cls, settings: Settings) -> ProcessStore:
        """The store of these settings."""
        return cls()

    def claim(self, call_id: str, epoch: int, about: About) -> Claimed:
        """See `JournalStore`."""
        with self._lock:
            call = self._call(call_id)
            call.know(about)
            call.epoch = max(call.epoch + 1, epoch)
            return Claimed(call.epoch, _rows(call_id, call))

    def write(self, parts: Sequence[Part]) -> list[Written]:
        """See `JournalStore`."""
        with self._lock:
            return [self._write(part) for part in parts]

    def read(self, call_id: str) -> list[Row]:
        """See `JournalStore`."""
        with self._lock:
            call = self._calls.get(call_id)
            return _rows(call_id, call) if call is not None else []

    def find(self, wanted: Wanted, limit: int) -> list[CallRecord]:
        """See `JournalStore`."""
        with self._lock:
            records = [_record(call_id, call) for call_id, call in self._calls.items()]
        found = sorted(filter(wanted.has, records), key=lambda record: -record.opened)
        return found[:limit]

    def forget(self, call_ids: Iterable[str]) -> int:
        """See `JournalStore`."""
        with self._lock:
            return sum(self._calls.pop(call_id, None) is not None for call_id in call_ids)

    def sweep(self, now: float) -> int:
        """See `JournalStore`."""
        with self._lock:
            calls = self._calls.items()
            over = [call_id for call_id, call in calls if 0 < call.about.expires <= now]
        return self.forget(over)

    def close(self) -> None:
        """Nothing is open."""

    def _call(self, call_id: str) -> _Call:
        call = self._calls.get(call_id)
        if call is None:
            call = self._calls[call_id] = _Call()
            if len(self._calls) > self._most:
                over = (name for name, one in self._calls.items() if one.outcome)
                self._calls.pop(next(over, ""), None)
        return call

    def _write(self, part: Part) -> Written:
        head = call.head if (call := self._calls.get(part.call_id)) is not None else Head()
        written, rows = placed(head, part)
        if written.outcome != "kept":
            return written
        call = self._call(part.call_id)
        if part.epoch > call.epoch:
            call.epoch = part.epoch
            while call.rows and call.rows[-1][0] >= part.rows[0].number:
                call.rows.pop()
        call.rows += [(row.number, row.event, row.at, dumps(row.entry)) for row in rows]
        call.know(part.about or About(opened=part.rows[0].at))
        told = told_by(rows)
        call.outcome = call.outcome if told.outcome is None else told.outcome
        call.turns = call.turns if told.turns is None else told.turns
        call.updated = max(call.updated, told.updated)
        return written


def _rows(call_id: str, call: _Call) -> list[Row]:
    return [Row(call_id, number, event, at, json.loads(e)) for number, event, at, e in call.rows]


def _record(call_id: str, call: _Call) -> CallRecord:
    caller, agent, tenant, opened, expires = call.about
    updated = max(call.updated, opened)
    outcome, turns = call.outcome, call.turns
    return CallRecord(call_id, caller, agent, tenant, opened, updated, outcome, turns, expires)
