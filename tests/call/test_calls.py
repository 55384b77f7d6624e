"""A call from end to end: what the caller hears, what the model is told, what is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from aybiza.actors import names
from aybiza.config.agents import load_agent
from aybiza.dialogue.journal import Ended, Interrupted
from aybiza.emulators.bedrock import use
from aybiza.emulators.phone import webhook
from tests.call.caller import Call
from tests.call.kit import AGENT, GREETING, Answers, World, agent, world
from tests.call.steps import hang_up, interrupt, noise, stay, text

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASK = "Tell me a story, please."
STORY = (
    "There was a lighthouse on a rock far out in the sea. "
    "The keeper had not seen a ship for many years. "
    "One night a storm took the light away from him. "
    "He rowed to the shore to fetch another one."
)
CHANGE = "Stop, what does it cost?"
COST = "It costs ten dollars, goodbye."
LEAVE = "That is all, thank you."
LAST = "Thank you for calling us today. Have a very nice day."

ANSWERS: Answers = {
    ASK: [STORY],
    CHANGE: [COST],
    LEAVE: [use("end_call", {}), LAST],
    "1 2 #": ["You pressed one and two."],
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("place")
    options: dict[str, Any] = {"thinks_ms": 100, "delta_ms": 100, "voice_speed": 3}
    async with world(folder, answers=ANSWERS, **options) as made:
        yield made


async def test_the_greeting_comes_first_and_sentences_in_their_order(place: World) -> None:
    async with place.call(text(ASK, after=r"\?\s*$"), hang_up(after=r"another one\.")) as call:
        report = await call.over()
    assert report.ok, call.summary()
    assert call.heard == f"{GREETING} {STORY} "
    assert call.told() == [("user", ASK)]
    assert report.marks_set == report.marks_returned == 5


async def test_a_call_does_not_notice_the_crashes_of_another(tmp_path: Path) -> None:
    words = ("one two three four five six seven eight nine ten " * 8).strip() + "."
    parts = (names.call, names.speaker, names.transcriber)
    async with world(tmp_path, agent=agent(greeting=words), voice_speed=6) as place:
        steps = (hang_up(after=r"ten\.\s*$"),)
        async with place.call(*steps) as calm, place.call(*steps) as crashing:
            for call in (calm, crashing):
                await call.until(lambda call=call: call.is_speaking(0, 1))  # type: ignore[misc]
            before = [place.vm.whereis(part(calm.call_id)) for part in parts]
            for part in parts:
                place.crash(part(crashing.call_id))
            place.kill(names.session(crashing.call_id))
            await crashing.until(lambda: bool(crashing.state))
            assert [place.vm.whereis(part(calm.call_id)) for part in parts] == before
            await asyncio.gather(calm.over(), crashing.over())
    assert None not in before
    assert calm.heard == crashing.heard == f"{words} "
    assert (calm.report.gaps, calm.report.clears, len(calm.report.streams)) == ([], 0, 1)


async def test_a_caller_who_breaks_in_is_listened_to_at_once(place: World) -> None:
    steps = text(ASK, after=r"\?\s*$"), interrupt(CHANGE), hang_up(after=r"goodbye\.\s*$")
    async with place.call(*steps) as call:
        await call.until(lambda: call.has_any(Interrupted))
        first = call.requests()[0]
        await place.until(lambda: first.outcome == "cancelled", what="the stream was not cancelled")
        await place.until(lambda: busy_threads(place) == 0, within=1.0, what="a thread is held")
        report = await call.over()
    assert report.ok, call.summary()
    assert report.clears == 1
    heard = call.heard.removeprefix(f"{GREETING} ").strip().removesuffix(COST).strip()
    assert STORY.startswith(heard) and heard != STORY
    told = call.told()
    assert (told[0], told[2]) == (("user", ASK), ("user", CHANGE))
    said = told[1][1].removesuffix(" …")
    assert STORY.startswith(said)
    assert abs(len(said.split()) - len(heard.split())) <= 6, (said, heard)


async def test_a_noise_does_not_disturb_the_agent(place: World) -> None:
    steps = text(ASK, after=r"\?\s*$"), noise(), hang_up(after=r"another one\.\s*$")
    async with place.call(*steps) as call:
        report = await call.over()
    assert report.ok, call.summary()
    assert report.clears == 0
    assert call.heard == f"{GREETING} {STORY} "
    assert len(call.requests()) == 1


async def test_the_agents_goodbye_ends_the_call_when_it_has_been_heard(place: World) -> None:
    async with place.call(text(LEAVE, after=r"\?\s*$"), stay()) as call:
        report = await call.over()
    assert report.ok, call.summary()
    assert call.heard == f"{GREETING} {LAST} "
    assert [(s.close_code, s.close_reason) for s in report.streams] == [(1000, "goodbye")]
    assert call.journal()[-1] == Ended("goodbye")


async def test_keys_are_words_of_the_caller(place: World) -> None:
    keys = {"dtmf": "12#", "expect": r"\?\s*$", "after_quiet_ms": 100}
    async with place.call(keys, hang_up(after=r"two\.\s*$")) as call:
        report = await call.over()
    assert report.ok, call.summary()
    assert call.told() == [("user", "1 2 #")]


async def test_a_call_that_has_ended_is_hung_up_when_it_comes_back(place: World) -> None:
    async with place.call(hang_up(after=r"\?\s*$")) as call:
        await call.over()
        await gone(place, call)
    form = {"CallSid": call.call_id, "From": "+15550100001"}
    status, body = await webhook.post(f"{place.node.http_url}/incoming?again=1", form, None)
    verbs = webhook.read_twiml(body, place.node.http_url)
    assert (status, verbs) == (200, [webhook.Hangup()])


async def test_silence_is_asked_about_and_then_ends_the_call(tmp_path: Path) -> None:
    (tmp_path / "desk.toml").write_text(
        'name = "Desk"\nsystem_prompt = "You wait."\ngreeting = "Hello there."\n'
        'silence_prompt = "Are you there?"\nclosing = "Goodbye then."\nsilence_timeout_s = 1\n'
    )
    quiet = load_agent(str(tmp_path / "desk.toml"))
    async with world(tmp_path, agent=quiet) as place, place.call(stay()) as call:
        report = await call.over()
    assert report.ok, call.summary()
    assert call.heard == "Hello there. Are you there? Goodbye then. "
    assert report.streams[0].close_reason == "silence"


async def test_the_longest_call_ends_with_the_closing_words(tmp_path: Path) -> None:
    brief = agent(max_duration_s=1.0)
    async with world(tmp_path, agent=brief) as place, place.call(stay()) as call:
        report = await call.over()
    assert report.ok, call.summary()
    assert call.heard == f"{GREETING} {AGENT.closing} "
    assert report.streams[0].close_reason == "duration"


async def test_a_full_node_takes_no_further_call(tmp_path: Path) -> None:
    async with world(tmp_path, AYBIZA_MAX_CALLS="1") as place:
        async with place.call(stay()) as first:
            await first.until(lambda: first.has_heard(0, 1))
            async with place.call(stay(), direct=True) as second:
                report = await second.over()
                assert [(s.close_code, s.close_reason) for s in report.streams] == [
                    (1013, "no capacity")
                ]
            told: list[str] = []
            async with place.call(stay(), on_progress=lambda p: told.append(p.text)) as third:
                await third.over()
            assert f"says: {AGENT.busy}" in told
            assert first.heard == f"{GREETING} "
            await first.hang_up()
            await gone(place, first)
        async with place.call(hang_up(after=r"\?\s*$")) as fourth:
            assert (await fourth.over()).ok


async def test_a_memory_that_cannot_be_written_does_not_end_the_call(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    path = str(tmp_path / "file" / "memory.sqlite3")
    async with world(tmp_path, answers=ANSWERS, AYBIZA_MEMORY_PATH=path) as place:
        steps = text(ASK, after=r"\?\s*$"), hang_up(after=r"another one\.")
        async with place.call(*steps) as call:
            await call.until(lambda: call.is_speaking(1, 1))
            place.kill(names.call(call.call_id))
            place.kill(names.MEMORY)
            report = await call.over()
            assert report.ok, call.summary()
            assert call.heard == f"{GREETING} {STORY} "


def busy_threads(place: World) -> int:
    """How many of Bedrock's threads have a request."""
    return place.node._bedrock.statistics().busy


async def gone(place: World, call: Call, within: float = 2.0) -> None:
    """Wait until no process of the call is left."""

    def is_gone() -> bool:
        own = (names.call, names.speaker, names.transcriber, names.session)
        return not any(place.vm.alive(of(call.call_id)) for of in own)

    await place.until(is_gone, within, "the call's processes live on")
