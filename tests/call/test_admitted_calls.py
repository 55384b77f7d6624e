"""Calls to a guarded node: signed as Twilio signs them, with a stream token, and no others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree

import httpx
import pytest
import pytest_asyncio
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from aybiza.emulators.phone.messages import CONNECTED, StreamWriter, new_sid
from aybiza.emulators.phone.webhook import signature
from aybiza.gateway.admission.stream_token import PARAMETER
from tests.call.caller import LIMIT
from tests.call.kit import GREETING, World, world
from tests.call.steps import hang_up

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.real_time]

TOKEN = "an-auth-token"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("place")
    async with world(folder, voice_speed=3, TWILIO_AUTH_TOKEN=TOKEN) as made:
        yield made


async def parameters_of(place: World, call_id: str) -> dict[str, str]:
    """What the stream is told by the TwiML of a signed webhook."""
    url = f"{place.node.http_url}/incoming"
    form = {"CallSid": call_id, "From": "+14155550123"}
    headers = {"X-Twilio-Signature": signature(TOKEN, url, form)}
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(url, data=form, headers=headers)
    assert answer.status_code == 200, answer.text
    stream = ElementTree.fromstring(answer.text).find("Connect/Stream")
    assert stream is not None
    return {each.attrib["name"]: each.attrib["value"] for each in stream}


def streaming(place: World) -> connect:
    """A signed media websocket."""
    headers = {"x-twilio-signature": signature(TOKEN, place.node.media_url)}
    return connect(place.node.media_url, proxy=None, additional_headers=headers, open_timeout=LIMIT)


async def start(socket: ClientConnection, call_id: str, parameters: Mapping[str, str]) -> None:
    await socket.send(CONNECTED)
    await socket.send(StreamWriter(new_sid("MZ"), call_id, new_sid("AC")).start(parameters))


async def refused(socket: ClientConnection) -> tuple[int | None, str]:
    """How the node has closed the stream, before it said anything."""
    with pytest.raises(ConnectionClosed):
        await socket.recv()
    return socket.close_code, socket.close_reason or ""


async def test_a_signed_call_goes_to_its_end(place: World) -> None:
    async with place.call(hang_up(after=r"today\?"), auth_token=TOKEN) as call:
        report = await call.over()
    assert report.ok, call.summary()
    assert call.heard == f"{GREETING} "


async def test_a_caller_who_comes_back_by_the_redirect_has_a_token_of_the_new_stream(
    place: World,
) -> None:
    async with place.call(hang_up(quiet_ms=1000), auth_token=TOKEN) as call:
        await call.until(lambda: call.is_speaking(0, 1))
        call.drop()
        report = await call.over()
    assert report.ok, call.summary()
    assert len(report.streams) == 2


@pytest.mark.parametrize("auth_token", [None, "another-token"])
async def test_a_call_without_the_signature_is_not_taken(
    place: World, auth_token: str | None
) -> None:
    async with place.call(hang_up(), auth_token=auth_token) as call:
        report = await call.over()
    assert not report.ok
    assert "status 403" in report.failure
    assert report.streams == []


@pytest.mark.parametrize("given", [None, "nonsense", signature(TOKEN, "wss://elsewhere/media")])
async def test_a_handshake_without_the_signature_is_refused(
    place: World, given: str | None
) -> None:
    headers = {"x-twilio-signature": given} if given else {}
    with pytest.raises(InvalidStatus) as refusal:
        async with connect(place.node.media_url, proxy=None, additional_headers=headers):
            pass
    assert refusal.value.response.status_code == 403


async def test_a_signed_stream_without_a_webhook_is_refused(place: World) -> None:
    call_id = new_sid("CA")
    for parameters in ({}, {PARAMETER: "made-up"}):
        async with streaming(place) as socket:
            await start(socket, call_id, parameters)
            code, reason = await refused(socket)
        assert code == 1008
        assert reason.startswith("the stream's token is")


async def test_a_token_serves_one_stream_of_one_call(place: World) -> None:
    call_id = new_sid("CA")
    parameters = await parameters_of(place, call_id)
    async with streaming(place) as socket:
        await start(socket, new_sid("CA"), parameters)
        assert await refused(socket) == (1008, "the stream's token is forged")
    async with streaming(place) as first:
        await start(first, call_id, parameters)
        await first.recv()
        async with streaming(place) as second:
            await start(second, call_id, parameters)
            assert await refused(second) == (1008, "the stream's token is used")
        await first.recv()


async def test_a_stream_that_is_refused_does_not_disturb_the_call_it_names(place: World) -> None:
    async with place.call(hang_up(after=r"today\?", quiet_ms=600), auth_token=TOKEN) as call:
        await call.until(lambda: call.is_speaking(0, 1))
        async with streaming(place) as socket:
            await start(socket, call.call_id, {PARAMETER: "x"})
            await refused(socket)
        report = await call.over()
    assert report.ok, call.summary()
    assert (call.heard, report.gaps, len(report.streams)) == (f"{GREETING} ", [], 1)


async def test_no_line_of_the_log_holds_a_token(place: World) -> None:
    call_id = new_sid("CA")
    with capture_logs() as logs:
        parameters = await parameters_of(place, call_id)
        token = parameters[PARAMETER]
        for _ in range(2):
            async with streaming(place) as socket:
                await start(socket, call_id, parameters)
                if _:
                    await refused(socket)
                else:
                    await socket.recv()
    assert len(logs) > 2
    assert token not in repr(logs)


async def test_a_token_of_one_node_is_taken_by_another_of_its_cluster_alone(
    tmp_path: Path,
) -> None:
    cookies = [tmp_path / "cookie", tmp_path / "other"]
    for cookie in cookies:
        cookie.write_text(f"the cookie in {cookie.name}")
        cookie.chmod(0o600)
    public = {"AYBIZA_PUBLIC_URL": "https://phone.example.org"}
    own, foreign = ({**public, "AYBIZA_COOKIE_FILE": str(cookie)} for cookie in cookies)
    nodes = (
        world(folder_in(tmp_path, "a"), **cast(Any, own)),
        world(folder_in(tmp_path, "b"), **cast(Any, own)),
        world(folder_in(tmp_path, "c"), **cast(Any, foreign)),
    )
    async with nodes[0] as first, nodes[1] as second, nodes[2] as stranger:
        call_id = new_sid("CA")
        token = first.node._admission.parameters(call_id)
        async with connect(stranger.node.media_url, proxy=None) as socket:
            await start(socket, call_id, token)
            assert await refused(socket) == (1008, "the stream's token is forged")
        async with connect(second.node.media_url, proxy=None) as socket:
            await start(socket, call_id, token)
            await socket.recv()


@pytest.mark.parametrize(
    ("setting", "warned"),
    [
        ({}, False),
        ({"TWILIO_AUTH_TOKEN": TOKEN, "AYBIZA_PUBLIC_URL": "https://a.example"}, False),
        ({"AYBIZA_PUBLIC_URL": "https://a.example"}, True),
        ({"AYBIZA_BIND": "0.0.0.0"}, True),
    ],
)
async def test_doors_that_are_open_to_anybody_are_warned_of_at_the_start(
    tmp_path: Path, setting: dict[str, str], warned: bool
) -> None:
    with capture_logs() as logs:
        async with world(tmp_path, **cast(Any, setting)):
            pass
    events = [line["event"] for line in logs if line["log_level"] == "warning"]
    assert ("doors_open_to_anybody" in events) == warned


def folder_in(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name
