"""The bridge carries a telephone's stream over another wire, and the way it ends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from aybiza.config.ports import free_port
from aybiza.emulators import textaudio
from aybiza.emulators.phone import Phone, Report
from aybiza.emulators.phone.audio_socket import AudioSocketWire
from aybiza.emulators.phone.bridge import Bridge, Wire
from aybiza.emulators.phone.telnyx import TelnyxWire
from aybiza.gateway.carriers.audio_socket_codec import HANG_UP, AudioSocketCodec, message
from aybiza.gateway.carriers.codec import Start
from aybiza.gateway.carriers.telnyx_codec import TelnyxCodec
from tests.call.steps import Step, hang_up, script_of, stay

LIMIT = 60.0
CALL = "40325ec2-5efd-4bd3-805f-53576e581d13"
Agent = Callable[[ServerConnection], Awaitable[None]]


async def call(wire: Callable[[], Wire], address: str, *steps: Step) -> tuple[Report, Bridge]:
    async with (
        asyncio.timeout(LIMIT),
        Bridge(wire, address) as bridge,
        Phone(url=bridge.url, script=script_of(steps), call_sid=CALL) as phone,
    ):
        return await phone.run(), bridge


@asynccontextmanager
async def agent(handle: Agent) -> AsyncIterator[str]:
    async with serve(handle, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/media/telnyx"


async def speaks(connection: ServerConnection) -> None:
    """Says a word over Telnyx's wire, with a mark behind it, and hears until the end."""
    codec = TelnyxCodec()
    async for frame in connection:
        for event in codec.decode(frame):
            if isinstance(event, Start):
                for sent in (*codec.media(textaudio.encode("Hello there.")), *codec.mark("m")):
                    await connection.send(sent)


async def test_what_the_agent_says_is_heard_and_its_mark_comes_back() -> None:
    async with agent(speaks) as url:
        report, bridge = await call(TelnyxWire, url, hang_up(after=r"there\.", quiet_ms=200))
    assert report.ok, report.failure
    assert report.marks_set == report.marks_returned == 1
    assert bridge.errors == []


@pytest.mark.parametrize("code", [1000, 1001, 1008])
async def test_the_telephone_sees_how_the_node_has_closed(code: int) -> None:
    async def closes(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.close(code, "because")

    async with agent(closes) as url:
        report, _ = await call(TelnyxWire, url, stay())
    assert [(s.close_code, s.close_reason) for s in report.streams] == [(code, "because")]


async def test_the_telephone_sees_that_the_node_has_gone() -> None:
    async def dies(connection: ServerConnection) -> None:
        await connection.recv()
        connection.transport.abort()

    async with agent(dies) as url:
        report, _ = await call(TelnyxWire, url, stay())
    assert [stream.close_code for stream in report.streams] == [1006]


@pytest.mark.parametrize("address", ["ws://127.0.0.1:{port}/media", "127.0.0.1:{port}"])
async def test_a_node_that_is_not_there_ends_the_stream(address: str) -> None:
    report, _ = await call(TelnyxWire, address.format(port=free_port()), stay())
    assert [stream.close_code for stream in report.streams] == [1011]


async def test_what_the_carrier_would_not_take_is_noted() -> None:
    async def babbles(connection: ServerConnection) -> None:
        await connection.send("nonsense")
        await connection.close()

    async with agent(babbles) as url:
        _, bridge = await call(TelnyxWire, url, stay())
    assert len(bridge.errors) == 1 and "nonsense" in bridge.errors[0]


async def test_a_call_over_tcp_is_carried_to_its_end() -> None:
    heard: list[Any] = []

    async def asterisk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        codec = AudioSocketCodec()
        heard.extend(codec.decode(await reader.readexactly(19)))
        heard.extend(codec.decode(await reader.readexactly(323)))
        writer.write(message(HANG_UP))
        writer.write_eof()
        # To close what is not read would reset the connection, and the message might be lost.
        await reader.read(-1)
        writer.close()

    server = await asyncio.start_server(asterisk, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        report, bridge = await call(AudioSocketWire, f"127.0.0.1:{port}", stay())
    assert isinstance(heard[0], Start) and heard[0].call_sid == CALL
    assert bridge.hung_up
    assert [stream.close_code for stream in report.streams] == [1000]
