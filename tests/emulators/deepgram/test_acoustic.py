"""The acoustic engine behind the real wire: recorded callers, worker processes, a real voice."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import psutil
import pytest
import pytest_asyncio

from aybiza.emulators.deepgram import DeepgramEmulator
from aybiza.emulators.deepgram.acoustic import AcousticEngine
from aybiza.emulators.deepgram.speak import Pace
from aybiza.speech import mulaw
from aybiza.speech.deepgram import Deepgram
from aybiza.speech.deepgram_listen import ListenOptions, SpeechStarted, Transcript
from aybiza.speech.deepgram_speak import Audio, Flushed, SpeakOptions
from tests.emulators.deepgram.kit import (
    SAID,
    call,
    coded,
    noise,
    recording,
    repeated,
    tones,
)
from tests.speech.kit import LIMIT, client, nothing_left, within

pytestmark = pytest.mark.real_time

OPTIONS = ListenOptions(endpointing_ms=400)
PIECE_BYTES = 1600


class Desk:
    """An emulator with its engine, and a client of it."""

    def __init__(self, emulator: DeepgramEmulator, deepgram: Deepgram) -> None:
        self.emulator = emulator
        self.deepgram = deepgram

    @property
    def engine(self) -> AcousticEngine:
        engine = self.emulator.service.engine
        assert isinstance(engine, AcousticEngine)
        return engine

    async def heard(self, audio: bytes, *, kill_at: int | None = None) -> tuple[int, list[str]]:
        """How many onsets there were in `audio`, and the final texts; faster than real time.

        `kill_at`: behind so many bytes all workers are killed.
        """
        session = await within(self.deepgram.listen(OPTIONS, "call", LIMIT))
        for at in range(0, len(audio), PIECE_BYTES):
            if kill_at is not None and at <= kill_at < at + PIECE_BYTES:
                for pid in self.engine.pids:
                    os.kill(pid, signal.SIGKILL)
            await within(session.send_audio(audio[at : at + PIECE_BYTES]))
        await within(session.finalize())
        onsets, texts = 0, []
        async with asyncio.timeout(LIMIT):
            async for event in session:
                onsets += isinstance(event, SpeechStarted)
                if isinstance(event, Transcript) and event.is_final:
                    texts.append(event.text)
                    if event.from_finalize:
                        break
        await session.close()
        return onsets, [text for text in texts if text]

    async def spoken(self, text: str) -> bytes:
        """The audio of a text."""
        session = await within(self.deepgram.speak(SpeakOptions("aura-asteria-en"), "call", LIMIT))
        await within(session.speak(text))
        await within(session.flush())
        audio = b""
        async with asyncio.timeout(LIMIT):
            async for event in session:
                if isinstance(event, Audio):
                    audio += event.mulaw
                if isinstance(event, Flushed):
                    break
        await session.close()
        return audio


ONE_DESK = pytest.mark.asyncio(loop_scope="module")
"""For tests of one emulator: its workers read their models once."""


@asynccontextmanager
async def open_desk() -> AsyncIterator[Desk]:
    async with DeepgramEmulator("acoustic", pace=Pace(times_real_time=1000.0)) as emulator:
        yield Desk(emulator, await client(emulator.url))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk() -> AsyncIterator[Desk]:
    async with open_desk() as desk:
        yield desk


@ONE_DESK
async def test_recorded_callers_are_understood(desk: Desk) -> None:
    heard = await asyncio.gather(*(desk.heard(call(recording(name))) for name in SAID))
    assert dict(zip(SAID, heard, strict=True)) == {name: (1, [SAID[name]]) for name in SAID}


@ONE_DESK
async def test_the_utterances_of_a_call_are_told_apart(desk: Desk) -> None:
    names = ["moving_ask", "moving_day", "moving_yes"]
    onsets, texts = await desk.heard(call(*map(recording, names)))
    assert (onsets, texts) == (3, [SAID[name] for name in names])


@ONE_DESK
async def test_noises_of_a_line_neither_interrupt_nor_say_anything(desk: Desk) -> None:
    click = np.random.default_rng(1).normal(0, 8000, 80)
    sounds = [
        noise(-45.0, 4.0),
        repeated(lambda _: click, 4),
        repeated(lambda _: tones(-15.0, 770, 1336), 4),
        repeated(lambda _: noise(-38.0, 0.4, 400, 3000), 4),
    ]
    assert await desk.heard(coded(np.concatenate(sounds))) == (0, [])


@ONE_DESK
async def test_the_voice_is_heard_and_always_the_same(desk: Desk) -> None:
    sentence = "We open at eight in the morning."
    first, again, other = await asyncio.gather(
        desk.spoken(sentence), desk.spoken(sentence), desk.spoken("Good bye.")
    )
    assert first == again != other
    assert 1.0 < len(first) / mulaw.SAMPLE_RATE < 6.0
    assert mulaw.decode(first).astype(float).std() > 500


@ONE_DESK
@pytest.mark.skipif(shutil.which("flite") is None, reason="the recogniser knows flite's voices")
async def test_what_the_voice_says_is_understood(desk: Desk) -> None:
    audio = await desk.spoken("I would like to cancel my appointment.")
    assert await desk.heard(call(audio)) == (1, ["i would like to cancel my appointment"])


@pytest.mark.parametrize("at", [0, 16_000])
async def test_a_caller_is_understood_though_the_workers_are_killed(at: int) -> None:
    audio = call(recording("booking_day"))
    async with open_desk() as desk:
        assert await desk.heard(audio, kill_at=at) == (1, [SAID["booking_day"]])
        assert await desk.heard(call(recording("bye_awb"))) == (1, [SAID["bye_awb"]])


async def test_without_flite_another_voice_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    async with open_desk() as desk:
        audio = await desk.spoken("We open at eight in the morning.")
        assert 1.0 < len(audio) / mulaw.SAMPLE_RATE < 6.0
        assert mulaw.decode(audio).astype(float).std() > 500
        assert await desk.heard(call(recording("bye_awb"))) == (1, [SAID["bye_awb"]])


async def test_it_ends_with_callers_in_mid_utterance_and_leaves_no_process() -> None:
    async with nothing_left():
        async with DeepgramEmulator("acoustic") as emulator:
            desk = Desk(emulator, await client(emulator.url))
            pids = desk.engine.pids
            session = await within(desk.deepgram.listen(OPTIONS, "call", LIMIT))
            speaking = await within(
                desk.deepgram.speak(SpeakOptions("aura-asteria-en"), "call", LIMIT)
            )
            await within(session.send_audio(call(recording("booking_day"))[:12_000]))
            await within(speaking.speak("A long sentence that nobody will hear to its end. " * 9))
            await within(speaking.flush())
        assert len(pids) == 2
        assert not any(psutil.pid_exists(pid) for pid in pids)
        assert desk.engine.pids == []
        await within(asyncio.gather(session.close(), speaking.close()))


async def test_a_worker_that_does_not_start_leaves_no_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("aybiza.emulators.deepgram.worker_process.COMMAND", ("/bin/false",))
    before = psutil.Process().children()
    async with nothing_left():
        with pytest.raises(OSError, match="did not start"):
            async with DeepgramEmulator("acoustic"):
                pass
        assert psutil.Process().children() == before
