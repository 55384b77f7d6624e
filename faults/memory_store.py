"""The memory's stores of a world, both in the process: a disk that can be full, and a Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aybiza.actors.memory.process_store import ProcessStore
from aybiza.actors.memory.redis_store import READ_SECONDS
from aybiza.actors.memory.store import About, Claimed, Part, Row, StoreError, Written
from aybiza.faults.redis_client import RedisClient
from aybiza.faults.world_loop import WorldLoop


class MemoryStore(ProcessStore):
    """A store without a file; while `full` it takes and gives nothing. An answer takes
    `seconds`."""

    def __init__(self) -> None:
        super().__init__()
        self.full = False
        self.seconds = 0.0

    def claim(self, call_id: str, epoch: int, about: About) -> Claimed:
        """As `JournalStore.claim`."""
        self._use()
        claimed = super().claim(call_id, epoch, about)
        self._answer()
        return claimed

    def write(self, parts: Sequence[Part]) -> list[Written]:
        """As `JournalStore.write`."""
        self._use()
        written = super().write(parts)
        self._answer()
        return written

    def read(self, call_id: str) -> list[Row]:
        """As `JournalStore.read`."""
        self._use()
        rows = super().read(call_id)
        self._answer()
        return rows

    def last(self, call_id: str) -> int:
        """The number of the newest entry of a call that it has, whatever is wrong with it."""
        return max((row.number for row in super().read(call_id)), default=0)

    def _use(self) -> None:
        if self.full:
            raise StoreError("memory: database or disk is full")

    def _answer(self) -> None:
        """It has done what it was asked for."""
        _take(self.seconds)


class MemoryRedis(MemoryStore):
    """A Redis without a server, as `RedisStore` has it.

    While `gone` nobody reaches it. An answer that takes longer than is waited for does not come,
    though what was asked for has been done.
    """

    def __init__(self) -> None:
        super().__init__()
        self.name = "redis of the world"
        self.gone = False
        self.client = RedisClient(self)
        """What the nodes' loops ask it by."""

    def lose_all(self) -> None:
        """It has been started anew, without what it had."""
        with self._lock:
            self._calls.clear()
        self.client.lose_all()

    def _use(self) -> None:
        if self.gone:
            raise StoreError(f"{self.name}: connection refused")

    def _answer(self) -> None:
        _take(min(self.seconds, READ_SECONDS))
        if self.seconds > READ_SECONDS:
            raise StoreError(f"{self.name}: timeout reading from socket")


def _take(seconds: float) -> None:
    """What is being done takes so long."""
    if seconds > 0:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, WorldLoop)
        loop.takes(seconds)
