"""What was asked of the emulator, and what became of it.

Contract: one `Record` a request, in the order of arrival, at most `limit` of them (the oldest go
first). All times are seconds of `time.monotonic`, which processes of one machine share; a request
has `arrived` with its first byte. `wait_for` waits for a record without polling.
Errors: `wait_for` raises `TimeoutError`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

OPEN = "open"
COMPLETED = "completed"
CANCELLED = "cancelled"
FAULT = "fault"
REFUSED = "refused"


@dataclass(slots=True)
class Record:
    """One request.

    `outcome`: `open` until it ended, then `completed`, `cancelled` (the client left), `fault` (a
    fault on demand ended it) or `refused` (the request was not in order). `region`: the one that it
    was signed for. `told_first_ms`: the delay before the first event that the pace asked for.
    `deltas_after_client_left`: the deltas that were made although nobody listened any more.
    """

    number: int
    operation: str
    model_id: str
    arrived: float
    region: str = ""
    body: dict[str, Any] | None = None
    call: dict[str, str] = field(default_factory=dict)
    user_text: str = ""
    status: int = 0
    error_code: str = ""
    fault: str = ""
    outcome: str = OPEN
    told_first_ms: float = 0.0
    header_sent: float | None = None
    first_event_sent: float | None = None
    last_event_sent: float | None = None
    client_left: float | None = None
    finished: float | None = None
    deltas_total: int = 0
    deltas_sent: int = 0
    deltas_after_client_left: int = 0
    reply_text: str = ""
    usage: dict[str, int] = field(default_factory=dict)

    def as_json(self, *, with_body: bool = False) -> dict[str, Any]:
        """The record as a JSON object; the request's body only when it is asked for."""
        members = {member.name: getattr(self, member.name) for member in fields(self)}
        if not with_body:
            del members["body"]
        return members


class Journal:
    """The last requests."""

    def __init__(self, limit: int = 512) -> None:
        self._records: deque[Record] = deque(maxlen=limit)
        self._count = 0
        self._cancelled = 0
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._records)

    @property
    def count(self) -> int:
        """How many requests there were since the start."""
        return self._count

    @property
    def cancelled(self) -> int:
        """How many of them their client left before the end."""
        return self._cancelled

    @property
    def records(self) -> list[Record]:
        """The records, oldest first."""
        return list(self._records)

    def since(self, number: int) -> list[Record]:
        """The records with a number above this one."""
        return [record for record in self._records if record.number > number]

    def open(self, operation: str, model_id: str, arrived: float) -> Record:
        """A new record."""
        self._count += 1
        record = Record(self._count, operation, model_id, arrived)
        self._records.append(record)
        self.touch()
        return record

    def close(self, record: Record, outcome: str, now: float) -> None:
        """Note how a request ended. The first outcome stands."""
        if record.outcome != OPEN:
            return
        record.outcome = outcome
        record.finished = now
        self._cancelled += outcome == CANCELLED
        self.touch()

    def clear(self) -> None:
        """Forget the records; the counts go on."""
        self._records.clear()

    def touch(self) -> None:
        """Wake those who wait: a record has changed."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_for(self, holds: Callable[[Record], bool], *, timeout: float = 5.0) -> Record:
        """The oldest record for which `holds` is true, now or within `timeout` seconds."""
        async with asyncio.timeout(timeout):
            while True:
                found = next((record for record in self._records if holds(record)), None)
                if found is not None:
                    return found
                await self._changed.wait()
