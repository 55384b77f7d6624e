"""A store of the memory, what is on its way to it, and how it goes. No task and no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from aybiza.actors.memory.store import JournalStore, Part, Written
from aybiza.actors.runtime import Pid

LOG_SECONDS: Final = 60.0
"""How often the same is told of a store: each refusal would be a line a second of a night."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Parts on their way to a store, by a task; `written` is filled by its end."""

    parts: Sequence[Part]
    written: list[Written]
    writer: Pid
    number: int


@dataclass(slots=True)
class Lane:
    """A store, and how it goes. `late`: it is slow or gone, so nobody waits for it now;
    `retrying`: it has failed just now, and is tried again in a moment."""

    number: int
    store: JournalStore
    batch: Batch | None = None
    batches: int = 0
    late: bool = False
    retrying: bool = False
    _told: dict[str, tuple[float, int]] = field(default_factory=dict)
    _is_told: bool = False

    def times(self, event: str, now: float) -> int | None:
        """How often it has happened since it was told last; None if it is not to be told now."""
        until, times = self._told.get(event, (now, 0))
        if now < until:
            self._told[event] = until, times + 1
            return None
        self._told[event] = now + LOG_SECONDS, 0
        self._is_told = True
        return times + 1

    def recovers(self) -> bool:
        """It is well again; whether anybody has been told that it was not."""
        self.late, told, self._is_told = False, self._is_told, False
        return told

    @property
    def name(self) -> str:
        """The store's."""
        return self.store.name

    def is_writing(self, batch: int) -> bool:
        """Whether it is at this batch still."""
        return self.batch is not None and self.batch.number == batch

    def is_written_by(self, writer: Pid) -> bool:
        """Whether this task is at it."""
        return self.batch is not None and self.batch.writer == writer
