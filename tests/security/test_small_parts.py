"""What is cheap to send by the thousand is not dear to read: chunks, headers, pings, parts."""

from __future__ import annotations

import asyncio
import os
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from aybiza.actors.runtime import VM
from aybiza.config.ports import bound
from aybiza.gateway.admission import entrance
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.entrance import EARLY_PIECE_BYTES, MediaConnection
from aybiza.gateway.admission.flow import EARLY_BYTES, ODD_EARLY
from aybiza.gateway.admission.refusals import Refusals
from aybiza.gateway.http_server import HttpServer
from aybiza.gateway.media_server import STREAM_SUPERVISOR, MediaServer
from aybiza.supervisors import DynamicSupervisor
from tests.call.caller import LIMIT

SHAKE = (
    b"Host: phone\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + b64encode(os.urandom(16)) + b"\r\n"
)
TINY = {
    "pings": bytes((0x89, 0x80, 0, 0, 0, 0)),
    "pongs": bytes((0x8A, 0x80, 0, 0, 0, 0)),
    "parts": bytes((0x01, 0x80, 0, 0, 0, 0)) + bytes((0x80, 0x80, 0, 0, 0, 0)),
}
LONG = bytes((0x81, 0xFF, *(1).to_bytes(8), 0, 0, 0, 0)) + b"x"
"""A message of a letter whose length is written in eight bytes: from it on all is passed on."""


class Refused(Refusals):
    """Keeps them."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        super().__init__(lambda door, reason: self.told.append((door, reason)))


async def hung_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read until the node has closed, however it does."""
    with suppress(ConnectionError):
        while await reader.read(4096):
            pass
    writer.close()


@asynccontextmanager
async def http_door(
    app: Starlette | None = None,
) -> AsyncIterator[tuple[Refused, list[Any], tuple[str, int]]]:
    """A door that answers 404: its refusals, what the loop has to say of faults, where it is."""
    faults: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    refused, listening = Refused(), bound("127.0.0.1", 0)
    admission = Admission(refusals=refused)
    async with VM() as vm, asyncio.timeout(LIMIT):
        await vm.start(HttpServer, listening, app or Starlette(), admission)
        yield refused, faults, listening.getsockname()
        assert len(admission.room) == 0
    listening.close()
    asyncio.get_running_loop().set_exception_handler(None)


@pytest.mark.parametrize(
    "begun",
    [
        b"POST /x HTTP/1.1\r\n" + SHAKE + b"Content-Length: 3\r\n\r\n",
        b"GET /x HTTP/1.1\r\n" + SHAKE + b"Sec-WebSocket-Protocol: " + b"a," * 5_000 + b"\r\n\r\n",
    ],
    ids=["body", "long line"],
)
async def test_a_handshake_that_nobody_understands_holds_no_connection(begun: bytes) -> None:
    async with http_door() as (refused, faults, address):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(begun)
        await hung_up(reader, writer)
        assert refused.told == [("http", "malformed")]
    assert faults == []


async def test_what_comes_behind_an_answer_and_is_no_http_is_no_fault() -> None:
    async with http_door() as (refused, faults, address):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        await reader.readuntil(b"Not Found")
        writer.write(b"ZZZZ\r\n")
        await hung_up(reader, writer)
        assert refused.told == [("http", "malformed")]
    assert faults == []


async def test_what_comes_ahead_of_the_answer_at_the_http_door_is_no_fault() -> None:
    async def slow(socket: WebSocket) -> None:
        with suppress(WebSocketDisconnect):
            await socket.receive()
            await socket.receive()

    app = Starlette(routes=[WebSocketRoute("/slow", slow)])
    async with http_door(app) as (_, faults, address):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET /slow HTTP/1.1\r\n" + SHAKE + b"\r\n")
        await asyncio.sleep(0.05)
        writer.write(b"\xff\xff\xff\xff")
        await hung_up(reader, writer)
    assert faults == []


@pytest.mark.parametrize("kind", TINY)
@pytest.mark.parametrize("before", [b"", LONG], ids=["as usual", "behind a long length"])
async def test_before_start_few_frames_are_read_that_are_no_message(
    kind: str, before: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = 0

    def counted(self: MediaConnection, event: Any) -> None:
        nonlocal seen
        seen += 1
        plain(self, event)

    plain = MediaConnection.process_event
    monkeypatch.setattr(entrance.MediaConnection, "process_event", counted)
    refused, listening = Refused(), bound("127.0.0.1", 0)
    admission = Admission(refusals=refused)
    async with VM() as vm, asyncio.timeout(LIMIT):
        await vm.start(DynamicSupervisor, name=STREAM_SUPERVISOR)
        await vm.start(MediaServer, listening, lambda *_: None, admission=admission)
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(b"GET /media HTTP/1.1\r\n" + SHAKE + b"\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(before + TINY[kind] * ((EARLY_BYTES - 100) // len(TINY[kind])))
        await hung_up(reader, writer)
    listening.close()
    assert refused.told == [("media", "flood")]
    assert seen <= ODD_EARLY + EARLY_PIECE_BYTES // 6 + 2


BEHIND = [
    b"\xff\xff\xff",
    bytes((0x81, 0x02)) + b"{}",
    bytes((0x88, 0x83, 0, 0, 0, 0)) + b"\x03\xe8\xff",
    bytes((0x82, 0xFF, *(70_000).to_bytes(8), 0, 0, 0, 0)),
    b"",
]


@pytest.mark.parametrize("path", [b"/media", b"/nowhere"])
async def test_what_comes_before_the_answer_to_a_handshake_is_no_fault(
    path: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    listening = bound("127.0.0.1", 0)
    async with VM() as vm, asyncio.timeout(LIMIT):
        await vm.start(DynamicSupervisor, name=STREAM_SUPERVISOR)
        await vm.start(MediaServer, listening, lambda *_: None)
        for behind in BEHIND:
            for ends in (False, True):
                reader, writer = await asyncio.open_connection(*listening.getsockname())
                writer.write(b"GET " + path + b" HTTP/1.1\r\n" + SHAKE + b"\r\n" + behind)
                if ends:
                    writer.write_eof()
                elif not behind:
                    await reader.readuntil(b"\r\n\r\n")
                    writer.write(bytes((0x88, 0x80, 0, 0, 0, 0)))
                await hung_up(reader, writer)
    listening.close()
    assert [each.getMessage() for each in caplog.records if each.levelname == "ERROR"] == []


async def test_what_comes_before_the_answer_is_read_behind_it() -> None:
    listening = bound("127.0.0.1", 0)
    async with VM() as vm, asyncio.timeout(LIMIT):
        await vm.start(DynamicSupervisor, name=STREAM_SUPERVISOR)
        await vm.start(MediaServer, listening, lambda *_: None)
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        ping = bytes((0x89, 0x82, 0, 0, 0, 0)) + b"hi"
        writer.write(b"GET /media HTTP/1.1\r\n" + SHAKE + b"\r\n" + ping)
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(4) == bytes((0x8A, 2)) + b"hi"
        writer.write(bytes((0x88, 0x80, 0, 0, 0, 0)))
        await hung_up(reader, writer)
    listening.close()
