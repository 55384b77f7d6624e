"""What the tests of the Deepgram clients share: a warm client, servers that misbehave, a broom."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.utils import accept_key

from aybiza.speech.deepgram import Deepgram

# Longest wait for anything; generous, for machines that do other things too.
LIMIT = 60.0

T = TypeVar("T")
Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def within(awaitable: Awaitable[T], seconds: float = LIMIT) -> T:
    """The result, or a failed test."""
    async with asyncio.timeout(seconds):
        return await awaitable


async def until(condition: Callable[[], bool], seconds: float = LIMIT) -> None:
    """Return once `condition` holds."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "waited in vain"
        await asyncio.sleep(0.005)


async def client(url: str, key: str = "key") -> Deepgram:
    """A warm client of the server at `url`."""
    deepgram = Deepgram(url=url, api_key=key)
    await within(deepgram.warm())
    return deepgram


@contextlib.asynccontextmanager
async def tcp_server(behaviour: Behaviour) -> AsyncIterator[str]:
    """A server that does `behaviour` with each connection; its URL for a websocket client."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behaviour(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(carry, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"ws://127.0.0.1:{port}"
    finally:
        server.close()
        await server.wait_closed()


@contextlib.asynccontextmanager
async def websocket_server(
    behaviour: Callable[[ServerConnection], Awaitable[None]],
) -> AsyncIterator[str]:
    """A websocket server that does `behaviour` with each connection; its URL."""
    async with serve(behaviour, "127.0.0.1", 0, close_timeout=0.2) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}"


async def upgraded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer a websocket's handshake."""
    asked = Headers()
    for line in (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]:
        name, _, value = line.partition(": ")
        asked[name] = value
    accept = accept_key(asked["Sec-WebSocket-Key"])
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept.encode() + b"\r\n\r\n"
    )
    await writer.drain()


def saying(*messages: str | bytes) -> Callable[[ServerConnection], Awaitable[None]]:
    """Say these messages and close in order."""

    async def behaviour(connection: ServerConnection) -> None:
        for message in messages:
            await connection.send(message)

    return behaviour


@contextlib.asynccontextmanager
async def nothing_left() -> AsyncIterator[None]:
    """See that what is done inside leaves no task, no socket and no complaint to the loop."""
    loop = asyncio.get_running_loop()
    complaints: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    tasks, sockets = asyncio.all_tasks(), _sockets()
    try:
        yield
        await until(lambda: asyncio.all_tasks() <= tasks and _sockets() <= sockets, 5.0)
        # What nobody retrieved or closed complains when it is collected.
        gc.collect()
        await asyncio.sleep(0)
    finally:
        loop.set_exception_handler(None)
    assert complaints == []


def _sockets() -> set[tuple[str, str]]:
    found = set()
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            target = os.readlink(f"/proc/self/fd/{number}")
            if target.startswith("socket:"):
                found.add((number, target))
    return found
