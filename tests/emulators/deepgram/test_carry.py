"""A session on a wire in memory, in virtual time."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from aybiza.emulators import textaudio
from aybiza.emulators.deepgram.carry import Gone, carry
from aybiza.emulators.deepgram.engine import Engine, ScriptedEngine, SynthesisError
from aybiza.emulators.deepgram.identity import EMULATED
from aybiza.emulators.deepgram.session import Session
from aybiza.emulators.deepgram.speak import Pace, Speaking
from tests.speech.kit import nothing_left

END = object()


class Wire:
    """A wire of queues: `up` to the session, `down` what it said with the time."""

    def __init__(self) -> None:
        self.up: asyncio.Queue[Any] = asyncio.Queue()
        self.down: list[tuple[float, str | bytes]] = []
        self.ended: tuple[int, str] | None = None
        self.flushed = asyncio.Event()

    async def receive(self) -> str | bytes:
        message = await self.up.get()
        if message is END:
            raise Gone
        told: str | bytes = message
        return told

    async def send(self, data: str | bytes) -> None:
        self.down.append((asyncio.get_running_loop().time(), data))
        if '"Flushed"' in str(data):
            self.flushed.set()

    async def close(self, code: int, reason: str) -> None:
        self.ended = code, reason

    def abort(self) -> None:
        self.ended = 1006, ""


def speaking(pace: Pace, **limits: Any) -> Session:
    return Speaking(EMULATED, pace, lambda what, /, **more: None, **limits)


async def carried(session: Session, wire: Wire, engine: Engine | None = None) -> None:
    clock = asyncio.get_running_loop().time
    async with asyncio.timeout(60), nothing_left():
        await carry(session, wire, engine or ScriptedEngine(), clock)


async def test_messages_audio_and_time_meet_in_order() -> None:
    wire = Wire()
    for message in ({"type": "Speak", "text": "Hello."}, {"type": "Flush"}):
        wire.up.put_nowait(json.dumps(message))
    session = speaking(Pace(first_ms=20.0, times_real_time=10.0))
    task = asyncio.create_task(carried(session, wire))
    await wire.flushed.wait()
    wire.up.put_nowait(json.dumps({"type": "Close"}))
    await task
    audio = b"".join(data for _, data in wire.down if isinstance(data, bytes))
    assert textaudio.TextAudioDecoder().feed(audio) == "Hello. "
    assert wire.ended == (1000, "")
    began = wire.down[0][0]
    first = next(at for at, data in wire.down if isinstance(data, bytes))
    assert first - began >= 0.019


async def test_a_client_that_is_gone_ends_the_session() -> None:
    wire = Wire()
    wire.up.put_nowait(json.dumps({"type": "Speak", "text": "A long text. " * 100}))
    wire.up.put_nowait(json.dumps({"type": "Flush"}))
    wire.up.put_nowait(END)
    session = speaking(Pace(times_real_time=0.001))
    await carried(session, wire)
    assert wire.ended is None
    assert session.due is not None


async def test_the_time_of_a_session_comes_though_messages_never_stop() -> None:
    wire = Wire()

    async def chatter() -> str:
        await asyncio.sleep(0)
        return json.dumps({"type": "Speak", "text": ""})

    wire.receive = chatter  # type: ignore[method-assign]
    await carried(speaking(Pace(), lifetime_seconds=0.05), wire)
    assert wire.ended is not None and wire.ended[0] == 1011


class Mute(ScriptedEngine):
    def __init__(self, error: Exception) -> None:
        self._error = error

    async def synthesise(self, text: str, voice: str) -> bytes:
        await asyncio.sleep(0)
        raise self._error


@pytest.mark.parametrize("error", [SynthesisError("no voice"), RuntimeError("a defect")])
async def test_a_text_that_cannot_be_spoken_ends_the_socket(error: Exception) -> None:
    wire = Wire()
    for message in ({"type": "Speak", "text": "Hello."}, {"type": "Flush"}):
        wire.up.put_nowait(json.dumps(message))
    await carried(speaking(Pace()), wire, Mute(error))
    assert wire.ended == (1011, "NET-0000: the text could not be spoken")
