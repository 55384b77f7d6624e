"""Calls whose speech cannot be had: the caller hears words soon, and then a person or goodbye.

Whole calls in virtual time against a speech service that refuses at both of its doors. Nothing is
kept as audio, which is the worst case: only the carrier's voice is left.
"""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.dialogue.journal import FAULT, Ended
from aybiza.emulators.deepgram.faults import Door, Fault
from aybiza.emulators.phone import Party
from aybiza.faults.caller import Step, hangs_up, says, stays
from aybiza.faults.desk import agent
from aybiza.faults.placed_call import PlacedCall
from aybiza.faults.world import World, in_world

DOORS: tuple[Door, ...] = ("listen", "speak")
PERSON = "+14155550123"
WORDS_SECONDS = 5.0
END_SECONDS = 22.0
GOODBYE = "Thank you for calling. Goodbye."


class Told:
    """When the carrier has said or dialled something, in seconds of the world's clock."""

    def __init__(self, world: World) -> None:
        told = [(each.at, each.what.removeprefix("twilio: ")) for each in world.trace.of("line")]
        self.lines = [(at, text) for at, text in told if text.startswith(("says: ", "dials "))]

    def first(self, words: str) -> float:
        return next(at for at, text in self.lines if text.startswith(words))


def lost_call(*steps: Step, breaks: Any = None, **changes: Any) -> tuple[PlacedCall, Told, float]:
    async def talk(world: World) -> tuple[PlacedCall, Told, float]:
        for each in DOORS:
            world.deepgram.faults.add(Fault(each, "refuse", code=503, times=None))
        async with world.call(*steps) as call:
            await call.over()
        return call, Told(world), call.began

    parties = {PERSON: Party("completed", talk_s=5)}
    return in_world(talk, agent=agent(**changes), parties=parties)


@pytest.mark.parametrize("number", [PERSON, None])
def test_a_caller_hears_words_at_once_and_then_somebody_who_can_help(number: str | None) -> None:
    call, told, began = lost_call(stays(), fallback_number=number)
    assert told.first("says: One moment, please.") - began < WORDS_SECONDS
    help_comes = f"dials {PERSON}" if number else f"says: {GOODBYE}"
    assert told.first(help_comes) - began < END_SECONDS
    assert call.report.dialled == ([(PERSON, "completed")] if number else [])
    assert any(GOODBYE in line for _, line in told.lines) is (number is None)
    assert [one for one in call.journal if isinstance(one, Ended)] == [Ended(FAULT)] * 2


def test_a_call_whose_speech_comes_back_goes_on_behind_the_carriers_words() -> None:
    async def talk(world: World) -> tuple[PlacedCall, Told]:
        for each in DOORS:
            world.deepgram.faults.add(Fault(each, "refuse", code=503, times=None))
        steps = (says("Your hours?", when="help you"), hangs_up(when="five"))
        async with world.call(*steps) as call:
            await call.until(lambda: Ended(FAULT) in call.journal)
            world.deepgram.faults.clear()
            report = await call.over()
            assert report.ok, report.failure
        return call, Told(world)

    call, told = in_world(talk, answers={"Your hours?": ["From nine to five."]})
    assert [text for _, text in told.lines] == ["says: One moment, please."] * 3
    assert call.heard.rstrip().endswith("From nine to five.")
