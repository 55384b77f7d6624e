"""Asterisk's door: whole calls, who is refused, and that a restart of the server harms nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from aybiza.actors import names
from aybiza.dialogue.journal import Ended, SentenceHeard
from aybiza.emulators.phone.audio_socket import AudioSocketWire
from aybiza.emulators.phone.bridge import Bridge
from aybiza.gateway.carriers import audio_socket
from aybiza.gateway.carriers.audio_socket_codec import AUDIO, HANG_UP, ID, message
from aybiza.speech import playout
from tests.call.caller import LIMIT, Call
from tests.call.kit import GREETING, World, world
from tests.call.steps import Step, hang_up, interrupt, stay, text
from tests.gateway.carriers.carrier_calls import (
    ANSWERS,
    ASK,
    CHANGE,
    COST,
    LAST,
    LEAVE,
    STORY,
    carried,
)

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.real_time]

PACE: dict[str, Any] = {"delta_ms": 50, "voice_speed": 3}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("place")
    async with world(folder, answers=ANSWERS, AYBIZA_AUDIOSOCKET_PORT="0", **PACE) as made:
        yield made


@asynccontextmanager
async def over(place: World, *steps: Step) -> AsyncIterator[tuple[Call, Bridge]]:
    """A caller of Asterisk's who does `steps`."""
    address = place.node.audio_socket
    async with carried(place, AudioSocketWire, address, str(uuid4()), *steps) as made:
        yield made


@asynccontextmanager
async def wire(place: World) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection that sends whatever it is told to."""
    host, _, port = place.node.audio_socket.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """All that still comes, once the other side has closed."""
    async with asyncio.timeout(LIMIT):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


async def test_a_caller_is_heard_and_answered_in_real_time(place: World) -> None:
    steps = text(ASK, after=r"\?\s*$"), hang_up(after=r"another one\.")
    async with over(place, *steps) as (call, bridge):
        report = await call.over()
    assert report.ok, call.summary()
    assert call.heard == f"{GREETING} {STORY} "
    assert bridge.errors == []


async def test_what_was_heard_is_known_though_asterisk_has_no_marks(
    place: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playout, "MARK_GRACE_SECONDS", 3600.0)
    async with over(place, text(ASK, after=r"\?\s*$"), hang_up(after=r"another one\.")) as (
        call,
        _,
    ):
        await call.until(lambda: call.has(SentenceHeard(0, 1)))
        await call.until(lambda: call.has(SentenceHeard(1, 2)))
        assert (await call.over()).ok, call.summary()


async def test_a_caller_who_breaks_in_silences_the_agent(place: World) -> None:
    steps = text(ASK, after=r"\?\s*$"), interrupt(CHANGE), hang_up(after=r"goodbye\.\s*$")
    async with over(place, *steps) as (call, bridge):
        report = await call.over()
    assert report.ok, call.summary()
    assert call.heard.endswith(f"{COST} ") and "shore" not in call.heard
    assert bridge.errors == []


async def test_a_conversation_that_is_over_is_hung_up(place: World) -> None:
    async with over(place, text(LEAVE, after=r"\?\s*$"), stay()) as (call, bridge):
        report = await call.over()
    assert report.ok, call.summary()
    assert call.heard.endswith(f"{LAST} ")
    assert any(isinstance(entry, Ended) for entry in call.journal())
    assert bridge.hung_up


async def test_a_call_that_is_over_is_hung_up_at_once_when_it_comes_back(place: World) -> None:
    call_id = str(uuid4())
    steps = text(LEAVE, after=r"\?\s*$"), stay()
    async with carried(place, AudioSocketWire, place.node.audio_socket, call_id, *steps) as (
        call,
        _,
    ):
        await call.over()
    async with wire(place) as (reader, writer):
        writer.write(message(ID, bytes.fromhex(call_id.replace("-", ""))))
        assert await rest(reader) == message(HANG_UP)


async def test_a_caller_whose_line_broke_is_taken_up_again(place: World) -> None:
    call_id = str(uuid4())
    steps = text(ASK, after=r"\?\s*$"), stay()
    async with carried(place, AudioSocketWire, place.node.audio_socket, call_id, *steps) as (
        call,
        _,
    ):
        await call.until(lambda: call.is_speaking(1, 2))
        call.drop()
    async with carried(
        place, AudioSocketWire, place.node.audio_socket, call_id, hang_up(after=r"another one\.")
    ) as (call, _):
        report = await call.over()
    assert report.ok, call.summary()
    assert GREETING not in call.heard


async def test_calls_go_on_while_the_server_restarts(place: World) -> None:
    steps = text(ASK, after=r"\?\s*$"), hang_up(after=r"another one\.")
    async with over(place, *steps) as (call, _):
        await call.until(lambda: call.is_speaking(1, 2))
        for _again in range(3):
            await place.restart("audio_socket_server")
        report = await call.over()
        assert call.heard == f"{GREETING} {STORY} "
        async with over(place, hang_up(quiet_ms=300)) as (other, _b):
            assert (await other.over()).ok
    assert report.ok, call.summary()


async def test_the_call_goes_on_when_its_actors_crash(place: World) -> None:
    steps = text(ASK, after=r"\?\s*$"), hang_up(after=r"another one\.")
    async with over(place, *steps) as (call, bridge):
        await call.until(lambda: call.is_speaking(1, 2))
        for part in (names.call, names.speaker, names.transcriber):
            place.kill(part(call.call_id))
        report = await call.over()
    assert report.ok, call.summary()
    assert call.heard == f"{GREETING} {STORY} "
    assert bridge.errors == []


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(message(AUDIO, bytes(320)), id="audio before the UUID"),
        pytest.param(message(ID, b"short"), id="no UUID"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n" + bytes(20_000), id="another protocol"),
        pytest.param(message(ID, uuid4().bytes) + message(0x12, bytes(640)), id="other rate"),
    ],
)
async def test_what_is_no_audio_socket_is_hung_up_on(place: World, sent: bytes) -> None:
    async with wire(place) as (reader, writer):
        writer.write(sent)
        assert (await rest(reader)).endswith(message(HANG_UP))


async def test_strangers_are_held_up_to_a_bound_and_nobody_is_kept_out(
    place: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audio_socket, "MAX_STRANGERS", 2)
    async with wire(place) as one, wire(place) as two:
        await place.until(lambda: streams(place) == 2)
        async with wire(place) as (reader, _):
            assert await rest(reader) == b""
        one[1].transport.abort()
        await place.until(lambda: streams(place) == 1)
        async with over(place, hang_up(quiet_ms=300)) as (call, _b):
            assert (await call.over()).ok
        two[1].transport.abort()
    await place.until(lambda: streams(place) == 0)


def streams(place: World) -> int:
    """How many connections are carried."""
    return place.labels().count("MediaStream")


async def test_a_node_that_asks_for_tokens_takes_calls_from_its_switches_only(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    guarded = {"AYBIZA_AUDIOSOCKET_PORT": "0", "TWILIO_AUTH_TOKEN": "secret"}
    async with (
        world(tmp_path_factory.mktemp("guarded"), **guarded) as place,  # type: ignore[arg-type]
        wire(place) as (reader, writer),
    ):
        writer.write(message(ID, uuid4().bytes))
        assert await rest(reader) == message(HANG_UP)
    trusting = {**guarded, "AYBIZA_SWITCHES": "127.0.0.1/32"}
    async with (
        world(tmp_path_factory.mktemp("trusting"), **trusting) as place,  # type: ignore[arg-type]
        over(place, hang_up(quiet_ms=300)) as (call, _),
    ):
        assert (await call.over()).ok


async def test_without_a_port_there_is_no_door(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with world(tmp_path_factory.mktemp("none")) as place:
        assert place.node.audio_socket == ""
        assert place.vm.whereis("audio_socket_server") is None
