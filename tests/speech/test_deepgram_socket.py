"""Opening with a limit and ends of every kind, against servers that answer well, badly or not."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from aybiza.emulators.deepgram import DeepgramEmulator, Fault
from aybiza.speech import deepgram_socket
from aybiza.speech.deepgram import Deepgram
from aybiza.speech.deepgram_connect import Connection
from aybiza.speech.deepgram_listen import ListenOptions, ListenSession
from aybiza.speech.deepgram_socket import (
    CLOSE_SECONDS,
    JSON_BYTES,
    MOST_TOLD,
    TOLD_CHARACTERS,
    DeepgramClosed,
    DeepgramRefused,
    DeepgramSocket,
    check_sdk,
    object_of,
)
from aybiza.speech.deepgram_speak import Audio, Flushed, SpeakOptions, SpeakSession
from aybiza.speech.websocket import Message
from tests.slowness import slowness
from tests.speech.kit import (
    LIMIT,
    client,
    nothing_left,
    saying,
    tcp_server,
    until,
    upgraded,
    websocket_server,
    within,
)

_NEVER: Any = contextlib.nullcontext()

SPEAK = SpeakOptions("aura-2-asteria-en")


async def listen(deepgram: Deepgram, timeout: float = LIMIT) -> ListenSession:
    return await within(deepgram.listen(ListenOptions(), "call", timeout))


async def speak(deepgram: Deepgram, timeout: float = LIMIT) -> SpeakSession:
    return await within(deepgram.speak(SPEAK, "call", timeout))


async def events(session: Any) -> list[Any]:
    async with asyncio.timeout(LIMIT):
        return [event async for event in session]


async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept the connection, and that is all."""
    await reader.read()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.close()


async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    await writer.drain()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deepgram_socket, "CLOSE_SECONDS", 0.2)


@pytest.fixture
async def emulator() -> AsyncIterator[DeepgramEmulator]:
    async with DeepgramEmulator() as emulator:
        yield emulator


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (400, "parameter"),
        (401, "DEEPGRAM_API_KEY"),
        (402, "credit"),
        (403, "may not use"),
        (404, "DEEPGRAM_URL"),
        (429, "too many connections"),
        (503, "status page"),
    ],
)
async def test_a_refused_handshake_says_why_and_what_to_do(
    emulator: DeepgramEmulator, status: int, hint: str
) -> None:
    deepgram = await client(emulator.url)
    for door, connect in (("listen", listen), ("speak", speak)):
        emulator.faults.add(Fault(door, "refuse", status))  # type: ignore[arg-type]
        async with nothing_left():
            with pytest.raises(DeepgramRefused, match=hint) as caught:
                await connect(deepgram)
            assert caught.value.status == status
            assert str(caught.value).endswith(" (refused on demand)")
            assert "key" not in str(caught.value).replace("API key", "").replace("API_KEY", "")


async def test_without_a_key_the_handshake_is_refused_as_by_deepgram() -> None:
    async def unauthorised(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        assert b"\r\nAuthorization: Token unset\r\n" in asked
        writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with tcp_server(unauthorised) as url:
        with pytest.raises(DeepgramRefused, match="DEEPGRAM_API_KEY"):
            await listen(await client(url, key=""))


async def test_a_server_that_never_answers_is_given_up_at_the_limit() -> None:
    async with tcp_server(never) as url:
        deepgram = await client(url)
        async with nothing_left():
            began = time.monotonic()
            with pytest.raises(TimeoutError, match=r"handshake within 0\.2 s"):
                await listen(deepgram, timeout=0.2)
            assert time.monotonic() - began < CLOSE_SECONDS * slowness()


async def test_giving_up_the_opening_of_a_socket_ends_it_at_once() -> None:
    async with tcp_server(never) as url:
        deepgram = await client(url)
        async with nothing_left():
            opening = asyncio.create_task(listen(deepgram))
            await asyncio.sleep(0.05)
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await within(opening, CLOSE_SECONDS)


@pytest.mark.parametrize("rounds", range(0, 30, 3))
async def test_an_opening_can_be_given_up_at_any_moment(
    emulator: DeepgramEmulator, rounds: int
) -> None:
    deepgram = await client(emulator.url)
    async with nothing_left():
        opening = asyncio.create_task(listen(deepgram))
        for _ in range(rounds):
            await asyncio.sleep(0)
        opening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            # It may have been open already.
            await (await within(opening)).close()


@pytest.mark.parametrize("behaviour", [hang_up, babble])
async def test_an_answer_that_is_no_handshake_is_a_closed_connection(behaviour: Any) -> None:
    async with tcp_server(behaviour) as url:
        deepgram = await client(url)
        async with nothing_left():
            with pytest.raises((DeepgramClosed, OSError), match=r"handshake|reset"):
                await listen(deepgram)


async def test_a_service_that_asks_to_be_left_alone_is_heard() -> None:
    async def busy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        told = b"Retry-After: 4\r\ndg-error: a\r\ndg-error: b\r\nContent-Length: 0\r\n\r\n"
        writer.write(b"HTTP/1.1 429 Too Many Requests\r\n" + told)
        await writer.drain()
        writer.close()

    async with tcp_server(busy) as url:
        with pytest.raises(DeepgramRefused) as raised:
            await listen(await client(url))
    assert (raised.value.status, raised.value.wait) == (429, 4.0)


async def test_a_refused_connection_is_an_operating_system_error() -> None:
    async with tcp_server(never) as url:
        pass
    deepgram = await client(url)
    async with nothing_left():
        with pytest.raises(OSError):
            await listen(deepgram)


async def test_a_close_in_order_ends_the_events(emulator: DeepgramEmulator) -> None:
    emulator.faults.add(Fault("speak", "close", 1000, after=0.05))
    async with nothing_left():
        session = await speak(await client(emulator.url))
        assert await events(session) == []
        await session.close()


async def test_an_abnormal_close_tells_its_code_and_reason(emulator: DeepgramEmulator) -> None:
    emulator.faults.add(Fault("listen", "close", 1011, after=0.05))
    async with nothing_left():
        session = await listen(await client(emulator.url))
        with pytest.raises(DeepgramClosed, match="1011 closed on demand") as caught:
            await events(session)
        assert (caught.value.code, caught.value.reason) == (1011, "closed on demand")
        await session.close()


async def test_a_cut_connection_has_no_code(emulator: DeepgramEmulator) -> None:
    emulator.faults.add(Fault("listen", "abort", after=0.05))
    async with nothing_left():
        session = await listen(await client(emulator.url))
        with pytest.raises(DeepgramClosed) as caught:
            await events(session)
        assert caught.value.code == 1006
        await session.close()


async def test_sending_on_a_closed_socket_tells_how_it_was_closed(
    emulator: DeepgramEmulator,
) -> None:
    emulator.faults.add(Fault("speak", "close", 1013, after=0.0))
    session = await speak(await client(emulator.url))
    with pytest.raises(DeepgramClosed):
        await events(session)
    with pytest.raises(DeepgramClosed, match="1013"):
        await within(session.flush())
    await session.close()


async def test_the_client_closes_when_a_message_is_too_big_and_says_so() -> None:
    async with websocket_server(saying(b"x" * (2 << 20))) as url:
        session = await speak(await client(url))
        with pytest.raises(DeepgramClosed, match="1009"):
            await events(session)
        await session.close()


@pytest.mark.parametrize("kind", ["unknown", "malformed"])
async def test_a_message_that_nobody_knows_is_passed_over(
    emulator: DeepgramEmulator, kind: Any
) -> None:
    emulator.faults.add(Fault("speak", kind))
    session = await speak(await client(emulator.url))
    await within(session.clear())
    async with asyncio.timeout(LIMIT):
        async for event in session:
            assert type(event).__name__ == "Cleared"
            break
    await session.close()


@pytest.mark.parametrize("text", ["[]", '"text"', "7", "null", "{", "", "[" * 50_000])
async def test_what_is_not_a_json_object_is_passed_over(text: str) -> None:
    last = '{"type": "Flushed", "sequence_id": 7}'
    async with websocket_server(saying(text, last)) as url:
        session = await speak(await client(url))
        assert [event.sequence_id for event in await events(session)] == [7]
        await session.close()


async def test_a_socket_can_be_closed_twice_and_at_the_same_time(
    emulator: DeepgramEmulator,
) -> None:
    async with nothing_left():
        session = await listen(await client(emulator.url))
        await within(asyncio.gather(session.close(), session.close()))
        await within(session.close())


async def test_a_socket_that_is_read_can_be_closed(emulator: DeepgramEmulator) -> None:
    async with nothing_left():
        session = await listen(await client(emulator.url))
        reading = asyncio.create_task(events(session))
        await asyncio.sleep(0)
        await within(session.close())
        assert await within(reading) == []


async def test_a_reader_that_is_cancelled_can_close_its_socket(
    emulator: DeepgramEmulator,
) -> None:
    async def read(session: ListenSession) -> None:
        try:
            async for _ in session:
                pass
        finally:
            await session.close()

    async with nothing_left():
        reading = asyncio.create_task(read(await listen(await client(emulator.url))))
        await asyncio.sleep(0.02)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await within(reading)
        await until(lambda: bool(emulator.journal.entries("disconnected")))


async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the handshake, and nothing after it."""
    await upgraded(reader, writer)
    await reader.read()


async def test_closing_a_socket_that_does_not_answer_is_over_in_time(impatient: None) -> None:
    async with tcp_server(deaf) as url:
        deepgram = await client(url)
        async with nothing_left():
            session = await listen(deepgram)
            began = time.monotonic()
            await within(session.close())
            assert time.monotonic() - began < CLOSE_SECONDS * slowness()


async def test_cancelling_the_close_of_a_socket_that_does_not_answer_cuts_it() -> None:
    async with tcp_server(deaf) as url:
        deepgram = await client(url)
        async with nothing_left():
            closing = asyncio.create_task((await listen(deepgram)).close())
            await asyncio.sleep(0.05)
            closing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await within(closing, CLOSE_SECONDS / 2)


async def test_a_full_socket_that_does_not_answer_can_be_closed(impatient: None) -> None:
    over = asyncio.Event()

    async def read_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgraded(reader, writer)
        await over.wait()

    async with tcp_server(read_nothing) as url:
        deepgram = await client(url)
        async with nothing_left():
            session = await listen(deepgram)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    while True:
                        await session.send_audio(random.randbytes(64_000))
                        await asyncio.sleep(0)
            await within(session.close())
            over.set()


def test_an_sdk_that_keeps_its_websocket_elsewhere_is_refused() -> None:
    class Kept:
        def __init__(self, *, websocket: Any) -> None:
            self._websocket = websocket

    class Renamed:
        def __init__(self, *, websocket: Any) -> None:
            self.socket = websocket

    check_sdk(Kept)
    with pytest.raises(ImportError, match=r"Renamed has no _websocket.*constraints\.txt"):
        check_sdk(Kept, Renamed)


async def test_events_are_told_as_they_are_read_and_the_rest_is_left_to_websockets() -> None:
    connection: Any = Connection(ClientProtocol(parse_uri("ws://here/")))
    session = SpeakSession(_NEVER, SimpleNamespace(_websocket=connection))
    told: list[Any] = []
    session.divert(told.append)
    flushed = Message(True, b'{"type":"Flushed","sequence_id":1}')
    came = [Message(False, b"audio"), Message(True, b"[]"), flushed]
    assert connection.divert(came) == 3
    assert told == [Audio(b"audio"), Flushed(1)]
    assert connection.divert([flushed, Message(True, b"\xff"), flushed]) == 1


def test_a_connection_without_a_short_cut_has_nothing_diverted() -> None:
    other = SimpleNamespace()
    SpeakSession(_NEVER, SimpleNamespace(_websocket=other)).divert(print)
    assert not vars(other)


def test_what_is_too_long_or_too_short_is_no_object() -> None:
    assert object_of("") == object_of("{}") == object_of(f'{{"a": "{"x" * JSON_BYTES}"}}') == {}
    assert object_of('{"a":1}') == {"a": 1}


def test_a_socket_complains_so_often_and_in_short() -> None:
    session = DeepgramSocket(contextlib.nullcontext(), SimpleNamespace(_websocket=None))
    told = [session.complains({"code": "x" * 999, "type": "Error"}) for _ in range(MOST_TOLD + 1)]
    assert told == [{"code": "x" * TOLD_CHARACTERS}] * MOST_TOLD + [None]
