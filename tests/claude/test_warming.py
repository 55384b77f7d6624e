"""A client made ready: a request that never leaves, and one that opens a connection."""

from __future__ import annotations

import asyncio
from typing import Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError

from aybiza.claude.warming import knock, rehearse
from tests.claude.bedrock_wire import BedrockWire
from tests.claude.client_kit import REQUEST, hello, within


def made(url: str) -> Any:
    return boto3.Session().client("bedrock-runtime", region_name="us-east-1", endpoint_url=url)


async def test_a_rehearsal_never_leaves_the_process_and_leaves_nothing_behind() -> None:
    async with BedrockWire(hello) as wire:
        client = await within(asyncio.to_thread(made, wire.url))
        await within(asyncio.to_thread(rehearse, client))
        assert (wire.connections, wire.requests) == (0, [])
        answer = await within(asyncio.to_thread(lambda: client.converse_stream(**REQUEST)))
        events = await within(asyncio.to_thread(list, answer["stream"]))
        assert len(events) == 6
        assert len(wire.requests) == 1
        client.close()


async def test_a_rehearsal_finds_out_that_there_are_no_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    client = await within(asyncio.to_thread(made, "http://127.0.0.1:9"))
    with pytest.raises(NoCredentialsError):
        await within(asyncio.to_thread(rehearse, client))
    client.close()


async def test_a_knock_leaves_an_open_connection() -> None:
    async with BedrockWire(hello) as wire:
        client = await within(asyncio.to_thread(made, wire.url))
        await within(asyncio.to_thread(knock, client))
        assert (wire.connections, wire.knocks, wire.requests) == (1, 1, [])
        answer = await within(asyncio.to_thread(lambda: client.converse_stream(**REQUEST)))
        await within(asyncio.to_thread(list, answer["stream"]))
        assert wire.connections == 1
        client.close()


async def test_a_knock_is_not_signed() -> None:
    seen: list[dict[str, str]] = []

    class Wire(BedrockWire):
        async def _read(self, reader: Any) -> Any:  # type: ignore[override]
            request = await BedrockWire._read(reader)
            if request is not None:
                seen.append(request.headers)
            return request

    async with Wire(hello) as wire:
        client = await within(asyncio.to_thread(made, wire.url))
        await within(asyncio.to_thread(knock, client))
        client.close()
    assert "authorization" not in seen[0]
