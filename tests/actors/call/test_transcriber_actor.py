"""The transcriber: wherever it dies, every word of the caller is understood once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from structlog.testing import capture_logs
from websockets.asyncio.client import connect

from aybiza.actors import names
from aybiza.actors.call import transcriber_actor
from aybiza.dialogue.journal import CallerSegment, CallerTurn
from aybiza.emulators.deepgram import DeepgramEmulator, Fault
from aybiza.emulators.phone.messages import CONNECTED, StreamWriter, new_sid
from aybiza.speech.reconnect import Limits
from tests.call.kit import Answers, World, side_by_side, world
from tests.call.steps import hang_up, stay, text

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = ("I would like to tell you something that takes me quite a while to say " * 6).strip() + "."
ANSWERS: Answers = {WORDS: ["I have understood."]}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("place"), answers=ANSWERS) as made:
        yield made


async def test_a_transcriber_killed_anywhere_in_an_utterance_loses_no_word(place: World) -> None:
    offsets = {str(ms): float(ms) for ms in range(0, 900, 120)}

    async def call(name: str) -> None:
        steps = text(WORDS, after=r"today\?\s*$"), hang_up("understood")
        async with place.call(*steps, direct=True) as call:
            await call.until(lambda: call.is_talking(for_ms=offsets[name]))
            (place.kill if int(name) % 240 else place.crash)(names.transcriber(call.call_id))
            report = await call.over()
            assert report.ok, call.summary()
            assert call.told() == [("user", WORDS)]
            segments = [e.text for e in call.journal() if isinstance(e, CallerSegment)]
            assert segments == [WORDS]

    await side_by_side(call, offsets)


async def test_a_transcriber_killed_in_the_pause_behind_the_words_says_nothing_twice(
    place: World,
) -> None:
    async with place.call(text(WORDS, after=r"today\?\s*$"), hang_up("understood")) as call:
        await call.until(lambda: call.has(CallerSegment(WORDS)))
        for _ in range(3):
            killed = place.kill(names.transcriber(call.call_id))
            name = names.transcriber(call.call_id)
            await call.until(lambda: place.vm.whereis(name) not in (None, killed))  # noqa: B023
        report = await call.over()
        turns = [entry for entry in call.journal() if isinstance(entry, CallerTurn)]
    assert report.ok, call.summary()
    assert turns == [CallerTurn(1, WORDS)]


async def test_a_recogniser_that_gives_up_for_good_lets_the_caller_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcriber_actor, "LIMITS", Limits(stall=2.5, words=0.2, end=0.5))
    async with world(tmp_path) as place:
        for _ in range(20):
            place.deepgram.faults.add(Fault("listen", "refuse", 503))
        with capture_logs() as entries:
            async with place.call(stay(), direct=True) as call:
                report = await call.over()
        assert [stream.close_reason for stream in report.streams] == ["fault"]
        down = [entry["reason"] for entry in entries if entry["event"] == "transcriber_down"]
        assert down and "503" in down[0]
        assert not [entry for entry in entries if entry["event"] == "process_crashed"]


async def test_a_silent_carrier_keeps_its_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcriber_actor, "KEEP_ALIVE_SECONDS", 0.1)
    monkeypatch.setattr(transcriber_actor, "LIMITS", Limits(stall=0.2))
    async with (
        DeepgramEmulator(silence_seconds=0.3) as deepgram,
        world(tmp_path, DEEPGRAM_URL=deepgram.url) as place,
        connect(place.node.media_url, proxy=None) as socket,
    ):
        await socket.send(CONNECTED)
        await socket.send(StreamWriter(new_sid("MZ"), new_sid("CA"), new_sid("AC")).start({}))
        await place.until(lambda: len(deepgram.journal.entries("connected")) == 2)
        # Three times as long as the silence after which the recogniser would close.
        await asyncio.sleep(0.9)
        assert deepgram.journal.entries("disconnected") == []
