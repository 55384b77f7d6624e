"""The speaker: wherever it dies and whatever Deepgram does, no character is lost or said twice."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from aybiza.actors import names
from aybiza.actors.call import speaker_actor
from aybiza.dialogue.journal import Ended
from aybiza.emulators.bedrock.scripted import long
from aybiza.speech import playout
from aybiza.speech.playout import Sentence
from tests.call.kit import GREETING, Answers, World, agent, side_by_side, world
from tests.call.steps import hang_up, interrupt, text

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASK = "Tell me all about it, please."
NUMBERS = long(20)({}).text
CHANGE = "Stop, please."
ANSWERS: Answers = {ASK: [NUMBERS], CHANGE: ["I have stopped."]}

# Lasts 1.6 s, of which the carrier is sent some 50 ms at a time.
WORDS = ("one two three four five six seven eight nine ten " * 8).strip() + "."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("place")
    talker = agent(greeting=WORDS)
    async with world(folder, answers=ANSWERS, agent=talker, voice_speed=4) as made:
        yield made


async def test_a_speaker_killed_anywhere_in_a_sentence_goes_on_where_it_was(place: World) -> None:
    whole = len(WORDS) * 32
    offsets = {str(part): whole * part // 9 for part in range(9)}

    async def call(name: str) -> None:
        async with place.call(hang_up(after=r"ten\.\s*$"), direct=True) as call:

            def is_there() -> bool:
                line, sentence = call.line, Sentence(0, 1)
                return bool(line and line.ledger.bytes_sent(sentence) > offsets[name])

            await call.until(is_there)
            (place.kill if int(name) % 2 else place.crash)(names.speaker(call.call_id))
            report = await call.over()
            assert report.ok, call.summary()
            assert call.heard == f"{WORDS} "

    await side_by_side(call, offsets)


async def test_a_speaker_killed_again_and_again_loses_nothing(place: World) -> None:
    async with place.call(hang_up(after=r"ten\.\s*$"), direct=True) as call:
        for part in range(4):
            sent = len(WORDS) * 32 * (part + 1) // 6

            def is_there(sent: int = sent) -> bool:
                line = call.line
                return bool(line and line.ledger.bytes_sent(Sentence(0, 1)) > sent)

            await call.until(is_there)
            place.kill(names.speaker(call.call_id))
        await call.over()
    assert call.heard == f"{WORDS} "


async def test_sentences_that_were_spoken_in_one_go_are_taken_up_too(tmp_path: Path) -> None:
    """Behind its first sentence an answer is synthesised in one go, named by the first of it."""
    sentences = {"its own": 1, "in the go": 2, "later in the go": 2, "late in the go": 2}
    bytes_out = {"in the go": 1_000, "later in the go": 3_000, "late in the go": 7_000}
    async with world(tmp_path, answers=ANSWERS, voice_speed=2) as place:

        async def call(name: str) -> None:
            steps = text(ASK, after=r"today\?\s*$"), hang_up("twenty")
            sentence = Sentence(1, sentences[name])
            async with place.call(*steps, direct=True) as call:

                def is_there() -> bool:
                    ledger = call.line and call.line.ledger
                    return bool(ledger and ledger.bytes_sent(sentence) > bytes_out.get(name, 0))

                await call.until(is_there)
                place.kill(names.speaker(call.call_id))
                report = await call.over()
            assert report.ok, call.summary()
            assert call.heard == f"{GREETING} {NUMBERS} "

        await side_by_side(call, sentences)
        assert "FLUSH_LIMIT" not in str(place.deepgram.journal.entries())


async def test_a_speaker_that_dies_as_it_is_silenced_stays_silent(place: World) -> None:
    steps = text(ASK, after=r"ten\.\s*$"), interrupt(CHANGE, 200), hang_up("stopped")
    async with place.call(*steps, direct=True) as call:
        await call.until(lambda: call.report.clears > 0)
        place.kill(names.speaker(call.call_id))
        report = await call.over()
    assert report.ok, call.summary()
    said = call.heard.removeprefix(f"{WORDS} ").removesuffix("I have stopped. ").strip()
    assert NUMBERS.startswith(said)


async def test_the_bridge_is_said_whole_whoever_dies_meanwhile(tmp_path: Path) -> None:
    victims = {"speaker": names.speaker, "call": names.call, "session": names.session}
    talker = agent(bridge=WORDS)
    async with world(tmp_path, agent=talker, answers=ANSWERS, voice_speed=4) as place:

        async def call(victim: str) -> None:
            steps = text(ASK, after=r"today\?"), hang_up("twenty")
            async with place.call(*steps) as call:
                await call.until(lambda: call.is_speaking(1, 1) or call.has_heard(1, 1))
                call.drop()
                await call.until(lambda: "one two" in call.heard)
                place.kill(victims[victim](call.call_id))
                report = await call.over()
            assert report.ok, call.summary()
            before, bridge, after = call.heard.partition(f"{WORDS} ")
            assert bridge, call.summary()
            assert f"{GREETING} {NUMBERS} ".startswith(before)
            assert NUMBERS.endswith(after.strip())

        await side_by_side(call, victims)


async def test_a_mark_that_does_not_come_back_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playout, "MARK_GRACE_SECONDS", 0.1)
    monkeypatch.setattr(speaker_actor, "CHECK_SECONDS", 0.1)
    async with world(tmp_path) as place, place.call(hang_up(quiet_ms=900)) as call:
        await call.until(lambda: call.is_connected)
        call.lose_marks()
        await call.until(lambda: call.state.get("phase") == "listening")
        assert (await call.over()).ok
    assert call.report.marks_returned == 1


async def test_a_deepgram_that_never_answers_keeps_nobody(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        async with (
            world(tmp_path, DEEPGRAM_URL=f"ws://127.0.0.1:{port}") as place,
            place.call(hang_up(), direct=True) as call,
        ):
            session = names.session(call.call_id)
            await place.until(lambda: place.vm.alive(session))
            first = place.kill(session)
            await place.until(lambda: place.vm.whereis(session) not in (None, first))
            report = await call.over()
            assert [stream.close_code for stream in report.streams] == [1011]
            await place.until(lambda: place.labels() == place.idle)
            assert call.journal()[-1] == Ended("fault")
