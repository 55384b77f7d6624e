"""The memory's store of a world: in the process, on a disk that can be full."""

from __future__ import annotations

from collections.abc import Sequence

from aybiza.actors.memory.process_store import ProcessStore
from aybiza.actors.memory.store import About, Claimed, Part, Row, StoreError, Written


class MemoryStore(ProcessStore):
    """A store without a file; while `full` it takes and gives nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.full = False

    def claim(self, call_id: str, epoch: int, about: About) -> Claimed:
        """As `JournalStore.claim`."""
        self._use()
        return super().claim(call_id, epoch, about)

    def write(self, parts: Sequence[Part]) -> list[Written]:
        """As `JournalStore.write`."""
        self._use()
        return super().write(parts)

    def read(self, call_id: str) -> list[Row]:
        """As `JournalStore.read`."""
        self._use()
        return super().read(call_id)

    def _use(self) -> None:
        if self.full:
            raise StoreError("memory: database or disk is full")
