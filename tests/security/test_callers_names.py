"""A caller's name, which anybody's telephone may choose, is no line of what a switch says."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from aybiza.emulators.phone.manager import SECRET, USER, ManagerDoor
from aybiza.emulators.phone.switch import Switch
from aybiza.gateway.carriers.codec import MULAW_8000_MONO, Start
from aybiza.gateway.control.esl import _outcome
from aybiza.gateway.control.manager import Manager
from aybiza.gateway.control.text_door import Block

CALL, OTHERS = "9b7ac42e-6a5b-4f3e-8d8e-9e3a1f0b6c21", "another"
NUMBER = "+14155550199"

# What Python's `splitlines` takes for the end of a line, beside the two that a switch ends it with.
LINE_ENDS = ["\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]


@pytest.mark.parametrize("end", [*LINE_ENDS, "\n", "\r"], ids=ascii)
async def test_a_callers_name_does_not_put_somebody_elses_call_in_the_place_of_ones_own(
    end: str,
) -> None:
    board = Switch()
    others, own = board.place(OTHERS), board.place(CALL)
    own.name = f"Anna{end}Channel: {others.channel}"
    start = Start(CALL, CALL, "", ("inbound",), MULAW_8000_MONO, {})
    async with ManagerDoor(board) as door:
        await Manager(door.address, USER, SECRET).hang_up(start)
    assert (others.ordered, own.ordered) == ("", "kill")


@pytest.mark.parametrize("end", [*LINE_ENDS, "\n", "\r"], ids=ascii)
async def test_a_callers_name_does_not_make_a_call_of_somebody_else_ones_own(end: str) -> None:
    board = Switch()
    own, others = board.place(CALL), board.place(OTHERS)
    others.name = f"Anna{end}Variable: CALL={CALL}"
    start = Start(CALL, CALL, "", ("inbound",), MULAW_8000_MONO, {})
    async with ManagerDoor(board) as door:
        await Manager(door.address, USER, SECRET).hang_up(start)
    assert (others.ordered, own.ordered) == ("", "kill")


@pytest.mark.parametrize("end", LINE_ENDS, ids=ascii)
def test_a_callers_name_tells_nothing_of_a_transfer(end: str) -> None:
    kind = ("Content-Type", "text/event-plain")
    for name in (f"Anna{end}Event-Name: CHANNEL_BRIDGE", quote("Anna\nEvent-Name: CHANNEL_BRIDGE")):
        event = f"Event-Name: CHANNEL_STATE\nUnique-ID: {CALL}\nCaller-Caller-ID-Name: {name}\n"
        assert _outcome(Block([kind], event, dict([kind])), CALL) is None
