"""How a call ends, or its line breaks, in every state: nothing is left, and nothing is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from aybiza.actors import names
from aybiza.actors.runtime import Dest
from aybiza.dialogue.journal import CallerTurn, Ended, Interrupted, SentenceHeard
from aybiza.emulators.bedrock import use
from aybiza.gateway.media_server import STREAM_SUPERVISOR
from tests.call.caller import Call
from tests.call.kit import AGENT, GREETING, Answers, World, side_by_side, world
from tests.call.steps import hang_up, interrupt, stay, text

pytestmark = pytest.mark.asyncio(loop_scope="module")

GONE_SECONDS = 2.0
PACE: dict[str, Any] = {"thinks_ms": 150, "delta_ms": 60, "voice_speed": 2}

ASK = "Will you look something up for me, please?"
FIRST = "Let me look that up for you right now, it will not take long."
REST = (
    "There was a lighthouse on a rock far out in the sea. "
    "The keeper had not seen a ship for many years."
)
CHANGE = "Stop, what does it cost?"
COST = "It costs ten dollars, goodbye."

ANSWERS: Answers = {ASK: [use("look_up", {}, FIRST), REST], CHANGE: [COST]}

STATES: dict[str, Callable[[Call], bool]] = {
    "connecting": lambda call: call.line is not None,
    "greeting": lambda call: call.is_speaking(0, 1),
    "listening": lambda call: call.has(SentenceHeard(0, 1)),
    "caller in mid-utterance": lambda call: call.is_talking(for_ms=50),
    "thinking": lambda call: call.has(CallerTurn(1, ASK)) and bool(call.requests()),
    "first sentence": lambda call: call.is_speaking(1, 1),
    "tool running": lambda call: call.is_using_a_tool,
    "last sentence": lambda call: call.is_speaking(1, 3),
    "interrupted": lambda call: call.has_any(Interrupted),
}
STEPS = (
    text(ASK, after=r"today\?\s*$", quiet_ms=150),
    interrupt(CHANGE, after_ms=500),
    hang_up(after=r"goodbye\.\s*$"),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("place")
    async with world(folder, answers=ANSWERS, **PACE) as made:
        yield made


def parts(call: Call) -> list[Dest]:
    of_the_call = (names.call, names.speaker, names.transcriber, names.session, names.stream)
    return [*(of(call.call_id) for of in of_the_call), names.answer(call.call_id, 1)]


async def gone(place: World, call: Call) -> None:
    """Wait until nothing of the call is left."""

    def is_left() -> list[Any]:
        left: list[Any] = [part for part in parts(call) if place.vm.alive(part)]
        left += [r.number for r in place.requests(call.call_id) if r.outcome == "open"]
        left += ["socket"] * open_sockets(place, call)
        return [*left, *(["memory"] if call.call_id in place.vm.tables["memory"] else [])]

    began = time.monotonic()
    while is_left():
        assert time.monotonic() - began < GONE_SECONDS, f"left behind: {is_left()}"
        await asyncio.sleep(0.005)


def open_sockets(place: World, call: Call) -> int:
    mine = [e["what"] for e in place.deepgram.journal.entries() if e["session"] == call.call_id]
    return mine.count("connected") - mine.count("disconnected")


Leave = Callable[[World, Call], Any]

WAYS: dict[str, Leave] = {
    "stop": lambda place, call: call.hang_up(),
    "two stops": lambda place, call: call.hang_up(stops=2),
    "stop and talk": lambda place, call: call.hang_up(talking=True),
    "stop and abort": lambda place, call: call.hang_up(abruptly=True),
    "close without stop": lambda place, call: call.hang_up(stops=0),
    "abort": lambda place, call: call.drop(),
}


async def test_whenever_and_however_the_caller_leaves_nothing_is_left(place: World) -> None:
    async def leave(case: str) -> None:
        way, state = case.split(" in state ")
        async with place.call(*STEPS, direct=True) as call:
            await call.until(lambda: STATES[state](call) or call.is_over)
            assert not call.is_over, f"{state} was not seen: {call.summary()}"
            leaving = WAYS[way](place, call)
            if leaving is not None:
                await leaving
            await gone(place, call)
            if "stop" in way and "without" not in way:
                assert call.journal()[-1:] == [Ended("hangup")]

    await side_by_side(leave, [f"{way} in state {state}" for way in WAYS for state in STATES])
    await place.until(lambda: place.labels() == place.idle, GONE_SECONDS)
    statistics = place.node._bedrock.statistics()
    assert (statistics.busy, statistics.abandoned) == (0, 0)


async def lose_line(place: World, state: str, lose: Callable[[World, Call], object]) -> None:
    """A call whose line breaks in this state, and which comes back by the redirect."""
    asked = r"say\?" if state == "listening" else r"today\?"
    steps = text(ASK, after=asked), hang_up(after=r"many years\.\s*$")
    async with place.call(*steps) as call:
        await call.until(lambda: STATES[state](call) or call.is_over)
        assert not call.is_over, f"{state} was not seen: {call.summary()}"
        lose(place, call)
        report = await call.over()
        assert report.ok, call.summary()
        bridge = (
            f"{AGENT.bridge} {AGENT.ask_again} " if state == "listening" else AGENT.bridge + " "
        )
        assert call.heard.count(AGENT.bridge) == 1, call.summary()
        before, _, after = call.heard.partition(bridge)
        spoken = f"{GREETING} {FIRST} {REST} "
        assert spoken.startswith(before), call.summary()
        # A sentence that broke off is said again from its beginning; none is lost.
        assert spoken.endswith(after), call.summary()
        assert len(before) + len(after) >= len(spoken), call.summary()
        assert call.told().count(("user", ASK)) == 1
        await gone(place, call)


LOST_IN = ("greeting", "listening", "thinking", "first sentence", "tool running", "last sentence")


LOST_BY: dict[str, Callable[[World, Call], object]] = {
    "the socket": lambda place, call: call.drop(),
    "MediaStream": lambda place, call: place.kill(names.stream(call.call_id)),
    "MediaStream and CallActor": lambda place, call: (
        place.kill(names.stream(call.call_id)),
        place.kill(names.call(call.call_id)),
    ),
}


async def test_a_caller_whose_line_broke_comes_back_to_the_same_conversation(place: World) -> None:
    async def lose(case: str) -> None:
        how, state = case.split(" in state ")
        await lose_line(place, state, LOST_BY[how])

    await side_by_side(lose, [f"{how} in state {state}" for how in LOST_BY for state in LOST_IN])


async def test_callers_come_back_when_the_gateway_dies(tmp_path: Path) -> None:
    async def lose(door: str) -> None:
        async with world(tmp_path / door, answers=ANSWERS, **PACE) as place:
            await lose_line(place, "first sentence", lambda place, _: place.kill(door))

    await side_by_side(lose, [STREAM_SUPERVISOR, "gateway"])


async def test_a_second_line_takes_the_call_over_from_the_first(place: World) -> None:
    steps = text(ASK, after=r"say\?"), hang_up(after=r"many years\.\s*$")
    async with place.call(stay(), direct=True) as first:
        await first.until(lambda: first.has(SentenceHeard(0, 1)))
        async with place.call(*steps, direct=True, call_sid=first.call_id) as second:
            report = await second.over()
            assert report.ok, second.summary()
            assert second.heard == f"{AGENT.bridge} {AGENT.ask_again} {FIRST} {REST} "
        await first.over()
        assert [stream.close_code for stream in first.report.streams] == [1001]
        await gone(place, second)


async def test_many_short_calls_leave_nothing_behind(place: World) -> None:
    vm = place.vm

    def census() -> dict[str, Any]:
        return {
            "processes": place.labels(),
            "memory": len(vm.tables["memory"]),
            "names": {name: table.count() for name, table in vm.registries.items()},
            "sockets": place.sockets(),
            "tasks": len(asyncio.all_tasks()),
            "threads": place.node._bedrock.statistics().busy,
        }

    async def short() -> None:
        async with place.call(hang_up(after=r"today\?\s*$"), direct=True) as call:
            assert (await call.over()).ok, call.summary()

    await short()
    await place.until(lambda: place.labels() == place.idle and place.sockets() == 0)
    await asyncio.sleep(0)
    before = census()
    for _ in range(2):
        await asyncio.gather(*(short() for _ in range(25)))
    try:
        await place.until(lambda: census() == before, GONE_SECONDS)
    finally:
        assert census() == before
