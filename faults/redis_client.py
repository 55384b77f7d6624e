"""A Redis in memory, as the loop of a node asks it: answers of others, their costs, their requests.

    client = RedisClient(server)        as much of `redis.asyncio.Redis` as a node uses
    Requests(client)                    a storage of `limits` that counts there

`server` says whether it is `gone` and after how many `seconds` an answer comes; what was asked for
has been done even if nobody waits for the answer any more. Errors: those of redis-py.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol, Self

from redis.exceptions import ConnectionError as Unreachable

from aybiza.gateway.admission.rate_limit import AddressTable


class Server(Protocol):
    """How it goes with the server."""

    gone: bool
    seconds: float


class RedisClient:
    """See the module. `asked` is how often it was reached."""

    connection_pool = None

    def __init__(self, server: Server) -> None:
        self._server = server
        self._texts: dict[str, tuple[str, float]] = {}
        self._hashes: dict[str, dict[str, str]] = {}
        self._forgets: list[Callable[[], object]] = []
        self.asked = 0

    async def reach(self) -> None:
        """Go to the server; its answer takes its time."""
        if self._server.gone:
            raise Unreachable("connection refused")
        self.asked += 1

    async def answer(self) -> None:
        """Wait for the answer."""
        if self._server.seconds > 0:
            # Bounded by whoever asks, and by the plan.
            await asyncio.sleep(self._server.seconds)

    def forgotten_by(self, forget: Callable[[], object]) -> None:
        """Have `forget` called when the server loses all."""
        self._forgets.append(forget)

    def lose_all(self) -> None:
        """It has been started anew, without what it had."""
        self._texts.clear()
        self._hashes.clear()
        for forget in self._forgets:
            forget()

    def hash(self, name: str) -> Mapping[str, str]:
        """What stands in a hash."""
        return self._hashes.get(name, {})

    async def getrange(self, name: str, start: int, end: int) -> str:
        """GETRANGE: "" if it is not there."""
        await self.reach()
        text, until = self._texts.get(name, ("", 0.0))
        told = text[start : end + 1] if time.time() < until else ""
        await self.answer()
        return told

    async def set(self, name: str, value: str, *, ex: float) -> bool:
        """SET … EX."""
        await self.reach()
        self._texts[name] = value, time.time() + ex
        await self.answer()
        return True

    def pipeline(self, *, transaction: bool) -> Pipeline:
        """Commands that go together."""
        return Pipeline(self)

    async def aclose(self) -> None:
        """There is nothing to close."""


class Pipeline:
    """Commands, done in their order when they are executed."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client
        self._commands: list[Callable[[], Any]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._commands.clear()

    def hset(self, name: str, *, mapping: Mapping[str, object]) -> None:
        """HSET."""
        told = {key: str(value) for key, value in mapping.items()}
        hashes = self._client._hashes
        self._commands.append(lambda: hashes.setdefault(name, {}).update(told))

    def expire(self, name: str, seconds: int) -> None:
        """EXPIRE: longer than any world lasts."""
        self._commands.append(lambda: name in self._client._hashes)

    def hgetall(self, name: str) -> None:
        """HGETALL."""
        self._commands.append(lambda: dict(self._client.hash(name)))

    async def execute(self) -> list[Any]:
        """What each has answered."""
        await self._client.reach()
        told = [command() for command in self._commands]
        await self._client.answer()
        return told


class Requests(AddressTable):
    """Counts of requests that stand at the server."""

    STORAGE_SCHEME = ["async+world"]  # noqa: RUF012 - the library reads it from the class

    def __init__(self, client: RedisClient) -> None:
        super().__init__(clock=time.time)
        self._client = client
        client.forgotten_by(self._windows.clear)

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """As `AddressTable.incr`."""
        await self._client.reach()
        count: int = await super().incr(key, expiry, amount)
        await self._client.answer()
        return count

    async def get_expiry(self, key: str) -> float:
        """As `AddressTable.get_expiry`."""
        await self._client.reach()
        until: float = await super().get_expiry(key)
        await self._client.answer()
        return until
