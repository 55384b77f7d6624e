"""The CallActor: whatever it is doing when it dies, its successor goes on with exactly that."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from aybiza.actors import names
from aybiza.actors.call import call_actor
from aybiza.actors.memory import memory_actor
from aybiza.actors.memory.memory_actor import append, kept
from aybiza.actors.runtime import VM, Process, Reason, sys
from aybiza.dialogue.events import CallerInterim
from aybiza.dialogue.journal import CallerSegment, CallerTurn, Ended
from aybiza.speech.playout import Sentence
from tests.call.caller import LIMIT
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


class Striker:
    """Crashes the CallActors that it is told to at their nth write: before the entries stand in the
    journal, right behind that, or when they wait for the store to have them."""

    def __init__(self) -> None:
        self.seen: Counter[tuple[str, str]] = Counter()
        self.strikes: dict[str, tuple[int, str]] = {}
        self.struck: set[str] = set()

    def append(self, vm: VM, call_id: str, *entries: Any) -> None:
        self._strike(call_id, "before")
        append(vm, call_id, *entries)
        self._strike(call_id, "after")

    async def kept(self, vm: VM, call_id: str) -> None:
        self._strike(call_id, "waiting")
        await kept(vm, call_id)

    def _strike(self, call_id: str, when: str) -> None:
        self.seen[call_id, when] += 1
        if self.strikes.get(call_id) == (self.seen[call_id, when], when):
            self.struck.add(call_id)
            raise RuntimeError("struck on purpose")


@pytest.fixture
def striker(monkeypatch: pytest.MonkeyPatch) -> Striker:
    made = Striker()
    monkeypatch.setattr(call_actor, "append", made.append)
    monkeypatch.setattr(call_actor, "kept", made.kept)
    return made


BREAKING_IN = text(ASK, after=r"today\?\s*$"), interrupt(CHANGE, 200), hang_up("goodbye")


@pytest.mark.parametrize(("when", "writes"), [("before", 10), ("after", 10), ("waiting", 5)])
async def test_a_call_actor_that_crashes_at_any_of_its_writes_does_everything_once(
    place: World, striker: Striker, when: str, writes: int
) -> None:
    async def call(number: str) -> None:
        async with place.call(*STEPS, direct=True) as call:
            striker.strikes[call.call_id] = (int(number), when)
            report = await call.over()
            assert report.ok, call.summary()
            assert call.heard == f"{GREETING} {STORY} ", call.summary()
            assert call.told() == [("user", ASK)]
            await place.until(lambda: call.journal()[-1:] == [Ended("hangup")], 2.0)
            entries = call.journal()
            assert entries.count(CallerTurn(1, ASK)) == 1
            assert entries.count(CallerSegment(ASK)) == 1
            assert call.call_id in striker.struck

    await side_by_side(call, map(str, range(1, writes + 1)))


@pytest.mark.parametrize(("when", "writes"), [("before", 11), ("after", 11), ("waiting", 4)])
async def test_a_call_actor_that_crashes_at_any_write_of_a_barge_in_keeps_the_agent_silent(
    place: World, striker: Striker, when: str, writes: int
) -> None:
    async def call(number: str) -> None:
        async with place.call(*BREAKING_IN, direct=True) as call:
            striker.strikes[call.call_id] = (int(number), when)
            report = await call.over()
            assert report.ok, call.summary()
            said = call.heard.removeprefix(f"{GREETING} ").removesuffix(f"{COST} ").strip()
            assert STORY.startswith(said), call.summary()
            told = call.told()
            assert [role for role, _ in told] == ["user", "assistant", "user"], told
            assert (told[0][1], told[2][1]) == (ASK, CHANGE)
            assert STORY.startswith(told[1][1].removesuffix(" …"))
            assert call.call_id in striker.struck

    await side_by_side(call, map(str, range(1, writes + 1)))


async def test_the_model_is_asked_at_once_and_nothing_said_before_the_store_has_it(
    place: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DURABLE_SECONDS", "KEPT_SECONDS"):
        monkeypatch.setattr(memory_actor, name, LIMIT)
    gate, write = threading.Event(), place.node._store.write

    def gated(rows: Any) -> None:
        gate.wait(LIMIT)
        write(rows)

    async with place.call(*STEPS, direct=True) as call:
        await call.until(lambda: call.has_heard(0, 1))
        monkeypatch.setattr(place.node._store, "write", gated)
        await call.until(lambda: [r.outcome for r in call.requests()] == ["completed"])
        assert call.heard == f"{GREETING} "
        assert call.line is not None
        assert not call.line.ledger.bytes_sent(Sentence(1, 1))
        gate.set()
        report = await call.over()
    assert report.ok, call.summary()
    assert call.heard == f"{GREETING} {STORY} "


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
