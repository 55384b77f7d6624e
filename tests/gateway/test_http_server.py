"""The HTTP door's server: a restart refuses nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.call.caller import LIMIT
from tests.call.kit import World, world

pytestmark = pytest.mark.asyncio(loop_scope="module")

KILLS = 5


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("place")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def client(place: World) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_keepalive_connections=0)
    url = place.node.http_url
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=LIMIT) as made:
        yield made


async def test_health_readiness_and_metrics_are_served(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).text == "ok\n"
    assert (await client.get("/readyz")).text == "ready\n"
    assert "aybiza_processes" in (await client.get("/metrics")).text
    assert (await client.get("/nothing")).status_code == 404
    assert (await client.get("/incoming")).status_code == 405


async def test_no_request_is_refused_while_the_server_restarts(
    place: World, client: httpx.AsyncClient
) -> None:
    answered = 0
    over = asyncio.Event()

    async def ask() -> None:
        nonlocal answered
        while not over.is_set():
            response = await client.post("/incoming", data={"CallSid": "CA1"})
            assert response.status_code == 200
            answered += 1

    async with asyncio.timeout(LIMIT), asyncio.TaskGroup() as asking:
        for _ in range(4):
            asking.create_task(ask())
        for _ in range(KILLS):
            enough = answered + 8
            await place.restart("http_server")
            await place.until(lambda: answered >= enough)  # noqa: B023
        over.set()


async def test_a_body_that_is_no_form_is_answered(client: httpx.AsyncClient) -> None:
    assert (await client.post("/incoming", content=b"\xff\x00")).status_code == 400
    assert (await client.post("/incoming", content=b"x" * 100_000)).status_code == 413
    assert (await client.post("/status", content=b"\xff=\xfe")).status_code == 204
