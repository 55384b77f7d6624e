"""The server on its wire: handshakes, faults on demand, and ends of all kinds."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect

from aybiza.emulators import textaudio
from aybiza.emulators.deepgram import DeepgramEmulator, Fault
from aybiza.emulators.deepgram.server import CLOSE_SECONDS
from aybiza.emulators.deepgram.speak import Pace
from aybiza.speech import mulaw
from tests.slowness import slowness
from tests.speech.kit import nothing_left, until, within

LISTEN = "/v1/listen?model=nova-3&encoding=mulaw&sample_rate=8000&endpointing=300"
SPEAK = "/v1/speak?model=aura-asteria-en&encoding=mulaw&sample_rate=8000"
KEY = {"Authorization": "Token key"}


@pytest.fixture
async def emulator() -> AsyncIterator[DeepgramEmulator]:
    async with DeepgramEmulator(pace=Pace(times_real_time=1000.0)) as emulator:
        yield emulator


def opened(emulator: DeepgramEmulator, path: str, **more: Any) -> connect:
    headers = {"additional_headers": KEY, **more}
    return connect(emulator.url + path, proxy=None, close_timeout=1, **headers)


async def say(socket: ClientConnection, kind: str, **more: Any) -> None:
    await within(socket.send(json.dumps({"type": kind, **more})))


async def messages(socket: ClientConnection) -> list[Any]:
    """Everything that comes until the end, decoded."""
    found: list[Any] = []
    async with asyncio.timeout(60):
        try:
            while True:
                message = await socket.recv()
                found.append(message if isinstance(message, bytes) else json.loads(message))
        except websockets.ConnectionClosed:
            return found


async def refused(emulator: DeepgramEmulator, path: str, **more: Any) -> tuple[int, str]:
    with pytest.raises(websockets.InvalidStatus) as caught:
        await within(opened(emulator, path, **more).__aenter__())
    response = caught.value.response
    return response.status_code, response.headers["dg-error"]


@pytest.mark.parametrize("headers", [{}, {"Authorization": ""}, {"Authorization": "Token  "},
                                     {"Authorization": "Basic eDp5"}])  # fmt: skip
async def test_a_connection_without_a_key_is_refused(
    emulator: DeepgramEmulator, headers: dict[str, str]
) -> None:
    for path in (LISTEN, SPEAK):
        assert await refused(emulator, path, additional_headers=headers) == (401, "INVALID_AUTH")


@pytest.mark.parametrize("scheme", ["Token", "bearer", "Bearer"])
async def test_any_key_opens_a_connection(emulator: DeepgramEmulator, scheme: str) -> None:
    async with opened(emulator, SPEAK, additional_headers={"Authorization": f"{scheme} x"}):
        pass


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("/v1/listen", "encoding is mulaw here, not None"),
        ("/v1/listen?encoding=linear16&sample_rate=8000", "encoding is mulaw here"),
        ("/v1/listen?encoding=mulaw&sample_rate=16000", "sample_rate is 8000 here, not '16000'"),
        (LISTEN + "0&utterance_end_ms=x&interim_results=true", "utterance_end_ms is a number"),
        (LISTEN + "&vad_events=maybe", "vad_events is true or false, not 'maybe'"),
        (LISTEN.replace("300", "%0d%0aX-Evil:%20%e9"), r"not '\\r\\nX-Evil: \ufffd'"),
        ("/v1/speak?model=aura-asteria-en", "encoding is mulaw here, not 'linear16'"),
    ],
)
async def test_parameters_that_are_not_accepted_are_refused_with_the_reason(
    emulator: DeepgramEmulator, path: str, complaint: str
) -> None:
    status, told = await refused(emulator, path)
    assert status == 400
    assert complaint in told


@pytest.mark.parametrize("path", ["/", "/v2/speak", "/v1/agent", "//[", "/v1/listen/"])
async def test_an_endpoint_that_there_is_not_is_refused(
    emulator: DeepgramEmulator, path: str
) -> None:
    status, _ = await refused(emulator, path)
    assert status in (400, 404)


async def test_a_plain_request_to_an_endpoint_is_no_crash(emulator: DeepgramEmulator) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        answer = await http.get(emulator.url.replace("ws", "http", 1) + SPEAK, headers=KEY)
    assert answer.status_code == 426
    async with opened(emulator, SPEAK):
        pass


async def test_refusals_on_demand_meet_the_next_handshakes_of_their_door(
    emulator: DeepgramEmulator,
) -> None:
    emulator.faults.add(Fault("listen", "refuse", 429))
    async with opened(emulator, SPEAK):
        pass
    assert await refused(emulator, LISTEN) == (429, "refused on demand")
    async with opened(emulator, LISTEN):
        pass


async def test_speech_is_transcribed_and_told_to_the_journal(emulator: DeepgramEmulator) -> None:
    headers = {**KEY, "x-deepgram-session-id": "CA1"}
    path = LISTEN + "&vad_events=true"
    async with opened(emulator, path, additional_headers=headers) as socket:
        await socket.send(textaudio.encode("Hello there.") + mulaw.silence(0.5))
        started = json.loads(await within(socket.recv()))
        final = json.loads(await within(socket.recv()))
    assert (started["type"], final["is_final"]) == ("SpeechStarted", True)
    await until(lambda: bool(emulator.journal.entries("disconnected")))
    assert [
        {key: value for key, value in entry.items() if key != "at"}
        for entry in emulator.journal.entries()
    ] == [
        {"session": "CA1", "what": "connected", "door": "listen"},
        {"session": "CA1", "what": "speech_started"},
        {"session": "CA1", "what": "final", "text": "Hello there.", "speech_final": True},
        {"session": "CA1", "what": "disconnected", "door": "listen"},
    ]


async def test_close_stream_settles_the_rest_and_closes_in_order(
    emulator: DeepgramEmulator,
) -> None:
    async with opened(emulator, LISTEN) as socket:
        await socket.send(textaudio.encode("Good bye."))
        await say(socket, "CloseStream")
        final, metadata = await messages(socket)
    assert final["channel"]["alternatives"][0]["transcript"] == "Good bye."
    assert (metadata["type"], metadata["duration"]) == ("Metadata", 0.04)
    assert socket.close_code == 1000


async def test_a_listen_socket_without_audio_is_closed_after_metadata() -> None:
    async with DeepgramEmulator(silence_seconds=0.1) as emulator:
        async with opened(emulator, LISTEN) as socket:
            (metadata,) = await messages(socket)
        assert metadata["type"] == "Metadata"
        assert socket.close_code == 1011
        assert "NET-0001" in str(socket.close_reason)


@pytest.mark.parametrize("message", ["{", '{"type": "Novelty"}', "[" * 50_000, "[]"])
async def test_a_listen_socket_closes_on_what_it_does_not_understand(
    emulator: DeepgramEmulator, message: str
) -> None:
    async with opened(emulator, LISTEN) as socket:
        await socket.send(message)
        assert await messages(socket) == []
    assert socket.close_code == 1008
    assert "DATA-0000" in str(socket.close_reason)


async def test_a_speak_socket_says_who_it_is_and_closes_when_told(
    emulator: DeepgramEmulator,
) -> None:
    async with opened(emulator, SPEAK) as socket:
        await say(socket, "Close")
        (metadata,) = await messages(socket)
    assert metadata["type"] == "Metadata"
    assert socket.close_code == 1000


async def test_a_speak_socket_that_is_given_too_much_text_is_closed(
    emulator: DeepgramEmulator,
) -> None:
    async with opened(emulator, SPEAK) as socket:
        for _ in range(2):
            await say(socket, "Speak", text="x" * 1500)
        await messages(socket)
    assert socket.close_code == 1008
    assert "2400 characters" in str(socket.close_reason)


async def test_a_speak_socket_has_a_longest_life() -> None:
    async with DeepgramEmulator(lifetime_seconds=0.1) as emulator:
        async with opened(emulator, SPEAK) as socket:
            await messages(socket)
        assert socket.close_code == 1011


async def test_the_client_can_vanish_in_mid_utterance() -> None:
    async with DeepgramEmulator(pace=Pace(times_real_time=1.0)) as emulator, nothing_left():
        socket = await within(opened(emulator, SPEAK).__aenter__())
        await say(socket, "Speak", text="A long sentence. " * 100)
        await say(socket, "Flush")
        await within(socket.recv())
        await within(socket.recv())
        socket.transport.abort()
        await until(lambda: bool(emulator.journal.entries("disconnected")))


@pytest.mark.parametrize("path", [LISTEN, SPEAK])
async def test_it_ends_with_sockets_open_and_leaves_nothing(path: str) -> None:
    async with nothing_left():
        async with DeepgramEmulator(pace=Pace(times_real_time=1.0)) as emulator:
            socket = await within(opened(emulator, path).__aenter__())
            if path is SPEAK:
                await say(socket, "Speak", text="A long sentence. " * 100)
                await say(socket, "Flush")
        await within(messages(socket))
        assert socket.close_code == 1001


async def test_it_ends_in_time_when_a_client_does_not_answer() -> None:
    async with nothing_left():
        emulator = DeepgramEmulator()
        await emulator.__aenter__()
        socket = await within(opened(emulator, LISTEN).__aenter__())
        socket.transport.pause_reading()
        began = time.monotonic()
        await within(emulator.__aexit__())
        assert time.monotonic() - began < (CLOSE_SECONDS + 2) * slowness()
        socket.transport.abort()


async def test_a_port_that_is_taken_is_an_error_and_leaves_nothing(
    emulator: DeepgramEmulator,
) -> None:
    async with nothing_left():
        with pytest.raises(OSError):
            async with DeepgramEmulator(port=int(emulator.url.rpartition(":")[2])):
                pass


def test_an_engine_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="scripted, acoustic, not 'magic'"):
        DeepgramEmulator("magic")  # type: ignore[arg-type]
