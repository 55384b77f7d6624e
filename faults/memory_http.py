"""A streamed service in memory: a transport of httpx, without a socket, in virtual time.

    ChatClient(transport=MemoryHttp(service))

What the emulator's service decides comes as over the wire: status, head, pieces when they are due,
broken connections. `open` are the answers that are under way, `opened` when each request came.

Errors: those of httpx (`ReadError`, `RemoteProtocolError`, …).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Final
from urllib.parse import urlsplit

import httpx

from aybiza.emulators.streamed.steps import (
    Begin,
    Cut,
    End,
    HangUp,
    Piece,
    Request,
    Service,
    Step,
    Wait,
    Whole,
    let_go,
)

ROUND_TRIP_SECONDS: Final = 0.02


class MemoryHttp(httpx.AsyncBaseTransport):
    """See the module."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.open: set[_Body] = set()
        self.opened: list[float] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as the service does."""
        loop = asyncio.get_running_loop()
        arrived = loop.time()
        self.opened.append(arrived)
        body = await request.aread()
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Request(request.method, urlsplit(str(request.url)), headers, body)
        await asyncio.sleep(ROUND_TRIP_SECONDS)
        steps = await self._service.answer(asked, arrived)
        for step in steps:
            await _until(arrived + step.at)
            match step.action:
                case Whole(status, head, content):
                    return httpx.Response(status, headers=head, content=content)
                case Begin(status, head):
                    return httpx.Response(status, headers=head, stream=_Body(self, steps, arrived))
                case Wait(seconds):
                    await _waited(seconds)
                case HangUp() | Cut():
                    raise httpx.RemoteProtocolError("Server disconnected without a response.")
        raise httpx.RemoteProtocolError("Server disconnected without a response.")


class _Body(httpx.AsyncByteStream):
    def __init__(self, owner: MemoryHttp, steps: Iterator[Step], arrived: float) -> None:
        self._owner = owner
        self._steps = steps
        self._arrived = arrived
        owner.open.add(self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for step in self._steps:
            await _until(self._arrived + step.at)
            match step.action:
                case Piece(data):
                    yield data
                case Wait(seconds):
                    await _waited(seconds)
                case Cut() | HangUp():
                    raise httpx.ReadError("the connection was reset")
                case End():
                    return

    async def aclose(self) -> None:
        self._owner.open.discard(self)
        let_go(self._steps)


async def _until(due: float) -> None:
    await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))


async def _waited(seconds: float | None) -> None:
    if seconds is None:
        # Bounded by the client, which gives up and closes.
        await asyncio.get_running_loop().create_future()
    else:
        await asyncio.sleep(seconds)
