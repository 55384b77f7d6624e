"""Severing an exchange: its own thread wakes, nobody else's does."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import urllib3

from aybiza.claude.transport import (
    Exchange,
    Severed,
    _TrackedHTTPConnection,
    track_connections,
)
from tests.claude.bedrock_wire import MESSAGE_START, BedrockWire, Reply

LIMIT_S = 60.0


async def in_thread(job: Callable[[], Any]) -> Any:
    return await asyncio.wait_for(asyncio.to_thread(job), LIMIT_S)


async def answer(reply: Reply) -> None:
    await reply.say("Hi.")


def connect(wire: BedrockWire) -> _TrackedHTTPConnection:
    address = urlsplit(wire.url)
    return _TrackedHTTPConnection(address.hostname or "", address.port, timeout=LIMIT_S)


def ask(connection: _TrackedHTTPConnection) -> int:
    connection.request("GET", "/")
    response = connection.getresponse()
    response.read()
    return int(response.status)


async def test_a_severed_exchange_makes_no_request() -> None:
    async with BedrockWire(answer) as wire:
        exchange = Exchange()
        exchange.sever()

        def request() -> None:
            with exchange.entered(), pytest.raises(Severed):
                ask(connect(wire))

        await in_thread(request)
        assert wire.connections == 0


async def test_a_connection_handed_on_is_not_shut_down_by_its_last_user() -> None:
    async with BedrockWire(answer) as wire:
        connection = connect(wire)
        first, second = Exchange(), Exchange()

        def run() -> tuple[int, ...]:
            with first.entered():
                before = ask(connection)
                with second.entered():
                    connection.request("GET", "/")
                    first.sever()
                    response = connection.getresponse()
                    response.read()
            after = ask(connection)
            connection.close()
            return before, int(response.status), after

        assert await in_thread(run) == (200, 200, 200)
        assert wire.connections == 1


async def test_a_connection_shut_down_on_its_way_to_the_pool_is_opened_anew() -> None:
    async with BedrockWire(answer) as wire:
        connection = connect(wire)
        first, second = Exchange(), Exchange()

        def run() -> int:
            with first.entered():
                ask(connection)
                first.sever()
                with second.entered():
                    status = ask(connection)
            connection.close()
            return status

        assert await in_thread(run) == 200
        assert wire.connections == 2


async def test_an_exchange_severed_while_it_connects_makes_no_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    look_up = socket.getaddrinfo
    exchange = Exchange()

    def sever_meanwhile(*args: Any, **options: Any) -> Any:
        exchange.sever()
        return look_up(*args, **options)

    async with BedrockWire(answer) as wire:
        monkeypatch.setattr(socket, "getaddrinfo", sever_meanwhile)

        def request() -> None:
            connection = connect(wire)
            with exchange.entered(), pytest.raises(Severed):
                ask(connection)
            connection.close()

        await in_thread(request)
        assert wire.requests == []


async def test_without_tracking_the_response_itself_is_shut_down() -> None:
    async def stall(reply: Reply) -> None:
        await reply.start()
        await reply.send(MESSAGE_START)
        await reply.client_gone()

    async with BedrockWire(stall) as wire:
        exchange = Exchange()
        reading = asyncio.Event()
        loop = asyncio.get_running_loop()

        def run() -> None:
            with exchange.entered(), urllib3.PoolManager() as manager:
                response = manager.request("POST", wire.url, preload_content=False, timeout=LIMIT_S)
                exchange.reading(SimpleNamespace(_raw_stream=response))
                chunks = response.stream()
                next(chunks)
                loop.call_soon_threadsafe(reading.set)
                with pytest.raises(urllib3.exceptions.ProtocolError):
                    next(chunks)

        thread = asyncio.create_task(in_thread(run))
        await asyncio.wait_for(reading.wait(), LIMIT_S)
        exchange.sever()
        exchange.sever()
        await thread


@pytest.mark.parametrize("stream", [object(), SimpleNamespace(_raw_stream=object())])
def test_a_stream_that_cannot_be_shut_down_is_left_alone(stream: object) -> None:
    exchange = Exchange()
    with exchange.entered():
        exchange.reading(stream)
        exchange.sever()
        with pytest.raises(Severed):
            exchange.check()


def test_a_boto3_client_lets_itself_be_tracked() -> None:
    client = boto3.Session().client("bedrock-runtime", region_name="us-east-1")
    assert track_connections(client)
    client.close()


def test_a_client_that_does_not_is_told_apart() -> None:
    assert not track_connections(object())
