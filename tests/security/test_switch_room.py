"""Strangers who connect and say nothing do not keep a known switch out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

from aybiza.emulators.phone.audio_socket import AudioSocketWire
from aybiza.gateway.carriers.audio_socket import MAX_STRANGERS
from tests.call.kit import GREETING, World, world
from tests.call.steps import hang_up
from tests.gateway.carriers.carrier_calls import carried

SWITCH, STRANGER = "127.0.0.2", "127.0.0.1"


async def idle(place: World, count: int) -> list[asyncio.StreamWriter]:
    host, _, port = place.node.audio_socket.rpartition(":")
    opened = []
    for _ in range(count):
        _, writer = await asyncio.open_connection(host, int(port), local_addr=(STRANGER, 0))
        opened.append(writer)
    return opened


async def test_idle_strangers_leave_room_for_a_known_switch(
    tmp_path: Path, monkeypatch: Any
) -> None:
    connecting = asyncio.open_connection

    async def from_switch(host: str, port: int, **options: Any) -> Any:
        return await connecting(host, port, **{"local_addr": (SWITCH, 0), **options})

    options: dict[str, Any] = {
        "TWILIO_AUTH_TOKEN": "secret",
        "AYBIZA_AUDIOSOCKET_PORT": "0",
        "AYBIZA_SWITCHES": f"{SWITCH}/32",
    }
    async with world(tmp_path, voice_speed=3, **options) as place:
        strangers = await idle(place, 2 * MAX_STRANGERS)
        await place.until(lambda: place.labels().count("MediaStream") == MAX_STRANGERS)
        monkeypatch.setattr(asyncio, "open_connection", from_switch)
        for _ in range(3):
            address = place.node.audio_socket
            async with carried(
                place, AudioSocketWire, address, str(uuid4()), hang_up(after=r"today\?")
            ) as (call, _):
                report = await call.over()
            assert report.ok, call.summary()
            assert call.heard == f"{GREETING} "
        for writer in strangers:
            writer.transport.abort()
