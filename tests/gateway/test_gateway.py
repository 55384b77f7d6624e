"""The gateway: the doors of a node under one supervisor, which bears the failures of one door."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from aybiza.gateway.console.console_actor import NAME as CONSOLE
from aybiza.gateway.gateway import MAX_RESTARTS
from aybiza.gateway.media_server import STREAM_SUPERVISOR
from aybiza.supervisors.supervisor import Supervisor
from tests.call.kit import GREETING, World, world
from tests.call.steps import hang_up, stay

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("place"), voice_speed=2) as made:
        yield made


async def test_it_has_the_streams_the_two_doors_and_the_console(place: World) -> None:
    children = await Supervisor.which_children(place.vm, "gateway")
    ids = [child.id for child in reversed(children)]
    assert ids == [STREAM_SUPERVISOR, "media_server", "http_server", CONSOLE]


async def test_a_door_that_fails_often_takes_no_call_with_it(place: World) -> None:
    gateway = place.vm.whereis("gateway")
    async with place.call(hang_up(after=r"today\?", quiet_ms=300), direct=True) as call:
        await call.until(lambda: call.is_speaking(0, 1))
        for _ in range(MAX_RESTARTS // 2):
            await place.restart("http_server")
            await place.restart("media_server")
        report = await call.over()
    assert report.ok, call.summary()
    assert call.heard == f"{GREETING} "
    assert place.vm.whereis("gateway") == gateway


async def test_a_gateway_that_dies_is_followed_by_one_with_the_same_addresses(
    place: World,
) -> None:
    async with place.call(stay(), direct=True) as call:
        await call.until(lambda: call.has_heard(0, 1))
        await place.restart("gateway")
        await call.over()
        assert [stream.close_code for stream in call.report.streams] == [1001]
    await place.until(lambda: place.vm.alive("http_server"))
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{place.node.http_url}/healthz")).text == "ok\n"
    async with place.call(hang_up(after=r"today\?"), direct=True) as call:
        assert (await call.over()).ok
