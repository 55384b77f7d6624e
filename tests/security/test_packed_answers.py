"""A service that packs or sends hundreds of megabytes has nobody hold or unpack them."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from aybiza.actors.measures.metrics_sink import SinkError
from aybiza.actors.measures.otlp_door import OtlpDoor
from aybiza.claude.chat import client
from aybiza.claude.chat.client import ChatClient
from aybiza.claude.errors import BedrockError
from aybiza.speech.deepgram_speak import SpeakOptions
from aybiza.speech.elevenlabs import ElevenLabs
from aybiza.speech.errors import SpeechClosed
from tests.gateway.control.test_placing import ATTEMPT, placer

MEGABYTES = 64
BOMB = gzip.compress(bytes(MEGABYTES * 1024 * 1024), 9, mtime=0)
"""64 KB of it."""


class Bomb(httpx.AsyncByteStream, httpx.SyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield BOMB

    def __iter__(self) -> Iterator[bytes]:
        yield BOMB


def answer(request: httpx.Request) -> httpx.Response:
    assert request.headers["accept-encoding"] == "identity"
    return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=Bomb())


@pytest.fixture(autouse=True)
def nobody_unpacks_it() -> Iterator[None]:
    tracemalloc.start()
    yield
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < MEGABYTES * 1024 * 1024 / 4


async def test_a_chat_service() -> None:
    chat = ChatClient("https://chat.example", "k", transport=httpx.MockTransport(answer))
    messages = [{"role": "user", "content": [{"text": "Hello."}]}]
    request = {"modelId": "openai:small", "messages": messages}
    with pytest.raises(BedrockError):
        async with chat.stream(request) as stream:
            async for _ in stream:
                pass
    await chat.aclose()


async def test_a_voice() -> None:
    eleven = ElevenLabs("https://voice.example", "k", transport=httpx.MockTransport(answer))
    session = await eleven.speak(SpeakOptions("elevenlabs:JBFqnCBsd6RMkjVDRZzb"), "CA1", 5.0)
    await session.speak("Hello.")
    await session.flush()
    async with asyncio.timeout(60.0):
        with pytest.raises(SpeechClosed):
            async for event in session:
                raise AssertionError(event)
    await session.close()
    await eleven.aclose()


def test_a_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    door = OtlpDoor("https://collector.example", "/v1/traces", node="a")
    door._client._transport = httpx.MockTransport(answer)
    door._client._mounts = {}
    with pytest.raises(SinkError):
        door.send({})
    door.close()


async def test_a_carrier() -> None:
    made = placer(answer)
    assert (await made.place(ATTEMPT)).call_id == ""
    await made.aclose()


class Endless(httpx.AsyncByteStream):
    """Tokens without an end, 64 KB of them at a time."""

    def __init__(self) -> None:
        self.given = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        piece = b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n' * 1300
        while True:
            self.given += len(piece)
            yield piece


async def test_an_answer_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ANSWER_BYTES", 256 * 1024)
    body = Endless()
    transport = httpx.MockTransport(lambda request: httpx.Response(200, stream=body))
    chat = ChatClient("https://chat.example", "k", transport=transport)
    messages = [{"role": "user", "content": [{"text": "Hello."}]}]
    turns = events = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.ensure_future(others())
    with pytest.raises(BedrockError, match="no event stream"):
        async with chat.stream({"modelId": "openai:small", "messages": messages}) as stream:
            async for _ in stream:
                events += 1
    beside.cancel()
    await chat.aclose()
    assert body.given < 512 * 1024
    # Nobody waits for more than some 80 events at a time.
    assert turns > events / 120
