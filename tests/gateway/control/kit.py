"""A server that nobody expects: what it says first, and then the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def stranger(says: bytes) -> AsyncIterator[str]:
    """The address of a server that says this to who comes, and closes when they have gone."""
    visits: list[asyncio.Task[None]] = []

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        visits.append(task)
        try:
            writer.write(says)
            writer.write_eof()
            await reader.read()
        except OSError:
            pass
        finally:
            writer.transport.abort()

    async with await asyncio.start_server(visit, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"
        await asyncio.gather(*visits)
        await asyncio.sleep(0)
