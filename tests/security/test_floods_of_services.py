"""Who answers in Deepgram's place floods nobody: the loop goes on, and the socket ends aloud."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable

import pytest
import structlog
from websockets.asyncio.server import ServerConnection
from websockets.frames import Frame, Opcode

from aybiza.speech.deepgram_connect import FRAMES_A_SECOND, Connection
from aybiza.speech.deepgram_flux import FluxSession
from aybiza.speech.deepgram_listen import ListenOptions, ListenSession
from aybiza.speech.deepgram_socket import JSON_BYTES, MOST_TOLD, DeepgramClosed, object_of
from aybiza.speech.deepgram_speak import SpeakSession
from aybiza.speech.playout import BYTES_A_SECOND, Ledger, Sentence
from aybiza.speech.synthesis import PIECE_BYTES, Synthesis
from tests.speech.kit import LIMIT, client, websocket_server, within

EMPTY = Frame(Opcode.TEXT, b"").serialize(mask=False)
ONE = Frame(Opcode.TEXT, b'{"type":"SpeechStarted"}').serialize(mask=False)
PART = Frame(Opcode.TEXT, b"", fin=False).serialize(mask=False)
LONG = Frame(Opcode.BINARY, bytes(70_000)).serialize(mask=False)


@pytest.mark.parametrize(
    "flood",
    [EMPTY * 100_000, ONE * 20_000, LONG + EMPTY * 100_000, PART * 1_000],
    ids=["empty messages", "events", "behind a long one", "parts"],
)
async def test_a_turn_of_the_loop_reads_a_bounded_number_of_frames(
    flood: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = 0
    read: Counter[int] = Counter()

    def count(self: Connection, frames: int) -> None:
        read[turn] += frames
        counted(self, frames)

    counted: Callable[[Connection, int], None] = Connection._count
    monkeypatch.setattr(Connection, "_count", count)

    async def floods(connection: ServerConnection) -> None:
        connection.transport.write(flood)
        await connection.wait_closed()

    async def turns() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    async with websocket_server(floods) as url:
        ready = await client(url)
        counting = asyncio.ensure_future(turns())
        session = await within(ready.listen(ListenOptions(), "CA1", LIMIT))
        session.divert(lambda _: None)
        with pytest.raises(DeepgramClosed):
            async with asyncio.timeout(LIMIT):
                async for _ in session:
                    pass
        counting.cancel()
        await session.close()
    assert max(read.values()) <= 2 * Connection.in_a_turn
    assert sum(read.values()) <= 2 * FRAMES_A_SECOND


async def test_what_comes_in_a_heap_is_told_whole_and_in_order() -> None:
    told = [json.dumps({"type": "SpeechStarted", "timestamp": number}) for number in range(500)]
    heap = b"".join(Frame(Opcode.TEXT, one.encode()).serialize(mask=False) for one in told)

    async def heaps(connection: ServerConnection) -> None:
        connection.transport.write(heap)
        await connection.close()

    async with websocket_server(heaps) as url:
        session = await within((await client(url)).listen(ListenOptions(), "CA1", LIMIT))
        assert [event.at async for event in session] == list(range(500))
        await session.close()


def test_a_message_that_takes_long_to_read_is_not_read() -> None:
    words = '{"type": "Results", "words": [%s1]}'
    fits = words % ("1," * (JSON_BYTES // 2 - len(words)))
    assert object_of(fits)["type"] == "Results"
    assert object_of(words % ("1," * JSON_BYTES)) == {}


@pytest.mark.parametrize("kind", [ListenSession, FluxSession, SpeakSession])
def test_a_socket_s_complaints_are_a_few_short_lines(
    kind: type[ListenSession] | type[FluxSession] | type[SpeakSession],
) -> None:
    class Socket:
        _websocket = None

    session = kind(None, Socket())  # type: ignore[arg-type]
    complaint = json.dumps({"type": "Error", "code": "x" * 5_000, "description": "y" * 5_000})
    with structlog.testing.capture_logs() as lines:
        told = [event for _ in range(1_000) if (event := session.read(complaint)) is not None]
    assert len(lines) + len(told) == MOST_TOLD
    assert all(len(str(line)) < 1_000 for line in [*lines, *told])


def test_sound_without_end_is_not_kept() -> None:
    synthesis = Synthesis(Ledger(), lambda text: text)
    synthesis.give(Sentence(1, 1), "ten chars.")
    assert synthesis.next(0.0, 0.0, early=True) is not None
    came = 0
    while not synthesis.is_too_long:
        synthesis.audio(bytes(160), 0.0)
        came += 160
    assert came < 45 * BYTES_A_SECOND
    [go] = synthesis.goes
    assert len(go.audio) <= came / PIECE_BYTES * 2 and sum(map(len, go.audio)) == came
