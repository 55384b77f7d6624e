"""One HTTP/1.1 connection, with a hand on its bytes.

Contract: h11 reads and writes HTTP; this class moves the bytes and can also do what no web server
does: cut a chunk in half, close without a word, reset. TCP_NODELAY is on. `left` is set the
moment the client is gone. One task a connection runs the handler for one request after the other
(keep-alive); the connection ends with the task and the task with the connection.
Errors: `ClientLeft` from every sending method once the client is gone, or when it takes no bytes
for `WRITE_SECONDS`. A request that is no HTTP is answered 400, a body over `MAX_BODY` 413, and
the connection is closed.
Source: RFC 9112; Bedrock: ConverseStream is sent chunked.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast
from urllib.parse import SplitResult, urlsplit

import h11
import structlog

log = structlog.get_logger(__name__)

MAX_BODY = 25 * 1024 * 1024
IDLE_SECONDS = 300.0
BODY_SECONDS = 30.0
WRITE_SECONDS = 60.0

Headers = list[tuple[str, str]]


class ClientLeft(Exception):
    """Nobody reads any more."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A whole request; header names are lower case.

    `arrived`: when its first bytes came, in seconds of `time.monotonic`.
    """

    method: str
    target: SplitResult
    headers: dict[str, str]
    body: bytes
    arrived: float


Handler = Callable[["Connection", HttpRequest], Awaitable[None]]


class Connection(asyncio.Protocol):
    """The server's end of one connection."""

    def __init__(self, handler: Handler, opened: Callable[[Connection], None]) -> None:
        self._handler = handler
        self._opened = opened
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=64 * 1024)
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._backlog = 0
        self._arrives: float | None = None
        self._transport: asyncio.Transport | None = None
        self.left = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.task = asyncio.get_running_loop().create_task(self._serve())
        self._opened(self)

    def data_received(self, data: bytes) -> None:
        # Reading is never paused, or a client that leaves would go unnoticed; so what comes while
        # a request is being answered has to be bounded here.
        self._arrives = self._arrives or time.monotonic()
        self._backlog += len(data)
        if self._backlog > MAX_BODY:
            self.abort()
            return
        self._http.receive_data(data)
        self._arrived.set()

    def eof_received(self) -> None:
        self._gone()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    async def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """A whole response."""
        length = [("Content-Length", str(len(body)))]
        await self._send(h11.Response(status_code=status, headers=[*headers, *length]))
        await self._send(h11.Data(data=body))
        await self._send(h11.EndOfMessage())

    async def start_chunked(self, status: int, headers: Headers) -> None:
        """The header of a response whose body comes in chunks."""
        chunked = [("Transfer-Encoding", "chunked")]
        await self._send(h11.Response(status_code=status, headers=[*headers, *chunked]))

    async def chunk(self, data: bytes) -> None:
        """One chunk of the body."""
        await self._send(h11.Data(data=data))

    async def end_chunked(self) -> None:
        """The clean end of the body."""
        await self._send(h11.EndOfMessage())

    def break_in_chunk(self, data: bytes) -> None:
        """Half a chunk, then FIN."""
        encoded = self._http.send(h11.Data(data=data)) or b""
        self._write(encoded[: len(encoded) // 2])
        self.close()

    def close(self) -> None:
        """FIN, after what was written."""
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        """RST, at once."""
        if self._transport is not None and not self._transport.is_closing():
            self._socket().setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.abort()

    def abort(self) -> None:
        """Close without sending what is still buffered."""
        if self._transport is not None:
            self._transport.abort()

    async def pause(self, seconds: float | None) -> None:
        """Wait (None: for ever), but not for a client that has gone: `ClientLeft`."""
        try:
            async with asyncio.timeout(seconds):
                await self.left.wait()
        except TimeoutError:
            return
        raise ClientLeft

    async def _serve(self) -> None:
        try:
            while (request := await self._next_request()) is not None:
                await self._handler(self, request)
                if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                    break
                self._http.start_next_cycle()
        except ClientLeft:
            pass
        except h11.RemoteProtocolError as error:
            await self._refuse(error.error_status_hint, f"not a request: {error}")
        except TimeoutError:
            log.debug("bedrock_connection_idle")
        except Exception:
            log.exception("bedrock_connection_failed")
            self.abort()
        finally:
            self.close()

    async def _refuse(self, status: int, message: str) -> None:
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        body = message.encode()
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close")]
        try:
            await self.answer(status, headers, body)
        except ClientLeft:
            return

    async def _next_request(self) -> HttpRequest | None:
        async with asyncio.timeout(IDLE_SECONDS):
            head = await self._next_event()
        if not isinstance(head, h11.Request):
            return None
        headers = {name.decode(): value.decode("latin-1") for name, value in head.headers}
        parts: list[bytes] = []
        size = 0
        if int(headers.get("content-length", 0)) > MAX_BODY:
            await self._refuse(413, f"a body of more than {MAX_BODY} bytes")
            return None
        async with asyncio.timeout(BODY_SECONDS):
            if self._http.they_are_waiting_for_100_continue:
                await self._send(h11.InformationalResponse(status_code=100, headers=[]))
            while isinstance(event := await self._next_event(), h11.Data):
                size += len(event.data)
                if size > MAX_BODY:
                    await self._refuse(413, f"a body of more than {MAX_BODY} bytes")
                    return None
                parts.append(bytes(event.data))
        if not isinstance(event, h11.EndOfMessage):
            return None
        arrived, self._arrives = self._arrives or time.monotonic(), None
        return HttpRequest(
            head.method.decode(),
            urlsplit(head.target.decode("latin-1")),
            headers,
            b"".join(parts),
            arrived,
        )

    async def _next_event(self) -> object:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self.left.is_set():
                raise ClientLeft
            self._backlog = 0
            self._arrived.clear()
            await self._arrived.wait()

    async def _send(self, event: h11.Event) -> None:
        self._write(self._http.send(event) or b"")
        if not self._writable.is_set():
            try:
                async with asyncio.timeout(WRITE_SECONDS):
                    await self._writable.wait()
            except TimeoutError:
                self.abort()
                raise ClientLeft from None

    def _write(self, data: bytes) -> None:
        if self.left.is_set() or self._transport is None or self._transport.is_closing():
            raise ClientLeft
        self._transport.write(data)

    def _gone(self) -> None:
        self.left.set()
        self._arrived.set()
        self._writable.set()

    def _socket(self) -> socket.socket:
        assert self._transport is not None
        return cast(socket.socket, self._transport.get_extra_info("socket"))
