"""An HTTP service on a loopback port: what the emulators that speak HTTP share.

Contract: a subclass answers each request in `_handle`; the port is open from `start` to `stop`, or
within `async with`. `stop` closes every connection and ends what was being answered.
Errors: `start` raises `OSError` when the port is taken.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Self

from aybiza.emulators.bedrock.connection import Connection, HttpRequest


class HttpService(ABC):
    """See the module. `port` 0 takes a free one."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host = host
        self.port = port
        self.accepted = 0
        """How many connections were made."""
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.host}:{self.port}"

    async def start(self) -> None:
        """Listen. Returns when connections are accepted."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._handle, self._opened), self.host, self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection. Idempotent."""
        if self._server is None:
            return
        self._server.close()
        tasks = [connection.task for connection in self._connections if connection.task]
        for connection in list(self._connections):
            connection.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _opened(self, connection: Connection) -> None:
        self.accepted += 1
        self._connections.add(connection)
        assert connection.task is not None
        connection.task.add_done_callback(lambda _: self._connections.discard(connection))

    @abstractmethod
    async def _handle(self, connection: Connection, request: HttpRequest) -> None:
        """Answer one request."""
