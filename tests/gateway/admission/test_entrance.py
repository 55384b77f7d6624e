"""Connections that owe their request: bounded in size, number and time, at both doors."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from structlog.testing import capture_logs
from websockets.asyncio.client import connect

from aybiza.actors.runtime import VM
from aybiza.config.ports import bound
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.waiting_room import OF_ADDRESS, WaitingRoom
from aybiza.gateway.http_server import HttpServer
from tests.call.caller import LIMIT
from tests.call.kit import GREETING, World, world
from tests.call.steps import hang_up
from tests.gateway.admission.certificates import certificate

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN = "an-auth-token"
STRANGERS = 2000
WAITING = 0.3

UNFINISHED = {
    "nothing": b"",
    "half a line": b"GET /heal",
    "half a header": b"GET /healthz HTTP/1.1\r\nHost: node\r\nX-Long:",
    "half a body": b"POST /incoming HTTP/1.1\r\nHost: node\r\nContent-Length: 9\r\n\r\nCall",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("place"), voice_speed=2) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def secure(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[World, ssl.SSLContext]]:
    folder = tmp_path_factory.mktemp("secure")
    made, key = certificate(folder)
    files = {"AYBIZA_TLS_CERTIFICATE": str(made), "AYBIZA_TLS_KEY": str(key)}
    options = {**files, "TWILIO_AUTH_TOKEN": TOKEN}
    async with world(folder, voice_speed=3, **cast(Any, options)) as place:
        yield place, ssl.create_default_context(cafile=str(made))


@contextlib.contextmanager
def impatient(place: World) -> Iterator[Counter[tuple[str, str]]]:
    """A node that waits for nobody for long; what it refuses meanwhile."""
    admission = admission_of(place)
    room, refuse, refused = admission.room, admission.refused, Counter[tuple[str, str]]()

    def counted(door: str, reason: str, address: str) -> None:
        refused[door, reason] += 1
        refuse(door, reason, address)

    setattr(admission, "refused", counted)  # noqa: B010
    admission.room = WaitingRoom(counted, seconds=WAITING)
    try:
        yield refused
    finally:
        admission.refused, admission.room = refuse, room


def admission_of(place: World) -> Admission:
    return place.node._admission


def ports(place: World) -> dict[str, int]:
    urls = {"http": place.node.http_url, "media": place.node.media_url}
    return {door: urlsplit(url).port or 0 for door, url in urls.items()}


async def answer(port: int, *pieces: bytes) -> bytes:
    """What the door says until it closes the connection."""
    async with asyncio.timeout(LIMIT):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()


@pytest.mark.parametrize("door", ["http", "media"])
@pytest.mark.parametrize("piece", UNFINISHED.values(), ids=UNFINISHED)
async def test_a_request_that_is_not_finished_in_time_is_given_up(
    place: World, door: str, piece: bytes
) -> None:
    if door == "media":
        piece = piece.partition(b"\r\n\r\n")[0].replace(b"POST", b"GET")
    with impatient(place) as refused:
        assert await answer(ports(place)[door], piece) == b""
    assert refused == {(door, "slow"): 1}
    assert len(admission_of(place).room) == 0


async def test_dribbling_does_not_make_the_time_longer(place: World) -> None:
    async def dribble(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(b"X")
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.close()

    with impatient(place) as refused:
        async with asyncio.timeout(LIMIT):
            await asyncio.gather(*map(dribble, ports(place).values()))
    assert refused == {("http", "slow"): 1, ("media", "slow"): 1}


async def test_a_stream_that_does_not_start_is_given_up(place: World) -> None:
    with impatient(place) as refused:
        async with connect(place.node.media_url, proxy=None) as socket:
            async with asyncio.timeout(LIMIT):
                await socket.wait_closed()
    assert refused == {("media", "slow"): 1}


async def test_headers_beyond_the_bound_end_the_connection(place: World) -> None:
    flood = [b"GET /healthz HTTP/1.1\r\n"] + [b"X: " + b"y" * 4000 + b"\r\n"] * 20
    with impatient(place) as refused:
        assert b"200" not in await answer(ports(place)["http"], *flood)
        await answer(ports(place)["media"], *flood)
    assert refused == {("http", "malformed"): 1, ("media", "too_large"): 1}


async def test_what_is_no_http_is_counted_not_logged(place: World) -> None:
    with impatient(place) as refused, capture_logs() as logs:
        for port in ports(place).values():
            for _ in range(5):
                await answer(port, b"\x16\x03\x01\x02\x00\r\n\r\n")
    assert refused == {("http", "malformed"): 5, ("media", "malformed"): 5}
    others = ("door_refused", "loop_blocked")
    assert [line["event"] for line in logs if line["event"] not in others] == []


async def test_a_request_in_small_pieces_is_answered(place: World) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n"
    pieces = [request[i : i + 7] for i in range(0, len(request), 7)]
    assert (await answer(ports(place)["http"], *pieces)).endswith(b"ok\n")


async def test_a_connection_that_is_kept_alive_waits_like_any_other(place: World) -> None:
    async with httpx.AsyncClient(base_url=place.node.http_url, trust_env=False) as client:
        for _ in range(3):
            assert (await client.get("/healthz")).text == "ok\n"
            assert len(admission_of(place).room) == 1
    await place.until(lambda: len(admission_of(place).room) == 0)


async def test_who_waits_for_us_is_not_waited_for() -> None:
    async def slow(request: Request) -> Response:
        await asyncio.sleep(3 * WAITING)
        return PlainTextResponse("done\n")

    admission = Admission()
    admission.room = WaitingRoom(admission.refused, seconds=WAITING)
    app = Starlette(routes=[Route("/slow", slow, methods=["POST"])])
    async with VM() as vm:
        with bound("127.0.0.1", 0) as listening:
            await vm.start(HttpServer, listening, app, admission)
            port = listening.getsockname()[1]
            request = b"POST /slow HTTP/1.1\r\nHost: node\r\nContent-Length: 4\r\n"
            request += b"Connection: close\r\n\r\nbody"
            assert (await answer(port, request)).endswith(b"done\n")


async def test_thousands_of_strangers_harm_neither_node_nor_call(place: World) -> None:
    async with place.call(hang_up(after=r"today\?", quiet_ms=300)) as call:
        await call.until(lambda: call.is_speaking(0, 1))
        with impatient(place) as refused:
            doors = [str(port) for port in ports(place).values()]
            command = ["-m", "aybiza.benchmarks.doors", "--connections", str(STRANGERS)]
            flood = await asyncio.create_subprocess_exec(
                sys.executable, *command, "--besiege", *doors
            )
            most = 0
            ended = asyncio.ensure_future(flood.wait())
            async with asyncio.timeout(3 * LIMIT):
                while not ended.done():
                    most = max(most, len(admission_of(place).room))
                    await asyncio.sleep(0.005)
            assert ended.result() == 0
        report = await call.over()
    assert report.ok, call.summary()
    assert (call.heard, report.gaps) == (f"{GREETING} ", [])
    assert 0 < most <= OF_ADDRESS
    assert refused.total() == STRANGERS
    assert refused["media", "connections_of_address"] > 0 < refused["http", "malformed"]
    async with httpx.AsyncClient(base_url=place.node.http_url, trust_env=False) as client:
        assert (await client.get("/readyz")).text == "ready\n"
        metrics = (await client.get("/metrics")).text
    assert 'aybiza_refused_total{door="media",reason="connections_of_address"}' in metrics


async def test_a_signed_call_goes_over_tls_at_both_doors(
    secure: tuple[World, ssl.SSLContext],
) -> None:
    place, context = secure
    assert place.node.http_url.startswith("https://")
    async with httpx.AsyncClient(verify=context, trust_env=False) as client:
        for _ in range(3):
            assert (await client.get(f"{place.node.http_url}/healthz")).text == "ok\n"
    async with place.call(hang_up(after=r"today\?"), tls=context, auth_token=TOKEN) as call:
        report = await call.over()
    assert report.ok, call.summary()
    assert report.streams[0].url.startswith("wss://")
    assert call.heard == f"{GREETING} "
    await place.until(lambda: len(admission_of(place).room) == 0)


async def test_a_tls_handshake_that_fails_is_counted(
    secure: tuple[World, ssl.SSLContext],
) -> None:
    place, _ = secure
    with impatient(place) as refused:
        for port in ports(place).values():
            assert b"HTTP" not in await answer(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
            with pytest.warns(DeprecationWarning):
                old.maximum_version = ssl.TLSVersion.TLSv1_1
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await asyncio.open_connection("127.0.0.1", port, ssl=old)
        await place.until(lambda: refused.total() >= 4)
    assert refused == {("http", "tls"): 2, ("media", "tls"): 2}


async def test_a_tls_handshake_that_is_not_finished_in_time_is_given_up(
    secure: tuple[World, ssl.SSLContext],
) -> None:
    place, _ = secure
    with impatient(place) as refused:
        for port in ports(place).values():
            assert await answer(port, b"\x16\x03\x01") == b""
    assert refused == {("http", "slow"): 1, ("media", "slow"): 1}


async def test_what_comes_right_behind_a_tls_handshake_is_not_lost(tmp_path: Path) -> None:
    made, key = certificate(tmp_path)
    files = {"AYBIZA_TLS_CERTIFICATE": str(made), "AYBIZA_TLS_KEY": str(key)}
    request = b"GET /healthz HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n"
    async with world(tmp_path, **cast(Any, files)) as place:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.create_default_context(cafile=str(made))
        tls = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
        reader, writer = await asyncio.open_connection("127.0.0.1", ports(place)["http"])
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                writer.write(outgoing.read())
                incoming.write(await asyncio.wait_for(reader.read(65536), LIMIT))
        tls.write(request)
        # The end of the handshake and the request, in one piece.
        writer.write(outgoing.read())
        heard = b""
        async with asyncio.timeout(LIMIT):
            while b"ok\n" not in heard and not reader.at_eof():
                incoming.write(await reader.read(65536))
                with contextlib.suppress(ssl.SSLWantReadError):
                    while piece := tls.read():
                        heard += piece
        writer.close()
    assert json.dumps(heard.decode()).endswith('ok\\n"')
