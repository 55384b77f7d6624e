"""A load balancer in front of several machines: a connection goes to the first that listens.

async with Balancer([(http_port, media_port), …]) as balancer:
    balancer.url
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Self

HOST = "127.0.0.1"


class Balancer:
    """See the module. Media websockets are told by their path."""

    def __init__(self, machines: Sequence[tuple[int, int]]) -> None:
        self._machines = machines
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, HOST, 0)
        self.url = f"http://{HOST}:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        try:
            first = await reader.readline()
            is_media = first.split(b" ")[1:2] == [b"/media"]
            for ports in self._machines:
                try:
                    there, back = await asyncio.open_connection(HOST, ports[is_media])
                except OSError:
                    continue
                back.write(first)
                await asyncio.gather(_copy(reader, back), _copy(there, writer))
                return
        finally:
            writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """All that comes, and then its end; a machine that is lost ends it, too."""
    try:
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
