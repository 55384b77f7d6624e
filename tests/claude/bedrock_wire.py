"""A loopback Bedrock for client tests: true event-stream frames over HTTP, one script a request.

`async with BedrockWire(script) as wire:` serves on `wire.url`; `script(reply)` decides, byte for
byte, what each `converse-stream` request gets.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self

LIMIT_S = 60.0

Script = Callable[["Reply"], Awaitable[None]]


def frame(headers: dict[str, str], payload: bytes) -> bytes:
    """One event-stream message."""
    block = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value)) + value
        for name, value in ((key, text.encode()) for key, text in headers.items())
    )
    prelude = struct.pack("!II", 16 + len(block) + len(payload), len(block))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + block + payload
    return message + struct.pack("!I", zlib.crc32(message))


def event_frame(kind: str, payload: dict[str, Any]) -> bytes:
    """An ordinary event."""
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return frame(headers, json.dumps(payload).encode())


def exception_frame(kind: str, message: str) -> bytes:
    """A modelled exception inside the stream."""
    headers = {
        ":exception-type": kind,
        ":content-type": "application/json",
        ":message-type": "exception",
    }
    return frame(headers, json.dumps({"message": message}).encode())


def error_frame(code: str, message: str) -> bytes:
    """An unmodelled error inside the stream."""
    headers = {":message-type": "error", ":error-code": code, ":error-message": message}
    return frame(headers, b"")


def text_delta(text: str, index: int = 0) -> bytes:
    """The event for a piece of text."""
    return event_frame("contentBlockDelta", {"contentBlockIndex": index, "delta": {"text": text}})


MESSAGE_START = event_frame("messageStart", {"role": "assistant"})
MESSAGE_END = (
    event_frame("contentBlockStop", {"contentBlockIndex": 0})
    + event_frame("messageStop", {"stopReason": "end_turn"})
    + event_frame(
        "metadata",
        {
            "usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5},
            "metrics": {"latencyMs": 1},
        },
    )
)


@dataclass(frozen=True)
class Request:
    """What the client sent."""

    target: str
    headers: dict[str, str]
    body: dict[str, Any]


class Reply:
    """The answer to one request; a script calls these in order."""

    def __init__(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.request = request
        self.ended = False
        self._reader = reader
        self._writer = writer

    async def start(self) -> None:
        """Status 200 and the headers of an event stream."""
        await self._write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )

    async def send(self, data: bytes) -> None:
        """One chunk of the body."""
        await self._write(b"%x\r\n%s\r\n" % (len(data), data))

    async def finish(self) -> None:
        """The regular end of the body; the connection stays."""
        await self._write(b"0\r\n\r\n")

    async def say(self, *texts: str) -> None:
        """A whole answer of these text deltas."""
        await self.start()
        await self.send(MESSAGE_START)
        for text in texts:
            await self.send(text_delta(text))
        await self.send(MESSAGE_END)
        await self.finish()

    async def refuse(self, status: int, error: str, message: str) -> None:
        """An HTTP error."""
        body = json.dumps({"message": message}).encode()
        head = (
            f"HTTP/1.1 {status} Error\r\nx-amzn-errortype: {error}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        await self._write(head.encode() + body)

    async def hang_up(self, *, reset: bool = False) -> None:
        """Close the connection (FIN), or reset it."""
        self.ended = True
        if reset:
            sock: socket.socket = self._writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.close()

    async def client_gone(self) -> None:
        """Say nothing until the client has closed the connection."""
        self.ended = True
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(self._reader.read(), LIMIT_S)

    async def _write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()


class BedrockWire:
    """The server. requests: all of them, in order. connections: how many the client has opened.
    knocks: requests that ask for nothing; they are refused."""

    def __init__(self, script: Script) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.knocks = 0
        self.url = ""
        self._script = script
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        # A connection that was being accepted just now is made in the loop's next rounds.
        for _round in range(3):
            await asyncio.sleep(0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await asyncio.wait_for(writer.wait_closed(), LIMIT_S)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await self._read(reader)) is not None:
                reply = Reply(request, reader, writer)
                if request.target == "/ping":
                    self.knocks += 1
                    await reply.refuse(403, "AccessDeniedException", "not signed")
                    continue
                self.requests.append(request)
                with contextlib.suppress(ConnectionError):
                    await self._script(reply)
                if reply.ended:
                    return
        except ConnectionError:
            pass
        writer.close()

    @staticmethod
    async def _read(reader: asyncio.StreamReader) -> Request | None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        first, *lines = head.decode("latin-1").rstrip().split("\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Request(first.split(" ")[1], headers, json.loads(body or b"{}"))
