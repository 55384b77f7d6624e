"""The CallActor: whatever it is doing when it dies, its successor goes on with exactly that."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from structlog.testing import capture_logs

from aybiza.actors import names
from aybiza.actors.call import call_actor
from aybiza.actors.memory import memory_actor
from aybiza.actors.memory.journals import append
from aybiza.actors.memory.memory_actor import kept
from aybiza.actors.runtime import VM, Process, Reason, sys
from aybiza.dialogue.events import CallerInterim
from aybiza.dialogue.journal import CallerSegment, CallerTurn, Ended
from aybiza.faults.desk import AGENT, Answers
from aybiza.faults.testing import (
    Caller,
    Faults,
    Node,
    assert_no_orphans,
    hangs_up,
    interrupts,
    presses,
    says,
    stays,
)
from aybiza.speech.playout import Sentence
from tests.call.quick import GREETING, PACE, heard

ASK = "Tell me a story, please."
STORY = (
    "There was a lighthouse on a rock far out in the sea. "
    "The keeper had not seen a ship for many years. "
    "One night a storm took the light away from him."
)
CHANGE = "Stop, what does it cost?"
COST = "It costs ten dollars, goodbye."
ANSWERS: Answers = {ASK: [STORY], CHANGE: [COST], "7": ["You pressed seven."]}
ASKS = says(ASK, when=r"today\?\s*$")
STEPS = ASKS, hangs_up(when="from him")
BREAKING_IN = ASKS, interrupts(CHANGE, 200), hangs_up(when="goodbye")
FOREVER = 60.0


@pytest.fixture
def aybiza_answers() -> Answers:
    return ANSWERS


@pytest.fixture
def aybiza_world() -> dict[str, Any]:
    return {**PACE, "thinks_ms": 50, "delta_ms": 100}


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


def writes(**each: int) -> list[tuple[str, int]]:
    """The writes to strike at: so many of each moment."""
    return [(when, number) for when, most in each.items() for number in range(1, most + 1)]


@pytest.mark.parametrize(("when", "number"), writes(before=10, after=10, waiting=5))
def test_a_call_actor_that_crashes_at_any_of_its_writes_does_everything_once(
    call: Caller, striker: Striker, when: str, number: int
) -> None:
    striker.strikes["CA1"] = (number, when)
    placed = call(*STEPS)
    assert placed.report.ok, placed.report.failure
    assert heard(placed) == f"{GREETING} {STORY}"
    assert placed.told() == [("user", ASK)]
    entries = placed.journal
    assert entries[-1] == Ended("hangup")
    assert entries.count(CallerTurn(1, ASK)) == 1
    assert entries.count(CallerSegment(ASK)) == 1
    assert placed.call_id in striker.struck


@pytest.mark.parametrize(("when", "number"), writes(before=11, after=11, waiting=4))
def test_a_call_actor_that_crashes_at_any_write_of_a_barge_in_keeps_the_agent_silent(
    call: Caller, striker: Striker, when: str, number: int
) -> None:
    striker.strikes["CA1"] = (number, when)
    placed = call(*BREAKING_IN)
    assert placed.report.ok, placed.report.failure
    said = heard(placed).removeprefix(GREETING).removesuffix(COST).strip()
    assert STORY.startswith(said), said
    told = placed.told()
    assert [role for role, _ in told] == ["user", "assistant", "user"], told
    assert (told[0][1], told[2][1]) == (ASK, CHANGE)
    assert STORY.startswith(told[1][1].removesuffix(" …"))
    assert placed.call_id in striker.struck


def test_the_model_is_asked_at_once_and_nothing_said_before_the_store_has_it(
    node: Node, call: Caller, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DURABLE_SECONDS", "KEPT_SECONDS"):
        monkeypatch.setattr(memory_actor, name, FOREVER)
    placed = call.placed(*STEPS)
    call.until(placed.is_talking)
    faults("disk.slow", seconds=5.0, at=0.0)
    call.until(lambda: [r.outcome for r in placed.requests()] == ["completed"])
    assert heard(placed) == GREETING
    assert not node.world.lines[placed.call_id].ledger.bytes_sent(Sentence(1, 1))
    assert call.over(placed).ok
    assert heard(placed).replace(f"{AGENT.filler} ", "") == f"{GREETING} {STORY}"


class Poison(str):
    """Words that nobody can look at."""

    def __bool__(self) -> bool:
        raise RuntimeError("poisoned on purpose")


def test_an_event_that_kills_twice_is_set_aside(node: Node, call: Caller) -> None:
    deaths: list[str] = []

    def note(process: Process, reason: Reason) -> None:
        if process.label == "CallActor":
            deaths.append(str(reason))

    placed = call.placed(*STEPS)
    call.until(lambda: placed.state.get("phase") == "listening")
    node.vm.observers.append(note)
    with capture_logs() as entries:
        node.world.lines[placed.call_id].post(CallerInterim(Poison("poison")))
        report = call.over(placed)
    assert report.ok, report.failure
    assert heard(placed) == f"{GREETING} {STORY}"
    assert len([death for death in deaths if "poisoned" in death]) == 2
    aside = [entry for entry in entries if entry["event"] == "event_set_aside"]
    assert [entry["event_"] for entry in aside] == ["CallerInterim"]


def test_more_crashes_than_a_session_bears_do_not_end_the_call(node: Node, call: Caller) -> None:
    placed = call.placed(*STEPS)
    call.until(lambda: placed.is_speaking(1, 1))
    for _ in range(8):
        call.until(lambda: bool(placed.state))
        killed = node.kill(names.call(placed.call_id))
        call.until(lambda: not node.vm.alive(killed))  # noqa: B023
    assert call.over(placed).ok
    assert heard(placed) == f"{GREETING} {STORY}"


def test_a_hang_up_while_the_actor_is_dead_is_not_lost(node: Node, call: Caller) -> None:
    placed = call.placed(stays())
    call.until(lambda: placed.has_heard(0, 1))

    async def hang_up() -> None:
        assert placed.phone._line is not None
        socket, writer = placed.phone._line
        node.vm.exit(names.call(placed.call_id), "kill")
        await socket.send(writer.stop())
        await socket.close()

    node.time.run(hang_up())
    assert_no_orphans(2.0)
    assert placed.journal[-1] == Ended("hangup")


def test_keys_pressed_while_the_actor_is_dead_are_not_lost(node: Node, call: Caller) -> None:
    placed = call.placed(presses("7"), hangs_up(when="seven"))
    call.until(lambda: placed.has_heard(0, 1))
    call.until(lambda: len(placed.report.turns) == 1)
    node.kill(names.call(placed.call_id))
    assert call.over(placed).ok
    assert placed.told() == [("user", "7")]


def test_the_state_of_a_call_is_for_people(node: Node, call: Caller) -> None:
    placed = call.placed(stays())
    call.until(lambda: placed.has_heard(0, 1) and placed.state.get("phase") == "listening")
    state = node.time.run(sys.get_state(node.vm, names.call(placed.call_id)))
    assert {"call_id": placed.call_id, "phase": "listening", "turn": 0}.items() <= state.items()
