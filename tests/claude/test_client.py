"""The Bedrock client: its threads, its regions, its life."""

from __future__ import annotations

import threading

import pytest

from claude.client import BedrockClient
from claude.errors import BedrockError, ErrorKind
from tests.claude.bedrock_wire import (
    BedrockWire,
)
from tests.claude.client_kit import (
    REGION,
    REQUEST,
    bedrock,
    failure,
    hello,
    silence,
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

    async def test_warm_opens_the_clients_of_all_regions_named(self) -> None:
        async with BedrockWire(hello) as wire:
            async with BedrockClient(region=REGION, endpoint_url=wire.url) as client:
                await within(client.warm(REGION, "us-west-2"))
                assert client.statistics().idle == 1
            assert wire.connections == 0

    async def test_warm_says_what_is_wrong_with_the_credentials(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_PROFILE", "nobody")
        async with BedrockClient(region=REGION) as client:
            with pytest.raises(BedrockError, match="AWS_PROFILE") as caught:
                await within(client.warm())
        assert caught.value.kind is ErrorKind.ACCESS_DENIED
