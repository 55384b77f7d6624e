"""One media websocket: what it refuses and how, what it survives, whom it harms (nobody)."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from aybiza.actors import names
from aybiza.actors.memory.memory_actor import TAKEN
from aybiza.actors.runtime import KILL, sys
from aybiza.console.node import Node
from aybiza.emulators.phone.messages import CONNECTED, StreamWriter, new_sid
from aybiza.faults.desk import Answers
from aybiza.gateway import media_stream
from aybiza.gateway.carriers.codec import MAX_FRAME_BYTES
from aybiza.speech.line import Line
from tests.call.caller import LIMIT
from tests.call.kit import GREETING, World, world
from tests.call.steps import hang_up, stay, text

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.real_time]

ASK = "Tell me a story, please."
STORY = "There was a lighthouse on a rock. The keeper was all alone. He had a dog, though."
ANSWERS: Answers = {ASK: [STORY]}
SILENCE = "/" * 212 + "//8="


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("place")
    async with world(folder, answers=ANSWERS, delta_ms=50, voice_speed=3) as made:
        yield made


class Wire:
    """A media websocket that sends whatever it is told to."""

    def __init__(self, connection: ClientConnection, call_id: str) -> None:
        self.connection = connection
        self.call_id = call_id
        self.writer = StreamWriter(new_sid("MZ"), call_id, new_sid("AC"))

    async def send(self, *frames: str | bytes) -> None:
        for frame in frames:
            await self.connection.send(frame)

    async def begin(self) -> None:
        await self.send(CONNECTED, self.writer.start({}))

    async def closed(self) -> tuple[int | None, str]:
        """The close code and reason, once the other side has closed."""
        async with asyncio.timeout(LIMIT):
            try:
                while True:
                    await self.connection.recv()
            except ConnectionClosed:
                return self.connection.close_code, self.connection.close_reason or ""


async def line_of(place: World, wire: Wire) -> Line:
    """The call's line, once its CallActor has it."""
    held: list[Line] = []

    def has_it() -> bool:
        process = place.vm.find(names.call(wire.call_id))
        line = getattr(process.server, "_line", None) if process is not None else None
        held.extend([line] if line is not None else [])
        return bool(held)

    await place.until(has_it)
    return held[0]


class Wires:
    """Opens them; `async with` closes what is open."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def __aenter__(self) -> Wire:
        self._connection = await connect(
            self.url, compression=None, proxy=None, ping_interval=None, max_size=None
        )
        return Wire(self._connection, new_sid("CA"))

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()


def start(**changes: Any) -> str:
    """A `start` message with these fields of its body changed."""
    message = json.loads(StreamWriter(new_sid("MZ"), new_sid("CA"), new_sid("AC")).start({}))
    message["start"] |= changes
    return json.dumps(message)


def media(stream_sid: str, payload: str = SILENCE) -> str:
    body = {"track": "inbound", "chunk": "1", "timestamp": "0", "payload": payload}
    return json.dumps({"event": "media", "streamSid": stream_sid, "media": body})


FOREIGN = media(new_sid("MZ"))

BEFORE_START: dict[str, tuple[str | bytes, int, str]] = {
    "no JSON": ("{", 1007, "not JSON"),
    "no object": ("[1, 2]", 1007, "not a JSON object"),
    "no event": ("{}", 1007, "without an event name"),
    "deep nesting": ("[" * 60_000, 1007, "not JSON"),
    "binary": (b"\x00\x01", 1003, "binary frame"),
    "media before start": (FOREIGN, 1008, "media out of turn"),
    "mark before start": ('{"event":"mark"}', 1008, "mark out of turn"),
    "key before start": ('{"event":"dtmf"}', 1008, "dtmf out of turn"),
    "stop before start": ('{"event":"stop"}', 1008, "stop out of turn"),
    "start without a body": ('{"event":"start"}', 1007, "start is missing"),
    "bad call id": (start(callSid="not one"), 1008, "ill-formed callSid"),
    "bad stream id": (start(streamSid="XX"), 1008, "two different streamSids"),
    "other audio": (
        start(mediaFormat={"encoding": "audio/L16", "sampleRate": 16000, "channels": 1}),
        1003,
        "media format",
    ),
    "parameters of a wrong kind": (start(customParameters=[1]), 1007, "customParameters"),
}
AFTER_START: dict[str, tuple[str | bytes, int, str]] = {
    "second start": ("START", 1008, "start out of turn"),
    "no JSON later": ("nonsense", 1007, "not JSON"),
    "binary later": (b"\xff" * 160, 1003, "binary frame"),
    "foreign stream": (FOREIGN, 1008, "media for stream"),
    "audio not in base64": ("MEDIA", 1007, "not in base64"),
    "no such key": ("DTMF", 1007, "dtmf with digit"),
}


async def misbehave(place: World, frame: str | bytes, begun: bool) -> tuple[int | None, str, str]:
    """Send the frame, begun or not; how the node closed, and the call's id."""
    async with Wires(place.node.media_url) as wire:
        await wire.send(CONNECTED)
        if begun:
            await wire.send(wire.writer.start({}))
            sid = wire.writer.stream_sid
            special = {
                "START": wire.writer.start({}),
                "MEDIA": media(sid, "%%%"),
                "DTMF": json.dumps({"event": "dtmf", "streamSid": sid, "dtmf": {"digit": "X"}}),
            }
            frame = special.get(frame, frame) if isinstance(frame, str) else frame
        await wire.send(frame)
        code, reason = await wire.closed()
        return code, reason, wire.call_id


def logged(entries: list[MutableMapping[str, Any]], event: str) -> list[MutableMapping[str, Any]]:
    return [entry for entry in entries if entry["event"] == event]


@pytest.mark.parametrize("case", [*BEFORE_START, *AFTER_START])
async def test_bad_input_is_refused_with_its_code_and_a_line_in_the_log(
    place: World, case: str
) -> None:
    begun = case in AFTER_START
    frame, expected, why = (AFTER_START if begun else BEFORE_START)[case]
    with capture_logs() as entries:
        code, reason, call_id = await misbehave(place, frame, begun)
    assert code == expected
    assert why in reason
    (line,) = logged(entries, "media_refused")
    assert (line["code"], line["why"], line["log_level"]) == (code, reason, "warning")
    assert line["call_id"] == (call_id if begun else "")
    await place.until(lambda: not place.vm.alive(names.session(call_id)), 2.0)


async def test_a_frame_over_the_limit_is_refused(place: World) -> None:
    with capture_logs() as entries:
        code, _, _ = await misbehave(place, "x" * (MAX_FRAME_BYTES + 1), begun=True)
        assert code == 1009
        await place.until(lambda: bool(logged(entries, "media_refused")))
    assert [line["code"] for line in logged(entries, "media_refused")] == [1009]


async def test_what_is_not_known_is_passed_over(place: World) -> None:
    with capture_logs() as entries:
        async with Wires(place.node.media_url) as wire:
            await wire.send('{"event":"weather"}')
            await wire.begin()
            sid = wire.writer.stream_sid
            await wire.send(json.dumps({"event": "novelty", "streamSid": sid}))
            await wire.send(wire.writer.mark("never set"), wire.writer.mark("0:9:9"))
            await wire.send(media(sid), wire.writer.stop(), wire.writer.stop())
            assert await wire.closed() == (1000, "hangup")
    assert len(logged(entries, "media_event_unknown")) == 2
    assert not logged(entries, "media_refused")


async def test_bad_input_harms_no_other_call(place: World) -> None:
    cases = [(frame, True) for frame, _, _ in AFTER_START.values()]
    cases += [(frame, False) for frame, _, _ in BEFORE_START.values()]
    cases += [("x" * (MAX_FRAME_BYTES + 1), False)]
    crashes: list[str] = []
    place.vm.observers.append(lambda process, reason: crashes.append(f"{process} {reason}"))
    steps = text(ASK, after=r"today\?\s*$"), hang_up(after="though")
    async with place.call(*steps, direct=True) as call:
        await call.until(lambda: call.is_speaking(1, 1))
        await asyncio.gather(*(misbehave(place, frame, begun) for frame, begun in cases))
        report = await call.over()
    place.vm.observers.pop()
    assert report.ok, call.summary()
    assert call.heard == f"{GREETING} {STORY} "
    assert (len(report.streams), report.clears) == (1, 0)
    assert [crash for crash in crashes if "Crashed" in crash] == []


async def test_a_stream_that_does_not_start_is_closed(
    place: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_stream, "START_SECONDS", 0.1)
    async with Wires(place.node.media_url) as wire:
        await wire.send(CONNECTED)
        assert await wire.closed() == (1008, "no start message came")


async def test_a_call_whose_sessions_keep_failing_is_given_to_another_node(place: World) -> None:
    async with place.call(stay(), direct=True) as call:
        while not call.is_over:
            session = place.vm.whereis(names.session(call.call_id))
            if session is not None:
                place.vm.exit(session, KILL)
            await asyncio.sleep(0.005)
    assert [stream.close_code for stream in call.report.streams] == [1011]
    await place.until(lambda: not place.vm.alive(names.stream(call.call_id)), 2.0)


async def test_a_stream_whose_call_another_node_has_by_now_ends(place: World) -> None:
    async with place.call(stay(), direct=True) as call:
        await call.until(lambda: call.is_speaking(0, 1))
        stream = place.vm.whereis(names.stream(call.call_id))
        assert stream is not None
        place.vm.send(stream, TAKEN)
        report = await call.over()
    assert [stream.close_code for stream in report.streams] == [1001]
    await place.until(lambda: not place.vm.alive(names.session(call.call_id)), 2.0)


async def test_a_call_waits_for_its_supervisor_to_come_back(place: World) -> None:
    steps = text(ASK, after=r"today\?\s*$"), hang_up(after="though")
    async with place.call(*steps, direct=True) as call:
        await call.until(lambda: call.is_speaking(1, 1))
        await sys.suspend(place.vm, "application")
        place.kill(names.CALL_SUPERVISOR)
        await call.until(lambda: not place.vm.alive(names.session(call.call_id)))
        # Longer than the pauses between attempts to replace a session add up to.
        await asyncio.sleep(0.4)
        await sys.resume(place.vm, "application")
        report = await call.over()
    assert report.ok, call.summary()
    assert call.heard == f"{GREETING} {STORY} "


async def test_a_caller_waits_their_turn_while_sessions_are_begun_slowly(
    place: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_stream, "CALL_SUPERVISOR_SECONDS", 0.2)
    with capture_logs() as entries:
        await sys.suspend(place.vm, names.CALL_SUPERVISOR)
        async with Wires(place.node.media_url) as wire:
            await wire.begin()
            await asyncio.sleep(0.5)
            await sys.resume(place.vm, names.CALL_SUPERVISOR)
            await place.until(lambda: bool(logged(entries, "call_connected")))
    assert not logged(entries, "session_lost")


async def test_a_lost_session_is_replaced_though_the_node_is_full(tmp_path: Path) -> None:
    async with (
        world(tmp_path, voice_speed=2, AYBIZA_MAX_CALLS="1") as place,
        place.call(hang_up(after=r"today\?"), direct=True) as call,
    ):
        await call.until(lambda: call.is_speaking(0, 1))
        place.kill(names.session(call.call_id))
        report = await call.over()
    assert report.ok, call.summary()
    assert call.heard == f"{GREETING} "


async def test_a_call_that_cannot_be_set_up_is_given_to_another_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(Node, "_context", fail)
    async with world(tmp_path) as place:
        async with Wires(place.node.media_url) as wire:
            await wire.begin()
            assert await wire.closed() == (1011, "the stream cannot be read")
        await place.until(lambda: place.labels() == place.idle, 2.0)


async def test_what_was_not_sent_yet_is_dropped_when_the_line_is_cleared(tmp_path: Path) -> None:
    async with world(tmp_path) as place:
        place.node._sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        async with Wires(place.node.media_url) as wire:
            await wire.begin()
            line = await line_of(place, wire)
            wire.connection.transport.pause_reading()
            for _ in range(100):
                line.sink.media(b"\xff" * 16_000)
            await asyncio.sleep(0)
            line.sink.clear()
            line.sink.mark("behind")
            wire.connection.transport.resume_reading()
            events = []
            async with asyncio.timeout(LIMIT):
                while "mark" not in events:
                    frame = json.loads(await wire.connection.recv())
                    large = len(frame.get("media", {}).get("payload", "")) > 10_000
                    events.append(frame["event"] if frame["event"] != "media" or large else "")
    assert events.count("media") < 50
    assert events[-2:] == ["clear", "mark"]


async def test_a_peer_that_does_not_read_loses_its_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_stream, "WRITE_SECONDS", 0.2)
    monkeypatch.setattr(media_stream, "WRITER_BACKLOG", 20)
    async with world(tmp_path) as place:
        # Accepted sockets inherit the size of the buffer.
        listening = place.node._sockets[0]
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        with capture_logs() as entries:
            async with Wires(place.node.media_url) as wire:
                wire.connection.transport.pause_reading()
                await wire.begin()
                line = await line_of(place, wire)
                for _ in range(40):
                    line.sink.media(b"\xff" * 8000)
                    await asyncio.sleep(0)
                await place.until(lambda: not place.vm.alive(names.stream(wire.call_id)))
                wire.connection.transport.abort()
        assert logged(entries, "media_peer_stalled")
        await place.until(lambda: "CallSession" not in place.labels(), 2.0)
