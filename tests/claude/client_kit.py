"""What the tests of the client share: a loopback server, a warm client, bounded waits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar

import pytest

from aybiza.claude.client import BedrockClient, ConverseStream
from aybiza.claude.converse import converse_request
from aybiza.claude.errors import BedrockError
from tests.claude.bedrock_wire import MESSAGE_START, BedrockWire, Reply, text_delta

LIMIT_S = 60.0
REGION = "us-east-1"
MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
REQUEST = converse_request(MODEL, [{"role": "user", "content": "Hello"}], max_tokens=50)

T = TypeVar("T")


async def within(awaitable: Awaitable[T]) -> T:
    return await asyncio.wait_for(awaitable, LIMIT_S)


async def take(stream: ConverseStream) -> list[Any]:
    async with asyncio.timeout(LIMIT_S):
        return [event async for event in stream]


async def failure(stream: ConverseStream) -> tuple[list[Any], BedrockError]:
    events: list[Any] = []
    with pytest.raises(BedrockError) as caught:
        async with asyncio.timeout(LIMIT_S):
            async for event in stream:
                events.append(event)
    return events, caught.value


@contextlib.asynccontextmanager
async def bedrock(script: Any, **options: Any) -> AsyncIterator[tuple[BedrockWire, BedrockClient]]:
    async with BedrockWire(script) as wire:
        settings = {"region": REGION, "endpoint_url": wire.url, **options}
        async with BedrockClient(**settings) as client:
            await within(client.warm())
            yield wire, client


async def hello(reply: Reply) -> None:
    await reply.say("Hello.", " Bye.")


async def silence_after_text(reply: Reply) -> None:
    await reply.start()
    await reply.send(MESSAGE_START + text_delta("Hello."))
    await reply.client_gone()


async def silence(reply: Reply) -> None:
    await reply.client_gone()
