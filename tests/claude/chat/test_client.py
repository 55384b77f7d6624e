"""The client of a chat service: over a socket once, else in virtual time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from aybiza.actors.runtime import virtual_time
from aybiza.claude.chat.client import ChatClient, ChatStream
from aybiza.claude.errors import BedrockError, ErrorKind
from aybiza.claude.stream import Finished, StreamDecoder
from aybiza.emulators.bedrock import Pace
from aybiza.emulators.bedrock.scripted import echo
from aybiza.emulators.chat.service import Chat
from aybiza.emulators.streamed.faults import Fault
from aybiza.emulators.streamed.server import StreamedServer
from aybiza.faults.memory_http import MemoryHttp
from aybiza.faults.virtual import ambient
from tests.cases import each

REQUEST = {
    "modelId": "openai:small",
    "messages": [{"role": "user", "content": [{"text": "One. Two. Three. Four. Five."}]}],
}


async def read(stream: ChatStream) -> tuple[str, Finished | None]:
    """What is said, and the end of it."""
    decoder, said, finished = StreamDecoder(), "", None
    async with stream:
        async for event in stream:
            delta = event.get("contentBlockDelta", {}).get("delta", {})
            said += delta.get("text", "")
            parts = decoder.feed(event)
            finished = next((p for p in parts if isinstance(p, Finished)), finished)
    return said, finished


async def test_over_a_socket_an_answer_comes_and_its_connection_is_used_again() -> None:
    async with StreamedServer(Chat(responder=echo)) as server:
        client = ChatClient(f"{server.url}/v1", "key")
        await client.warm()
        for _ in range(3):
            said, finished = await read(client.stream(REQUEST))
            assert said == "One. Two. Three. Four. Five."
            assert finished is not None and finished.stop_reason == "end_turn"
            assert finished.usage.output_tokens > 5
            await asyncio.sleep(0.05)
        assert server.accepted == 1
        await client.aclose()


async def test_who_cannot_be_reached_is_an_error_of_the_connection() -> None:
    client = ChatClient("http://127.0.0.1:9/v1", "key")
    with pytest.raises(BedrockError) as raised:
        await read(client.stream(REQUEST))
    assert raised.value.kind is ErrorKind.TRANSPORT
    await client.aclose()


def in_virtual_time(
    act: Callable[[Chat, MemoryHttp, ChatClient], Awaitable[Any]], **pace: float
) -> Any:
    async def run() -> Any:
        chat = Chat(responder=echo, pace=Pace(**pace))
        line = MemoryHttp(chat)
        client = ChatClient(api_key="key", transport=line)
        try:
            return await act(chat, line, client)
        finally:
            await client.aclose()

    with ambient(0) as loop, asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(run())


@each(
    (
        (Fault("refuse", code=429), ErrorKind.THROTTLING, True),
        (Fault("refuse", code=401), ErrorKind.ACCESS_DENIED, True),
        (Fault("refuse", code=500), ErrorKind.UNAVAILABLE, True),
        (Fault("hang_up"), ErrorKind.TRANSPORT, True),
        (Fault("cut", into=3), ErrorKind.TRANSPORT, False),
        (Fault("stall", into=3, seconds=9), ErrorKind.TIMEOUT, False),
        (Fault("slow", seconds=9), ErrorKind.TIMEOUT, True),
    )
)
def test_a_fault_is_an_error_of_its_kind(fault: Fault, kind: ErrorKind, first: bool) -> None:
    async def act(chat: Chat, line: MemoryHttp, client: ChatClient) -> None:
        chat.faults.add(fault)
        stream = client.stream(REQUEST, first_event_timeout=4.0, silence_timeout=3.0)
        with pytest.raises(BedrockError) as raised:
            await read(stream)
        assert (raised.value.kind, raised.value.before_first_token) == (kind, first)
        await asyncio.sleep(3)
        assert not line.open

    in_virtual_time(act, per_delta_ms=100)


async def test_a_service_that_asks_to_be_left_alone_is_heard() -> None:
    def busy(_: httpx.Request) -> httpx.Response:
        return httpx.Response(429, headers={"retry-after-ms": "1500"})

    client = ChatClient(api_key="key", transport=httpx.MockTransport(busy))
    with pytest.raises(BedrockError) as raised:
        await read(client.stream(REQUEST))
    assert (raised.value.kind, raised.value.wait) == (ErrorKind.THROTTLING, 1.5)
    await client.aclose()


def test_an_answer_that_ends_too_early_is_no_whole_one() -> None:
    async def act(chat: Chat, line: MemoryHttp, client: ChatClient) -> Any:
        chat.faults.add(Fault("short", into=3))
        return await read(client.stream(REQUEST))

    said, finished = in_virtual_time(act)
    assert said and finished is None


async def test_a_service_that_only_says_that_it_begins_is_waited_for_as_for_its_first_word() -> (
    None
):
    async def slow() -> AsyncIterator[bytes]:
        yield b'data: {"choices": [{"delta": {"role": "assistant", "content": ""}}]}\n\n'
        await asyncio.sleep(0.3)
        yield b'data: {"choices": [{"delta": {"content": "Hi."}, "finish_reason": "stop"}]}\n\n'
        yield b"data: [DONE]\n\n"

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=slow())

    client = ChatClient(api_key="key", transport=httpx.MockTransport(answer))
    said, _ = await read(client.stream(REQUEST, silence_timeout=0.1))
    assert said == "Hi."
    await client.aclose()


def test_an_answer_that_takes_too_long_ends_and_one_that_is_left_frees_its_connection() -> None:
    async def act(chat: Chat, line: MemoryHttp, client: ChatClient) -> None:
        with pytest.raises(BedrockError, match="not finished within 2 s"):
            await read(client.stream(REQUEST, timeout=2.0, first_event_timeout=2.0))
        stream = client.stream(REQUEST)
        async with stream:
            async for event in stream:
                if "contentBlockDelta" in event:
                    break
        assert not stream.before_first_token
        await asyncio.sleep(1)
        assert not line.open
        with pytest.raises(BedrockError) as raised:
            await anext(stream)
        assert raised.value.kind is ErrorKind.CANCELLED

    in_virtual_time(act, per_delta_ms=1500)


def test_openai_itself_is_told_the_limit_by_its_newer_name() -> None:
    async def act(chat: Chat, line: MemoryHttp, client: ChatClient) -> Any:
        await read(client.stream({**REQUEST, "inferenceConfig": {"maxTokens": 50}}))
        return chat.asked[-1]

    assert in_virtual_time(act)["max_completion_tokens"] == 50


@virtual_time
async def test_a_client_that_nobody_has_warmed_is_built_off_the_loop() -> None:
    client = ChatClient("http://chat.world/v1", "key", transport=_Refuses())
    threads: list[int] = []
    built = client._built

    def noted() -> Any:
        threads.append(threading.get_ident())
        return built()

    client._built = noted  # type: ignore[method-assign]
    for _ in range(2):
        with pytest.raises(BedrockError):
            await read(client.stream(REQUEST))
    assert len(threads) == 1 and threads[0] != threading.get_ident()
    await client.aclose()


class _Refuses(httpx.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={})
