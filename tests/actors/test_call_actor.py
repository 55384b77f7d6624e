"""The CallActor: whatever it is doing when it dies, its successor goes on with exactly that."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from actors import names
from actors.memory_actor import Append
from actors.runtime import KILL, NO_REPLY, From, GenServer, Pid, Process, Reason, reply, sys
from dialogue.events import CallerInterim
from dialogue.journal import CallerSegment, CallerTurn, Ended
from tests.call.kit import GREETING, Answers, World, side_by_side, world
from tests.call.steps import hang_up, interrupt, stay, text

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASK = "Tell me a story, please."
STORY = (
    "There was a lighthouse on a rock far out in the sea. "
    "The keeper had not seen a ship for many years. "
    "One night a storm took the light away from him."
)
CHANGE = "Stop, what does it cost?"
COST = "It costs ten dollars, goodbye."
ANSWERS: Answers = {ASK: [STORY], CHANGE: [COST], "7": ["You pressed seven."]}
STEPS = text(ASK, after=r"today\?\s*$"), hang_up(after="from him")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    options: dict[str, Any] = {"thinks_ms": 50, "delta_ms": 50, "voice_speed": 2}
    async with world(tmp_path_factory.mktemp("place"), answers=ANSWERS, **options) as made:
        yield made


class Gate(GenServer):
    """Stands before the memory, and kills the CallActors that it is told to, at their nth write."""

    async def init(self, memory: Pid) -> None:
        self.memory = memory
        self.written: Counter[str] = Counter()
        self.strikes: dict[str, tuple[int, str]] = {}
        self.struck: set[str] = set()

    async def handle_call(self, request: Any, from_: From) -> Any:
        self.vm.spawn(self._pass_on, request, from_)
        return NO_REPLY

    async def handle_cast(self, request: Any) -> None:
        self.vm.cast(self.memory, request)

    async def _pass_on(self, request: Any, from_: From) -> None:
        if isinstance(request, Append):
            self.written[request.call_id] += 1
            number, when = self.strikes.get(request.call_id, (0, ""))
            if number == self.written[request.call_id]:
                self.struck.add(request.call_id)
                if when == "after":
                    await self.vm.call(self.memory, request)
                assert from_.pid is not None
                self.vm.exit(from_.pid, KILL)
                return
        reply(from_, await self.vm.call(self.memory, request))


@asynccontextmanager
async def gate(place: World) -> AsyncIterator[Gate]:
    """Everybody who looks for the memory finds a gate before it."""
    vm = place.vm
    memory = vm.whereis(names.MEMORY)
    assert memory is not None
    vm.unregister(names.MEMORY)
    pid = await vm.start(Gate, memory, name=names.MEMORY)
    assert pid is not None
    process = vm.find(pid)
    assert process is not None
    try:
        yield process.server
    finally:
        await vm.stop(pid)
        vm.register(names.MEMORY, memory)


BREAKING_IN = text(ASK, after=r"today\?\s*$"), interrupt(CHANGE, 200), hang_up("goodbye")


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_call_actor_killed_at_any_of_its_writes_does_everything_once(
    place: World, when: str
) -> None:
    async with gate(place) as memory:

        async def call(number: str) -> None:
            async with place.call(*STEPS, direct=True) as call:
                memory.strikes[call.call_id] = (int(number), when)
                report = await call.over()
                assert report.ok, call.summary()
                assert call.heard == f"{GREETING} {STORY} ", call.summary()
                assert call.told() == [("user", ASK)]
                await place.until(lambda: call.journal()[-1:] == [Ended("hangup")], 2.0)
                entries = call.journal()
                assert entries.count(CallerTurn(1, ASK)) == 1
                assert entries.count(CallerSegment(ASK)) == 1
                assert call.call_id in memory.struck

        await side_by_side(call, map(str, range(1, 11)))


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_call_actor_killed_at_any_write_of_a_barge_in_keeps_the_agent_silent(
    place: World, when: str
) -> None:
    async with gate(place) as memory:

        async def call(number: str) -> None:
            async with place.call(*BREAKING_IN, direct=True) as call:
                memory.strikes[call.call_id] = (int(number), when)
                report = await call.over()
                assert report.ok, call.summary()
                said = call.heard.removeprefix(f"{GREETING} ").removesuffix(f"{COST} ").strip()
                assert STORY.startswith(said), call.summary()
                told = call.told()
                assert [role for role, _ in told] == ["user", "assistant", "user"], told
                assert (told[0][1], told[2][1]) == (ASK, CHANGE)
                assert STORY.startswith(told[1][1].removesuffix(" …"))
                assert call.call_id in memory.struck

        await side_by_side(call, map(str, range(1, 12)))


class Poison(str):
    """Words that nobody can look at."""

    def __bool__(self) -> bool:
        raise RuntimeError("poisoned on purpose")


async def test_an_event_that_kills_twice_is_set_aside(place: World) -> None:
    deaths: list[str] = []

    def note(process: Process, reason: Reason) -> None:
        if process.label == "CallActor":
            deaths.append(str(reason))

    async with place.call(*STEPS, direct=True) as call:
        await call.until(lambda: call.state.get("phase") == "listening")
        place.vm.observers.append(note)
        with capture_logs() as entries:
            assert call.line is not None
            call.line.post(CallerInterim(Poison("poison")))
            report = await call.over()
        place.vm.observers.remove(note)
    assert report.ok, call.summary()
    assert call.heard == f"{GREETING} {STORY} "
    assert len([death for death in deaths if "poisoned" in death]) == 2
    aside = [entry for entry in entries if entry["event"] == "event_set_aside"]
    assert [entry["event_"] for entry in aside] == ["CallerInterim"]


async def test_more_crashes_than_a_session_bears_do_not_end_the_call(place: World) -> None:
    async with place.call(*STEPS, direct=True) as call:
        await call.until(lambda: call.is_speaking(1, 1))
        session = place.vm.whereis(names.session(call.call_id))
        for _ in range(8):
            await call.until(lambda: bool(call.state))
            killed = place.kill(names.call(call.call_id))
            await call.until(lambda: not place.vm.alive(killed))  # noqa: B023
        report = await call.over()
        assert report.ok, call.summary()
        assert call.heard == f"{GREETING} {STORY} ", call.summary()
        assert session is not None


async def test_a_hang_up_while_the_actor_is_dead_is_not_lost(place: World) -> None:
    async with place.call(stay(), direct=True) as call:
        await call.until(lambda: call.has_heard(0, 1))
        place.kill(names.call(call.call_id))
        await call.hang_up()
        await place.until(lambda: not place.vm.alive(names.session(call.call_id)), 2.0)
        assert call.journal()[-1] == Ended("hangup")


async def test_keys_pressed_while_the_actor_is_dead_are_not_lost(place: World) -> None:
    keys = {"dtmf": "7", "expect": r"today\?\s*$", "after_quiet_ms": 100}
    async with place.call(keys, hang_up("seven"), direct=True) as call:
        await call.until(lambda: call.has_heard(0, 1))
        await call.until(lambda: len(call.report.turns) == 1)
        place.kill(names.call(call.call_id))
        report = await call.over()
    assert report.ok, call.summary()
    assert call.told() == [("user", "7")]


async def test_the_state_of_a_call_is_for_people(place: World) -> None:
    async with place.call(stay(), direct=True) as call:
        await call.until(lambda: call.has_heard(0, 1))
        state = await sys.get_state(place.vm, names.call(call.call_id))
        assert {"call_id": call.call_id, "phase": "listening", "turn": 0}.items() <= state.items()
