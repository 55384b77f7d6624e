"""A streamed service on a loopback port.

    async with StreamedServer(service) as server: …      server.url

Contract: what is answered, and when, is the service's to say; connections are kept between
requests. Errors: `start` raises `OSError` when the port is taken.
"""

from __future__ import annotations

import time

from aybiza.emulators.bedrock.connection import ClientLeft, Connection, HttpRequest
from aybiza.emulators.http_service import HttpService
from aybiza.emulators.streamed.steps import (
    Action,
    Begin,
    Cut,
    End,
    HangUp,
    Piece,
    Request,
    Service,
    Wait,
    Whole,
    let_go,
)


class StreamedServer(HttpService):
    """See the module. `port` 0 takes a free one."""

    def __init__(self, service: Service, *, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(host, port)
        self.service = service

    async def _handle(self, connection: Connection, request: HttpRequest) -> None:
        arrived = time.monotonic()
        asked = Request(request.method, request.target, request.headers, request.body)
        steps = await self.service.answer(asked, arrived)
        try:
            for step in steps:
                wait = arrived + step.at - time.monotonic()
                if wait > 0:
                    await connection.pause(wait)
                if connection.left.is_set():
                    raise ClientLeft
                await _done(connection, step.action)
        finally:
            let_go(steps)


async def _done(connection: Connection, action: Action) -> None:
    match action:
        case Whole(status, headers, body):
            await connection.answer(status, headers, body)
        case Begin(status, headers):
            await connection.start_chunked(status, headers)
        case Piece(data):
            await connection.chunk(data)
        case End():
            await connection.end_chunked()
        case Wait(seconds):
            await connection.pause(seconds)
        case Cut():
            connection.break_in_chunk(b"cut off on demand")
        case HangUp():
            connection.close()
