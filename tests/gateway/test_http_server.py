"""The HTTP door's server: a restart refuses nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from uvicorn.protocols.utils import ClientDisconnected

from aybiza.gateway.http_server import _Socket
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


@asynccontextmanager
async def asking(tmp_path: Path, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a node with these settings."""
    async with (
        world(tmp_path, **options) as place,
        httpx.AsyncClient(base_url=place.node.http_url, timeout=LIMIT) as client,
    ):
        yield client


async def test_who_writes_other_addresses_into_headers_is_counted_all_the_same(
    tmp_path: Path,
) -> None:
    async with asking(tmp_path, AYBIZA_RATE_LIMIT="3") as stranger:
        statuses = []
        for number in range(5):
            headers = {"X-Forwarded-For": f"198.51.100.{number}"}
            answer = await stranger.post("/status", data={"CallSid": "CA1"}, headers=headers)
            statuses.append(answer.status_code)
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert (await stranger.get("/healthz")).text == "ok\n"
    assert statuses == [204, 204, 204, 429, 429]


async def test_behind_a_trusted_proxy_each_address_is_counted(tmp_path: Path) -> None:
    options = {"AYBIZA_RATE_LIMIT": "1", "AYBIZA_TRUSTED_PROXIES": "127.0.0.1/32"}
    async with asking(tmp_path, **options) as proxy:
        for number, status in ((1, 204), (2, 204), (1, 429), (2, 429)):
            headers = {"X-Forwarded-For": f"198.51.100.{number}"}
            answer = await proxy.post("/status", data={"CallSid": "CA1"}, headers=headers)
            assert answer.status_code == status


async def test_what_is_told_to_who_has_just_said_goodbye_is_no_fault() -> None:
    socket = _Socket.__new__(_Socket)
    socket.close_sent = True
    for kind in ("websocket.send", "websocket.close"):
        with pytest.raises(ClientDisconnected):
            await socket.send({"type": kind})
