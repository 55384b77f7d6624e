"""Messages together: what is cut from a socket's bytes, and what is seen of a connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, SERVER, Protocol

from aybiza.speech.websocket import Message, Together, WholeFrames, frame_of
from tests.speech.kit import within

FRAMES = st.builds(
    Frame,
    st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.CONT, Opcode.PING, Opcode.PONG]),
    st.binary(max_size=300),
    st.booleans(),
)


def pieces_of(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    ends = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    return [data[at:end] for at, end in pairwise(ends)]


def cut(frames: WholeFrames, piece: bytes) -> Sequence[Message | bytes]:
    only = frames.only(piece)
    return frames.take(piece) if only is None else [only]


def read(side: Any, pieces: Sequence[bytes], masked: bool | None) -> tuple[list[Any], Any]:
    """The frames that come out, and what the protocol closes with; `masked`: cut before."""
    protocol, frames = Protocol(side), None if masked is None else WholeFrames(masked=masked)
    seen: list[Any] = []
    for piece in pieces:
        for item in [piece] if frames is None else cut(frames, piece):
            if isinstance(item, Message):
                if protocol.close_rcvd is None and protocol.parser_exc is None:
                    opcode = Opcode.TEXT if item.text else Opcode.BINARY
                    seen.append(Frame(opcode, item.data))
                continue
            protocol.receive_data(item)
            seen += protocol.events_received()
    return [(each.opcode, bytes(each.data), each.fin) for each in seen], protocol.close_sent


@given(st.lists(FRAMES, max_size=8), st.lists(st.integers(0, 2000)), st.booleans())
def test_however_bytes_come_frames_and_judgement_are_those_of_the_protocol(
    frames: list[Frame], cuts: list[int], masked: bool
) -> None:
    data = b""
    for frame in frames:
        with contextlib.suppress(Exception):
            data += frame.serialize(mask=masked)
    side = SERVER if masked else CLIENT
    assert read(side, pieces_of(data, cuts), masked) == read(side, [data], None)


@given(st.binary(max_size=400), st.lists(st.integers(0, 400)), st.booleans())
def test_noise_is_judged_as_by_the_protocol(data: bytes, cuts: list[int], masked: bool) -> None:
    side = SERVER if masked else CLIENT
    assert read(side, pieces_of(data, cuts), masked) == read(side, [data], None)


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300)), st.booleans())
def test_a_frame_that_is_written_is_read_again(message: bytes | str, mask: bool) -> None:
    data = message.encode() if isinstance(message, str) else message
    assert WholeFrames(masked=mask).take(frame_of(message, mask=mask)) == [
        Message(isinstance(message, str), data)
    ]


@pytest.mark.parametrize("size", [125, 126, 65_535, 65_536, 70_000])
def test_frames_of_all_sizes_are_those_of_websockets(size: int) -> None:
    frame = frame_of(b"x" * size, mask=False)
    assert frame == Frame(Opcode.BINARY, b"x" * size).serialize(mask=False)
    seen, _ = read(CLIENT, [frame[:5], frame[5:], frame_of(b"y", mask=False)], False)
    assert [data[:1] for _, data, _ in seen] == [b"x", b"y"]


class Client(Together, ClientConnection):
    client = True


class Server(Together, ServerConnection):
    pass


Handle = Callable[[ServerConnection], Any]


@contextlib.asynccontextmanager
async def served(handle: Handle, **options: Any) -> AsyncIterator[str]:
    kind: Any = Server
    async with serve(
        handle, "127.0.0.1", 0, create_connection=kind, compression=None, **options
    ) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def opened(url: str) -> connect:
    return connect(url, create_connection=Client, compression=None)


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def test_both_ends_speak_as_before() -> None:
    long = "long " * 20_000
    async with served(echo) as url, opened(url) as client:
        for message in ("text", b"bytes", "", long, ["in ", "pieces"], "äöü"):
            await within(client.send(message))
            whole = "".join(message) if isinstance(message, list) else message
            assert await within(client.recv()) == whole
        assert await within(await client.ping()) >= 0


async def test_a_message_goes_out_at_once_unless_the_peer_is_behind() -> None:
    async with served(echo) as url, opened(url) as client:
        assert isinstance(client, Client)
        assert client.takes("one") and client.takes(b"two")
        assert [await within(client.recv()) for _ in range(2)] == ["one", b"two"]
        client.pause_writing()
        assert not client.takes("three")
        client.resume_writing()
        assert client.take_all(["four", "five"]) == ()
        assert [await within(client.recv()) for _ in range(2)] == ["four", "five"]
        await client.close()
        assert client.take_all(["six", "seven"]) == ["six", "seven"]


async def test_what_is_diverted_comes_together_and_what_is_not_keeps_its_place() -> None:
    taken: list[list[bytes]] = []

    def divert(messages: list[Message]) -> int:
        few = [data for _, data in messages if data.startswith(b"a")]
        first = next((at for at, each in enumerate(messages) if each.data[:1] != b"a"), len(few))
        taken.append([data for _, data in messages[:first]])
        return first

    over = asyncio.Event()
    left: list[Any] = []

    async def handle(connection: ServerConnection) -> None:
        assert isinstance(connection, Server)
        connection.divert = divert
        left.extend([await connection.recv(), await connection.recv()])
        over.set()

    async with served(handle) as url, opened(url) as client:
        assert isinstance(client, Client)
        client.transport.write(
            b"".join(frame_of(text, mask=True) for text in ("a1", "a2", "mark", "a3"))
        )
        await within(over.wait())
    assert taken == [[b"a1", b"a2"]]
    assert left == ["mark", "a3"]


async def test_a_refusal_is_told_with_its_body() -> None:
    def refuse(connection: ServerConnection, _: Any) -> Any:
        return connection.respond(403, "not today")

    async with served(echo, process_request=refuse) as url:
        with pytest.raises(InvalidStatus) as caught:
            await within(opened(url).connect())
    assert caught.value.response.body == b"not today"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\x81\x00", 1002),
        (frame_of(b"x" * 70_000, mask=True), 1009),
        (b"\xc1\x80abcd", 1002),
        (frame_of(b"\xff", mask=False).replace(b"\x82\x01", b"\x81\x81\0\0\0\0"), 1007),
    ],
    ids=["unmasked", "too big", "reserved bit", "no text"],
)
async def test_what_breaks_the_protocol_closes_with_its_code(sent: bytes, code: int) -> None:
    async with served(echo, max_size=65_536) as url, opened(url) as client:
        client.transport.write(sent)
        with pytest.raises(ConnectionClosed) as caught:
            await within(client.recv())
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == code


BROKEN = {
    "a message within a message": bytes((0x01, 0x81, 0, 0, 0, 0, 0x61)),
    "not masked": bytes((0x89, 0x00)),
    "closed": bytes((0x88, 0x80, 0, 0, 0, 0)),
    "no such kind": bytes((0x83, 0x80, 0, 0, 0, 0)),
}


@pytest.mark.parametrize("kind", BROKEN)
async def test_behind_what_breaks_the_protocol_nobody_looks_at_frames(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """128 KB of them held the loop for 0.3 s, and 64 connections ended the node."""
    looked = 0
    plain = ServerConnection.data_received

    def counted(self: ServerConnection, data: bytes) -> None:
        nonlocal looked
        looked += 1
        plain(self, data)

    monkeypatch.setattr(ServerConnection, "data_received", counted)

    async def reads(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            await connection.recv()

    async with served(reads) as url, asyncio.timeout(60), opened(url) as connection:
        connection.transport.write(BROKEN[kind] * (128 * 1024 // len(BROKEN[kind])))
        await connection.wait_closed()
    assert looked < 100


def test_frames_are_taken_so_many_at_a_time_and_the_rest_is_asked_for() -> None:
    frames = WholeFrames(masked=False)
    heap = b"".join(frame_of(text, mask=False) for text in "abcde")
    told: list[int] = []
    found = [item for item in frames.take(heap, 2) if isinstance(item, Message)]
    while frames.more:
        told.append(len(found))
        found += [item for item in frames.take(b"", 2) if isinstance(item, Message)]
    assert (told, [item.data for item in found]) == ([2, 4], [b"a", b"b", b"c", b"d", b"e"])


def test_behind_a_long_frame_so_many_bytes_are_passed_on_at_a_time() -> None:
    frames = WholeFrames(masked=False)
    data = frame_of(bytes(70_000), mask=False) + frame_of("x", mask=False)
    passed = frames.take(data, 50)
    while frames.more:
        passed += frames.take(b"", 50)
    assert b"".join(piece for piece in passed if isinstance(piece, bytes)) == data
    assert max(map(len, passed)) <= 128
    assert frames.take(b"more", None) == [b"more"]
