"""The media door: its path, and that its restart refuses and disturbs nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from aybiza.actors.runtime import KILL
from aybiza.emulators.phone.messages import CONNECTED, StreamWriter, new_sid
from tests.call.caller import LIMIT
from tests.call.kit import World, world
from tests.call.steps import hang_up

pytestmark = pytest.mark.asyncio(loop_scope="module")

KILLS = 5


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("place")) as made:
        yield made


@pytest.mark.parametrize("path", ["", "/", "/medium", "/media/", "/incoming"])
async def test_another_path_is_refused(place: World, path: str) -> None:
    url = place.node.media_url.removesuffix("/media") + path
    with pytest.raises(InvalidStatus) as refusal:
        async with connect(url, proxy=None):
            pass
    response = refusal.value.response
    assert response.status_code == 404
    assert b"/media" in (response.body or b"")


async def test_a_query_does_not_matter(place: World) -> None:
    async with connect(f"{place.node.media_url}?token=1", proxy=None) as socket:
        await socket.send(CONNECTED)


async def test_no_connection_is_refused_while_the_server_restarts(place: World) -> None:
    served: list[str] = []
    over = asyncio.Event()

    async def knock() -> None:
        while not over.is_set():
            async with connect(place.node.media_url, proxy=None, open_timeout=LIMIT) as socket:
                call_id = new_sid("CA")
                await socket.send(CONNECTED)
                await socket.send(StreamWriter(new_sid("MZ"), call_id, new_sid("AC")).start({}))
                await socket.recv()
                served.append(call_id)

    async with asyncio.timeout(LIMIT), asyncio.TaskGroup() as callers:
        for _ in range(8):
            callers.create_task(knock())
        for _ in range(KILLS):
            enough = len(served) + 8
            await place.restart("media_server")
            await place.until(lambda: len(served) >= enough)  # noqa: B023
        over.set()


async def test_calls_go_on_while_the_server_restarts(place: World) -> None:
    async with place.call(hang_up(quiet_ms=500), direct=True) as call:
        await call.until(lambda: call.is_speaking(0, 1))
        for _ in range(3):
            await place.restart("media_server")
        report = await call.over()
    assert report.ok, call.summary()
    assert report.gaps == []
    assert len(report.streams) == 1


async def test_a_stream_whose_process_dies_is_closed_with_an_error(place: World) -> None:
    async with place.call(hang_up(quiet_ms=500), direct=True) as call:
        await call.until(lambda: call.is_speaking(0, 1))
        line = call.line
        assert line is not None
        place.vm.exit(line.owner, KILL)
        report = await call.over()
    assert [stream.close_code for stream in report.streams] == [1011]


async def test_what_breaks_the_listener_restarts_the_server(place: World) -> None:
    server = place.vm.find("media_server")
    assert server is not None
    links = [link.pid for link in server.links or () if link.label.startswith("Task")]
    assert len(links) == 1
    place.vm.exit(links[0], "broken")
    await place.until(lambda: place.vm.whereis("media_server") not in (None, server.pid))
    async with connect(place.node.media_url, proxy=None) as socket:
        await socket.send(CONNECTED)


async def test_handshakes_beyond_the_rate_are_refused_with_requests_counted_too(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, AYBIZA_RATE_LIMIT="3") as place:
        async with httpx.AsyncClient() as client:
            assert (await client.post(f"{place.node.http_url}/status")).status_code == 204
        for _ in range(2):
            async with connect(place.node.media_url, proxy=None):
                pass
        with pytest.raises(InvalidStatus) as refusal:
            async with connect(place.node.media_url, proxy=None):
                pass
    response = refusal.value.response
    assert response.status_code == 429
    assert 1 <= int(response.headers["Retry-After"]) <= 60


async def test_a_direct_stream_is_for_a_node_that_only_this_machine_reaches(
    tmp_path: Path,
) -> None:
    guarded = world(tmp_path, AYBIZA_PUBLIC_URL="https://phone.example.org")
    async with guarded as place, place.call(hang_up(), direct=True) as call:
        streams = call.report.streams
        await call.until(lambda: bool(streams and streams[0].close_code))
    assert streams[0].close_code == 1008
    assert streams[0].close_reason == "the stream's token is missing"


async def test_a_call_counts_for_its_account_from_its_start_to_its_end(tmp_path: Path) -> None:
    account, url = new_sid("AC"), "/incoming"
    form = {"CallSid": new_sid("CA"), "AccountSid": account}
    async with (
        world(tmp_path, AYBIZA_ACCOUNT_CALLS="1") as place,
        httpx.AsyncClient(base_url=place.node.http_url) as client,
    ):
        async with connect(place.node.media_url, proxy=None) as socket:
            await socket.send(CONNECTED)
            await socket.send(StreamWriter(new_sid("MZ"), new_sid("CA"), account).start({}))
            await socket.recv()
            assert "<Say>" in (await client.post(url, data=form)).text
            other = {"CallSid": new_sid("CA"), "AccountSid": new_sid("AC")}
            assert "<Stream" in (await client.post(url, data=other)).text
        async with asyncio.timeout(LIMIT):
            while "<Stream" not in (await client.post(url, data=form)).text:
                pass
