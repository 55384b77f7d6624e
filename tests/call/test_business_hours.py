"""A call outside of the hours hears that nobody is there, and is over."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from aybiza.dialogue.journal import Closing, Ended
from aybiza.faults.caller import Step, breaks_off, hangs_up, says, stays
from aybiza.faults.desk import agent
from aybiza.faults.placed_call import PlacedCall
from aybiza.faults.world import World, in_world

CLOSED = "We are closed. Please call again at nine. Goodbye."
ALWAYS = dict.fromkeys(
    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    ("00:00-24:00",),
)


def placed(*steps: Step, hours: object, zone: str = "Europe/Berlin") -> PlacedCall:
    desk = agent(hours=hours, zone=ZoneInfo(zone), closed=CLOSED)

    async def talk(world: World) -> PlacedCall:
        async with world.call(*steps) as call:
            await call.over()
        return call

    return in_world(talk, agent=desk)


def test_out_of_hours_a_caller_hears_so_and_is_hung_up() -> None:
    call = placed(stays(), hours={"monday": ("09:00-09:01",)})
    assert call.heard.strip() == CLOSED
    assert call.has(Closing("closed"), Ended("closed"))
    assert call.requests() == []


def test_what_a_caller_says_to_that_opens_nothing() -> None:
    call = placed(says("Wait, please!", after_ms=500), stays(), hours={"monday": ("09:00-09:01",)})
    assert call.heard.strip() == CLOSED
    assert call.requests() == []


def test_in_the_hours_a_call_is_as_it_always_is() -> None:
    call = placed(says("Hello."), hangs_up(), hours=ALWAYS)
    assert "You said: Hello." in call.heard or "Hello." in call.heard
    assert CLOSED not in call.heard


@pytest.mark.parametrize("after_ms", [300, 1500])
def test_a_line_that_breaks_meanwhile_ends_it_all_the_same(after_ms: int) -> None:
    call = placed(breaks_off(after_ms), stays(), hours={"monday": ("09:00-09:01",)})
    assert "Welcome" not in call.heard
    assert call.has(Ended("closed"))
