"""The memory's store of a world: in the process, on a disk that can be full."""

from __future__ import annotations

from collections.abc import Iterable

from aybiza.actors.memory.sqlite_store import Row, SqliteStore, StoreError


class MemoryStore(SqliteStore):
    """A store without a file; while `full` it takes and gives nothing."""

    def __init__(self) -> None:
        super().__init__(":memory:")
        self.full = False

    def write(self, rows: Iterable[Row]) -> None:
        """As `SqliteStore.write`."""
        if self.full:
            raise StoreError("memory: database or disk is full")
        super().write(rows)

    def read(self, call_id: str) -> list[Row]:
        """As `SqliteStore.read`."""
        if self.full:
            raise StoreError("memory: database or disk is full")
        return super().read(call_id)
