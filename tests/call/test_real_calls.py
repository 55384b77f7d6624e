"""Calls of which all is real but the providers: sockets, threads, boto3, Deepgram's SDK, SQLite.

What is heard under faults is tested in virtual time; here is what a world in virtual time does not
have. Everything waits for what it waits for, so a slow machine is slow here and nothing else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from aybiza.actors import names
from aybiza.actors.runtime import Dest
from aybiza.dialogue.journal import CallerTurn, Ended, Interrupted
from aybiza.emulators.bedrock import use
from aybiza.faults.desk import Answers
from tests.call.caller import Call
from tests.call.kit import AGENT, GREETING, World, world
from tests.call.steps import hang_up, interrupt, stay, text

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.real_time]

ASK = "Will you look something up?"
FIRST = "Let me look that up for you."
REST = "There was a lighthouse on a rock far out in the sea. The keeper was all alone there."
STORY = "Tell me a story."
LONG = "There was a lighthouse on a rock far out in the sea. " * 40
CHANGE = "Stop, what does it cost?"
COST = "It costs ten dollars, goodbye."
ANSWERS: Answers = {ASK: [use("look_up", {}, FIRST), REST], STORY: [LONG], CHANGE: [COST]}
ASKS = text(ASK, after=r"today\?\s*$")
LEAVES = hang_up(after=r"alone there\.\s*$")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("place")
    async with world(folder, answers=ANSWERS, thinks_ms=100, delta_ms=100, voice_speed=2) as made:
        yield made


async def gone(place: World, call: Call) -> None:
    """Wait until no process of the call is left."""
    own = (names.call, names.speaker, names.transcriber, names.session, names.stream)
    await place.until(lambda: not any(place.vm.alive(of(call.call_id)) for of in own))


async def test_a_call_is_greeted_answered_with_a_tool_kept_and_let_go(place: World) -> None:
    async with place.call(ASKS, LEAVES) as call:
        report = await call.over()
        await gone(place, call)
    assert report.ok, call.summary()
    assert call.heard == f"{GREETING} {FIRST} {REST} "
    assert call.told()[:3] == [("user", ASK), ("assistant", FIRST), ("uses", "look_up")]
    await place.until(lambda: Ended("hangup") in call.journal())
    assert CallerTurn(1, ASK) in call.journal()
    await place.until(lambda: place.labels() == place.idle and place.sockets() == 0)


async def test_a_barge_in_gives_the_thread_of_the_answer_back(place: World) -> None:
    asks = text(STORY, after=r"today\?\s*$")
    steps = asks, interrupt(CHANGE, 400), hang_up(after=r"goodbye\.\s*$")
    async with place.call(*steps) as call:
        report = await call.over()
    assert report.ok, call.summary()
    assert report.clears == 1
    assert any(isinstance(entry, Interrupted) for entry in call.journal())
    await place.until(lambda: place.node._bedrock.statistics().busy == 0)
    assert place.node._bedrock.statistics().abandoned == 0


@pytest.mark.parametrize("door", ["media_server", "http_server"])
async def test_a_door_that_dies_disturbs_no_call_and_takes_the_next(
    place: World, door: Dest
) -> None:
    async with place.call(ASKS, LEAVES) as call:
        await call.until(lambda: call.has_heard(0, 1))
        await place.restart(door)
        report = await call.over()
        assert report.ok, call.summary()
        assert (call.heard, len(report.streams)) == (f"{GREETING} {FIRST} {REST} ", 1)
    async with place.call(hang_up(after=r"today\?\s*$")) as following:
        assert (await following.over()).ok, following.summary()


async def test_callers_come_back_when_the_gateway_dies(place: World) -> None:
    async with place.call(ASKS, LEAVES) as call:
        await call.until(lambda: call.is_speaking(1, 1) or call.has_heard(1, 1))
        place.kill("gateway")
        report = await call.over()
    assert report.ok, call.summary()
    assert len(report.streams) == 2
    assert call.heard.count(AGENT.bridge) == 1, call.summary()
    assert call.heard.rstrip().endswith(REST.split(". ")[1])
    assert call.told().count(("user", ASK)) == 1


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
