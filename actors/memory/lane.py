"""A store of the memory, what is on its way to it, and how it goes. No task and no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aybiza.actors.memory.store import JournalStore, Part, Written
from aybiza.actors.runtime import Pid


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
