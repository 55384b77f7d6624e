"""Who sends much costs little, before `start` and after it, in frames, bytes and lines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from aybiza.emulators.phone.messages import CONNECTED, StreamWriter, new_sid
from aybiza.gateway.admission import entrance, flow
from aybiza.gateway.admission.flow import EARLY_BYTES
from aybiza.gateway.carriers.audio_socket_codec import ID, message
from aybiza.gateway.carriers.paths import CARRIERS
from aybiza.gateway.limited_log import LINES
from tests.call.caller import LIMIT
from tests.call.kit import GREETING, World, world
from tests.call.steps import hang_up

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNKNOWN = json.dumps({"event": "whatever", "x": "y" * 20})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    names = ",".join(CARRIERS)
    options: dict[str, Any] = {
        "AYBIZA_CARRIERS": names,
        "AYBIZA_AUDIOSOCKET_PORT": "0",
        # The attackers are on the node's own loop here.
        "AYBIZA_MAX_LOOP_LAG_MS": "10000",
    }
    async with world(tmp_path_factory.mktemp("place"), voice_speed=3, **options) as made:
        yield made


async def flood(socket: ClientConnection, frame: str, bound: int) -> int:
    """Send the frame until the node has closed; how often it was sent."""
    sent = 0
    try:
        while sent < bound:
            await socket.send(frame)
            sent += 1
            if sent % 50 == 0:
                await asyncio.sleep(0)
    except ConnectionClosed:
        return sent
    async with asyncio.timeout(LIMIT):
        await socket.wait_closed()
    return sent


@pytest.mark.parametrize("frame", [UNKNOWN, CONNECTED], ids=["unknown", "connected"])
@pytest.mark.parametrize("path", ["/media", "/media/telnyx", "/media/signalwire"])
async def test_before_start_a_few_frames_are_taken_and_few_lines_written(
    place: World, frame: str, path: str
) -> None:
    url = place.node.media_url.removesuffix("/media") + path
    with capture_logs() as lines:
        async with connect(url, proxy=None) as socket:
            await flood(socket, frame, 20_000)
        assert socket.close_code in (1006, 1008)
    assert len([line for line in lines if line["event"].startswith("media_")]) < 12


async def test_what_comes_at_once_is_not_kept_whole(
    place: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []
    plain = entrance.MediaConnection._too_many

    def watched(self: entrance.MediaConnection) -> bool:
        kept.append(len(self.recv_messages.frames))
        return plain(self)

    monkeypatch.setattr(entrance.MediaConnection, "_too_many", watched)
    async with connect(place.node.media_url, proxy=None) as socket:
        # As one write, so that the node is handed many frames in one piece.
        socket.transport.write(bytes((0x81, 0x80, 0, 0, 0, 0)) * (EARLY_BYTES // 6 - 10))
        async with asyncio.timeout(LIMIT):
            await socket.wait_closed()
    frames = entrance.PIECE_BYTES // 6
    assert max(kept) <= entrance.EARLY_MESSAGES + frames + 1


async def test_a_started_stream_of_events_that_nobody_knows_is_ended(place: World) -> None:
    writer = StreamWriter(new_sid("MZ"), new_sid("CA"), new_sid("AC"))
    with capture_logs() as lines:
        async with connect(place.node.media_url, proxy=None) as socket:
            await socket.send(writer.start({}))
            await flood(socket, UNKNOWN, 100_000)
        assert socket.close_code in (1006, 1008)
    assert len([line for line in lines if line["event"] == "media_event_unknown"]) <= LINES


@pytest.mark.parametrize("started", [False, True])
async def test_pings_are_answered_up_to_a_bound(
    place: World, started: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "BURST_BYTES", EARLY_BYTES)
    monkeypatch.setattr(flow, "BYTES_A_SECOND", 1000)
    refused: list[tuple[str, str]] = []
    admission = place.node._admission
    count = admission.refused
    admission.refused = lambda door, reason, address: refused.append((door, reason))  # type: ignore[assignment]
    try:
        async with connect(place.node.media_url, proxy=None) as socket:
            if started:
                writer = StreamWriter(new_sid("MZ"), new_sid("CA"), new_sid("AC"))
                await socket.send(writer.start({}))
                await socket.recv()
            most = 3 * EARLY_BYTES
            sent = 0
            try:
                while sent < most:
                    await socket.ping(uuid4().bytes * 7)
                    sent += 118
            except ConnectionClosed:
                pass
            async with asyncio.timeout(LIMIT):
                await socket.wait_closed()
    finally:
        admission.refused = count
    assert ("media", "flood") in refused


async def test_a_call_goes_on_beside_those_who_flood_every_door(place: World) -> None:
    host, _, port = place.node.audio_socket.rpartition(":")

    async def websocket() -> None:
        async with connect(place.node.media_url, proxy=None) as socket:
            await flood(socket, UNKNOWN, 5_000)

    async def asterisk() -> None:
        _, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(message(ID, uuid4().bytes))
            for _ in range(200):
                writer.write(message(0x42, b"?" * 8) * 20)
                await writer.drain()
        except OSError:
            return
        finally:
            writer.transport.abort()

    async with place.call(hang_up(after=r"today\?", quiet_ms=300)) as call:
        await call.until(lambda: call.is_speaking(0, 1))
        await asyncio.gather(*(websocket() for _ in range(5)), *(asterisk() for _ in range(2)))
        report = await call.over()
    assert report.ok, call.summary()
    assert call.heard == f"{GREETING} "
