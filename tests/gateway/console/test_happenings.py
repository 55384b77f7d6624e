"""What the console hears of a node: bounded, by the name of who it was, and without words."""

from __future__ import annotations

import asyncio

import pytest

from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.runtime import KILL, VM, GenServer
from aybiza.gateway.console.happenings import MOST_CALLS, MOST_NEWS, Happenings, through, why
from aybiza.supervisors import Supervisor, child

WORDS = "my secret number is 4711"


class Clerk(GenServer):
    """Crashes over what it is told."""

    async def handle_cast(self, request: object) -> None:
        raise ValueError(f"cannot do {request}")


async def listening(vm: VM) -> Happenings:
    heard = Happenings(vm.now, lambda: 1000.0)
    heard.attach(vm)
    return heard


async def test_a_restart_and_its_crash_are_told_by_name_with_lines_of_source_and_no_words() -> None:
    async with VM("test") as vm:
        heard = await listening(vm)
        back = asyncio.Event()
        vm.restart_observers.append(lambda _: back.set())
        await vm.start(Supervisor, [child(Clerk, name="clerk")], name="root")
        vm.cast("clerk", WORDS)
        await back.wait()
        await asyncio.sleep(0)
        crash, restart = heard.news
    assert (crash["kind"], crash["text"]) == ("crash", "Clerk ended: crashed with ValueError")
    assert crash["through"][-1].startswith("console/test_happenings.py:")
    assert crash["through"][-1].endswith("in Clerk.handle_cast")
    assert (restart["kind"], restart["text"]) == ("restart", "clerk was started again")
    assert heard.restarts == {"clerk": 1}
    assert not set(WORDS.split()) & set(str(list(heard.news)).split())


async def test_the_figures_of_a_turn_come_together_from_its_events() -> None:
    async with VM("test") as vm:
        heard = await listening(vm)
        about = {"call_id": "CA1", "turn": 1}
        emit(vm, events.SPEECH_FINAL, seconds=0.1, call_id="CA1")
        emit(vm, events.TURN_START, **about)
        emit(vm, events.REQUEST_START, model="m", region="r", **about)
        emit(vm, events.REQUEST_FIRST_TOKEN, seconds=0.2, model="m", region="r", **about)
        emit(vm, events.REQUEST_FIRST_TOKEN, seconds=0.9, model="m", region="r", **about)
        emit(vm, events.SPEECH_FIRST_AUDIO, seconds=0.3, seq=1, **about)
        emit(vm, events.TURN_ANSWERED, seconds=0.7, **about)
        emit(vm, events.COST, usd=0.5, call_id="CA1", model="m")
        emit(vm, events.TURN_ENDED, outcome="answered", **about)
    (turn,) = heard.turns_of("CA1")
    assert {**turn, "at": 0} == {
        "turn": 1,
        "at": 0,
        "usd": 0.5,
        "recognised": 0.1,
        "model": "m",
        "first_token": 0.2,
        "voice": 0.3,
        "response": 0.7,
        "outcome": "answered",
    }
    assert [seconds for _, seconds in heard.responses] == [0.7]


async def test_nothing_grows_without_end() -> None:
    async with VM("test") as vm:
        heard = await listening(vm)
        for number in range(2 * MOST_CALLS):
            emit(vm, events.TURN_START, call_id=f"CA{number}", turn=1)
            heard.tell("restart", str(number))
        assert len(heard.news) == MOST_NEWS
        assert heard.turns_of("CA0") == []
        assert heard.turns_of(f"CA{2 * MOST_CALLS - 1}")
    assert [one["number"] for one in heard.since(heard.number - 2)] == [
        heard.number - 1,
        heard.number,
    ]


async def test_it_hears_each_event_once_however_often_it_is_attached() -> None:
    async with VM("test") as vm:
        heard = await listening(vm)
        heard.attach(vm)
        emit(vm, events.FAULT_STRUCK, what="kill", by="anna")
        assert len(heard.news) == 1


@pytest.mark.parametrize("reason", [KILL, "line_lost", WORDS, (WORDS, 1), ValueError(WORDS), None])
def test_a_reason_is_told_without_words(reason: object) -> None:
    assert "secret" not in why(reason)
    assert through(reason) == []
