"""A turn put together of its events: of whole calls in virtual time, and of odd ones."""

from __future__ import annotations

import time
from typing import Any

from aybiza.actors.measures import events
from aybiza.actors.measures.turn_fold import EVENTS, MAX_CALLS, STAGES, TurnFold, TurnRecord
from aybiza.actors.runtime.telemetry import Event
from aybiza.faults.caller import hangs_up, interrupts, says
from aybiza.faults.world import World, in_world

ASK = "Your hours?"
STORY = (
    "There was a lighthouse on a rock far out in the sea. "
    "The keeper had not seen a ship for many years. "
    "One night a storm took the light away from him."
)
ANSWERS = {ASK: ["From nine to five, goodbye."], "A story, please.": [STORY]}


def listening(world: World) -> list[TurnRecord]:
    """The turns of the world's calls, as they end."""
    fold, found = TurnFold(), list[TurnRecord]()

    def hear(event: Event, measured: Any, told: Any, _: Any) -> None:
        found.extend(fold.hear(event, measured, told, time.time()))

    for vm in world.vms:
        vm.telemetry.attach_many("fold", list(EVENTS), hear)
    return found


def test_a_turn_has_all_stages_in_their_order() -> None:
    async def talk(world: World) -> list[TurnRecord]:
        found = listening(world)
        async with world.call(says(ASK), hangs_up(when="goodbye")) as call:
            await call.over()
        return found

    (turn,) = in_world(talk, answers=ANSWERS)
    assert (turn.call_id, turn.turn, turn.outcome) == ("CA1", 1, "answered")
    assert sorted(turn.stages, key=STAGES.index) == list(STAGES)
    after_request = [turn.stages[name] for name in STAGES[1:]]
    assert after_request == sorted(after_request)
    assert 0 < turn.stages["end_of_turn"] < turn.stages["first_frame"] < 5
    assert turn.about["carrier"] == "twilio"
    assert turn.about["model"] == turn.about["optimal"]
    assert turn.about["micro_usd"] > 0


def test_an_interrupted_turn_is_over_too_and_the_next_one_is_its_own() -> None:
    async def talk(world: World) -> list[TurnRecord]:
        found = listening(world)
        steps = (says("A story, please."), interrupts(ASK), hangs_up(when="goodbye"))
        async with world.call(*steps) as call:
            await call.over()
        return found

    first, second = in_world(talk, answers=ANSWERS, delta_ms=400.0)
    assert [turn.outcome for turn in (first, second)] == ["interrupted", "answered"]
    assert first.ended_at is not None and second.ended_at is not None
    assert first.ended_at < second.ended_at
    assert set(second.stages) == set(STAGES)


def test_what_is_kept_is_bounded_and_odd_events_are_passed_over() -> None:
    fold = TurnFold()
    assert fold.hear(events.TURN_ENDED, {}, {"outcome": "answered"}, 1.0) == []
    for number in range(MAX_CALLS + 10):
        fold.hear(events.TURN_START, {}, {"call_id": f"CA{number}", "turn": 1}, 1.0)
    fold.hear(events.TURN_ENDED, {}, {"call_id": "CA0", "turn": 1, "outcome": "answered"}, 2.0)
    (forgotten,) = fold.hear(events.CALL_STOP, {}, {"call_id": "CA0"}, 3.0)
    assert forgotten.moments == {}
    for turn in range(50):
        fold.hear(events.TURN_START, {}, {"call_id": "CA99", "turn": turn}, 1.0)
    fold.hear(events.TURN_ENDED, {}, {"call_id": "CA99", "turn": 49, "outcome": "x"}, 2.0)
    (kept,) = fold.hear(events.CALL_STOP, {}, {"call_id": "CA99"}, 3.0)
    assert (kept.turn, kept.stages, kept.moments) == (49, {}, {"end_of_turn": 1.0})


def test_a_turn_that_is_never_heard_is_over_when_the_next_one_begins() -> None:
    fold = TurnFold()
    for turn in (1, 2):
        told = {"call_id": "CA1", "turn": turn}
        over = fold.hear(events.TURN_START, {}, told, float(turn))
        assert [each.turn for each in over] == [1] * (turn - 1)
        assert fold.hear(events.TURN_ENDED, {}, {**told, "outcome": "apology"}, turn + 0.5) == []
