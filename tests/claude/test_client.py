"""The Bedrock client: its threads, its regions, its life."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest
from structlog.testing import capture_logs

from aybiza.claude.client import BedrockClient
from aybiza.claude.errors import BedrockError, ErrorKind
from aybiza.config.ports import free_port
from tests.claude.bedrock_wire import (
    BedrockWire,
)
from tests.claude.client_kit import (
    LIMIT_S,
    REGION,
    REQUEST,
    bedrock,
    failure,
    hello,
    silence,
    silence_after_text,
    take,
    within,
)


class TestPool:
    async def test_a_stream_too_many_is_refused_until_a_place_is_free(self) -> None:
        async with bedrock(silence, pool_size=2) as (_, client):
            first, _ = client.stream(REQUEST), client.stream(REQUEST)
            with pytest.raises(BedrockError, match="BEDROCK_POOL_SIZE") as caught:
                client.stream(REQUEST)
            assert (caught.value.kind, caught.value.retryable) == (ErrorKind.BUSY, True)
            assert client.statistics().refused == 1
            first.cancel()
            await within(first.released())
            client.stream(REQUEST)
            assert client.statistics().busy == 2

    async def test_a_place_is_free_as_soon_as_a_stream_has_ended(self) -> None:
        async with bedrock(hello, pool_size=1) as (_, client):
            for _ in range(20):
                await take(client.stream(REQUEST))
            assert client.statistics().finished == 20

    async def test_there_is_room_for_what_nobody_waits_for_while_most_places_are_free(self) -> None:
        async with bedrock(silence, pool_size=4) as (_, client):
            room = [client.has_room()]
            for _ in range(3):
                client.stream(REQUEST)
                room.append(client.has_room())
        assert room == [True, True, False, False]

    async def test_every_stream_is_counted_once(self) -> None:
        async with bedrock(hello) as (_, client):
            await take(client.stream(REQUEST))
            client.stream(REQUEST).cancel()
            statistics = client.statistics()
        ended = statistics.finished + statistics.cancelled + statistics.failed
        assert (statistics.started, ended) == (2, 2)


class TestLife:
    async def test_close_ends_every_stream_and_thread(self) -> None:
        async with BedrockWire(silence) as wire:
            client = BedrockClient(region=REGION, endpoint_url=wire.url)
            streams = [client.stream(REQUEST) for _ in range(3)]
            await within(client.aclose())
            await within(client.aclose())
            for stream in streams:
                _, error = await failure(stream)
                assert error.kind is ErrorKind.CANCELLED
            with pytest.raises(BedrockError, match="closed"):
                client.stream(REQUEST)
        assert not [t.name for t in threading.enumerate() if t.name.startswith("bedrock")]

    async def test_the_endpoint_may_come_from_the_environment(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with BedrockWire(hello) as wire:
            monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", wire.url)
            async with BedrockClient(region=REGION) as client:
                assert len(await take(client.stream(REQUEST))) == 6

    async def test_warm_says_what_is_wrong_with_the_credentials(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_PROFILE", "nobody")
        async with BedrockClient(region=REGION) as client:
            with pytest.raises(BedrockError, match="AWS_PROFILE") as caught:
                await within(client.warm())
        assert caught.value.kind is ErrorKind.ACCESS_DENIED


class TestWarm:
    async def test_client_thread_and_connection_of_every_region_are_ready(self) -> None:
        async with bedrock(hello) as (wire, client):
            await within(client.warm(REGION, "us-west-2"))
            warmed, threads = wire.connections, threading.active_count()
            assert warmed >= 2
            for region in (REGION, "us-west-2"):
                await take(client.stream(REQUEST, region=region))
            assert wire.connections == warmed
            assert threading.active_count() == threads
            assert client.statistics().idle == 2

    async def test_a_connection_that_a_cancelled_stream_cost_is_opened_anew(self) -> None:
        async with bedrock(silence_after_text) as (wire, client):
            knocks = wire.knocks
            stream = client.stream(REQUEST)
            await within(anext(stream))
            stream.cancel()
            async with asyncio.timeout(LIMIT_S):
                while wire.knocks == knocks:  # noqa: ASYNC110 - the wire sets no event
                    await asyncio.sleep(0.001)

    async def test_connections_are_kept_while_nothing_is_asked(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("aybiza.claude.client._KEEP_S", 0.02)
        async with bedrock(hello) as (wire, _):
            knocks = wire.knocks
            async with asyncio.timeout(LIMIT_S):
                while wire.knocks < knocks + 3:  # noqa: ASYNC110 - the wire sets no event
                    await asyncio.sleep(0.001)

    async def test_warming_never_takes_a_streams_place(self) -> None:
        async with bedrock(silence, pool_size=1) as (_, client):
            for _ in range(10):
                stream = client.stream(REQUEST)
                stream.cancel()
                await within(stream.released())

    async def test_an_endpoint_that_does_not_answer_is_not_waited_for(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("aybiza.claude.client._OPEN_LIMIT_S", 0.05)
        with socket.create_server(("127.0.0.1", 0)) as silent, capture_logs() as logs:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            async with BedrockClient(
                region=REGION, endpoint_url=url, read_timeout_ms=500
            ) as client:
                await within(client.warm())
                assert [entry["event"] for entry in logs] == ["bedrock_slow_to_reach"]

    async def test_an_endpoint_that_is_not_there_is_logged_once_and_no_error(self) -> None:
        with capture_logs() as logs:
            url = f"http://127.0.0.1:{free_port()}"
            async with BedrockClient(region=REGION, endpoint_url=url) as client:
                await within(client.warm())
                await within(client.warm())
        assert [entry["event"] for entry in logs] == ["bedrock_not_reached"]

    async def test_missing_credentials_are_told_at_the_start(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        with capture_logs() as logs:
            async with bedrock(hello) as (_, client):
                _, error = await failure(client.stream(REQUEST))
        assert error.kind is ErrorKind.ACCESS_DENIED
        assert ("bedrock_rehearsal_failed", "NoCredentialsError") in [
            (entry["event"], entry.get("kind")) for entry in logs
        ]

    async def test_a_closed_client_cannot_be_warmed(self) -> None:
        async with BedrockWire(hello) as wire:
            client = BedrockClient(region=REGION, endpoint_url=wire.url)
            await client.aclose()
            with pytest.raises(BedrockError, match="closed"):
                await within(client.warm())
