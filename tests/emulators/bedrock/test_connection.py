"""One HTTP/1.1 connection, byte for byte."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from aybiza.emulators.bedrock import connection
from aybiza.emulators.bedrock.connection import ClientLeft, Connection, Handler, HttpRequest

GET = b"GET /a%20b?c=d HTTP/1.1\r\nHost: x\r\n\r\n"
TEXT = [("Content-Type", "text/plain")]

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Server:
    """A server with one handler, and the connections that it had."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.connections: list[Connection] = []
        self.port = 0

    async def connect(self) -> Streams:
        return await asyncio.open_connection("127.0.0.1", self.port)


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[tuple[Server, Streams]]:
    server = Server(handler)
    listener = await asyncio.get_running_loop().create_server(
        lambda: Connection(server.handler, server.connections.append), "127.0.0.1", 0
    )
    server.port = listener.sockets[0].getsockname()[1]
    reader, writer = await server.connect()
    try:
        async with asyncio.timeout(60):
            yield server, (reader, writer)
    finally:
        writer.close()
        listener.close()
        for open_connection in server.connections:
            open_connection.abort()
            assert open_connection.task is not None
            open_connection.task.cancel()
        tasks = [c.task for c in server.connections if c.task]
        await asyncio.gather(*tasks, return_exceptions=True)


def answering(body: bytes = b"ok") -> Handler:
    async def answer(conn: Connection, request: HttpRequest) -> None:
        await conn.answer(200, TEXT, body)

    return answer


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split()[1])
    length = next(
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length")
    )
    return status, await reader.readexactly(length)


async def test_a_request_arrives_whole_and_a_connection_is_kept() -> None:
    seen: list[HttpRequest] = []

    async def answer(conn: Connection, request: HttpRequest) -> None:
        seen.append(request)
        await conn.answer(200, TEXT, request.body)

    async with serving(answer) as (server, (reader, writer)):
        for number in range(3):
            body = b"body" * number
            head = f"POST /a%2Fb?c=d HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            assert await read_answer(reader) == (200, body)
    assert len(server.connections) == 1
    assert (seen[0].method, seen[0].target.path, seen[0].target.query) == ("POST", "/a%2Fb", "c=d")
    assert seen[0].headers["host"] == "x"


async def test_small_writes_are_sent_at_once() -> None:
    async with serving(answering()) as (server, (reader, writer)):
        writer.write(GET)
        await read_answer(reader)
        assert server.connections[0]._socket().getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_a_client_that_waits_for_100_continue_is_told_to_go_on() -> None:
    async with serving(answering()) as (_, (reader, writer)):
        writer.write(
            b"PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        writer.write(b"hi")
        assert await read_answer(reader) == (200, b"ok")


async def test_what_is_no_http_is_refused_and_the_connection_closed() -> None:
    async with serving(answering()) as (_, (reader, writer)):
        writer.write(b"hello there\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400")


async def test_a_body_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_BODY", 1000)
    async with serving(answering()) as (_, (reader, writer)):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 413")


async def test_a_flood_during_an_answer_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "MAX_BODY", 1000)

    async def never(conn: Connection, request: HttpRequest) -> None:
        await conn.pause(None)

    async with serving(never) as (_, (reader, writer)):
        writer.write(GET + b"x" * 2000)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)


async def test_a_connection_that_stays_idle_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "IDLE_SECONDS", 0.02)
    async with serving(answering()) as (_, (reader, _writer)):
        assert await reader.read() == b""


async def test_chunks_go_out_one_by_one_and_end_cleanly() -> None:
    async def stream(conn: Connection, request: HttpRequest) -> None:
        await conn.start_chunked(200, TEXT)
        await conn.chunk(b"one")
        await conn.chunk(b"second")
        await conn.end_chunked()

    async with serving(stream) as (_, (reader, writer)):
        for _ in range(2):
            writer.write(GET)
            assert b"transfer-encoding: chunked" in (await reader.readuntil(b"\r\n\r\n")).lower()
            assert await reader.readuntil(b"0\r\n\r\n") == b"3\r\none\r\n6\r\nsecond\r\n0\r\n\r\n"


async def test_a_chunk_can_be_broken_in_the_middle() -> None:
    async def stream(conn: Connection, request: HttpRequest) -> None:
        await conn.start_chunked(200, TEXT)
        conn.break_in_chunk(b"x" * 100)

    async with serving(stream) as (_, (reader, writer)):
        writer.write(GET)
        await reader.readuntil(b"\r\n\r\n")
        rest = await reader.read()
    assert rest.startswith(b"64\r\nx")
    assert rest.count(b"x") < 100


async def test_a_connection_can_be_reset() -> None:
    async def reset(conn: Connection, request: HttpRequest) -> None:
        conn.reset()

    async with serving(reset) as (_, (reader, writer)):
        writer.write(GET)
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)


@pytest.mark.parametrize("seconds", [None, 60.0])
@pytest.mark.parametrize("leave", ["close", "abort"])
async def test_a_pause_ends_when_the_client_leaves(seconds: float | None, leave: str) -> None:
    pausing, left = asyncio.Event(), asyncio.Event()

    async def wait(conn: Connection, request: HttpRequest) -> None:
        pausing.set()
        try:
            await conn.pause(seconds)
        except ClientLeft:
            left.set()
            raise

    async with serving(wait) as (_, (_reader, writer)):
        writer.write(GET)
        await pausing.wait()
        getattr(writer.transport, leave)()
        await left.wait()


async def test_a_pause_lasts_as_long_as_it_says() -> None:
    async def wait(conn: Connection, request: HttpRequest) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await conn.pause(0.02)
        await conn.answer(200, TEXT, b"slept" if loop.time() - began >= 0.02 else b"woke early")

    async with serving(wait) as (_, (reader, writer)):
        writer.write(GET)
        assert await read_answer(reader) == (200, b"slept")


async def test_nothing_can_be_sent_to_a_client_that_has_left() -> None:
    outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def send(conn: Connection, request: HttpRequest) -> None:
        await conn.start_chunked(200, TEXT)
        await conn.left.wait()
        try:
            await conn.chunk(b"anybody?")
        except ClientLeft:
            outcome.set_result("left")
            raise
        outcome.set_result("sent")

    async with serving(send) as (_, (_reader, writer)):
        writer.write(GET)
        writer.close()
        assert await outcome == "left"


async def test_a_client_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "WRITE_SECONDS", 0.05)
    given_up = asyncio.Event()

    async def flood(conn: Connection, request: HttpRequest) -> None:
        await conn.start_chunked(200, TEXT)
        try:
            while True:
                await conn.chunk(b"x" * 1_000_000)
        except ClientLeft:
            given_up.set()
            raise

    async with serving(flood) as (_, (_reader, writer)):
        writer.write(GET)
        await given_up.wait()


async def test_a_handler_that_fails_ends_its_connection_only() -> None:
    answers: list[Callable[[Connection, HttpRequest], Awaitable[None]]] = []

    async def handle(conn: Connection, request: HttpRequest) -> None:
        await answers.pop(0)(conn, request)

    async def fail(conn: Connection, request: HttpRequest) -> None:
        raise RuntimeError("no luck")

    answers += [fail, answering()]
    async with serving(handle) as (server, (reader, writer)):
        writer.write(GET)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        again_reader, again_writer = await server.connect()
        again_writer.write(GET)
        assert await read_answer(again_reader) == (200, b"ok")
        again_writer.close()
