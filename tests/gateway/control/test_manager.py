"""Asterisk's manager interface: what is said to it, and that nothing it says does harm."""

from __future__ import annotations

import asyncio
import time

import pytest

from aybiza.emulators.phone.manager import SECRET, USER, ManagerDoor
from aybiza.emulators.phone.switch import Switch
from aybiza.gateway.carriers.codec import MULAW_8000_MONO, Start
from aybiza.gateway.control import manager
from aybiza.gateway.control.control import ControlError
from aybiza.gateway.control.manager import Manager
from tests.gateway.control.kit import stranger
from tests.slowness import slowness

CALL = "9b7ac42e-6a5b-4f3e-8d8e-9e3a1f0b6c21"
NUMBER = "+14155550199"
START = Start(CALL, CALL, "", ("inbound",), MULAW_8000_MONO, {})


async def told(board: Switch, what: str) -> None:
    """Once the transfer was ordered, this happens; first another call is answered."""
    call = board.calls[CALL]
    await call.asked.wait()
    board.tell("answered", board.calls["another"])
    board.tell(what, call)


@pytest.mark.parametrize(
    ("what", "outcome"),
    [
        ("answered", "completed"),
        ("busy", "busy"),
        ("no-answer", "no-answer"),
        ("declined", "declined"),
        ("failed", "failed"),
        ("canceled", "canceled"),
        ("gone", "canceled"),
    ],
)
async def test_what_came_of_a_transfer_is_told_by_events(what: str, outcome: str) -> None:
    board = Switch()
    board.place("another")
    board.place(CALL)
    async with ManagerDoor(board) as door:
        telling = asyncio.ensure_future(told(board, what))
        made = Manager(door.address, USER, SECRET)
        assert await made.put_through(START, NUMBER, 5) == outcome
        await telling
    assert [fields["Action"] for fields in door.said] == ["Status", "Setvar", "Setvar", "Redirect"]
    assert board.calls[CALL].variables == {"to": NUMBER, "seconds": "5"}
    assert board.calls["another"].variables == {}
    assert door.said[-1]["Channel"] == board.calls[CALL].channel


async def test_a_call_is_ended_and_one_that_is_gone_has_been() -> None:
    board = Switch()
    board.place(CALL)
    async with ManagerDoor(board) as door:
        made = Manager(door.address, USER, SECRET)
        await made.hang_up(START)
        assert board.took == [("kill", "")]
        board.leave(board.calls[CALL])
        await made.hang_up(START)
        assert await made.put_through(START, NUMBER, 5) == "canceled"
    assert len(board.took) == 1


async def failure(address: str, secret: str = SECRET) -> str:
    with pytest.raises(ControlError) as caught:
        await Manager(address, USER, secret).hang_up(START)
    return str(caught.value)


async def test_a_wrong_secret_and_a_closed_door_say_what_to_do() -> None:
    async with ManagerDoor(Switch()) as door:
        said = await failure(door.address, "wrong")
    assert "look at AYBIZA_ASTERISK_USER and AYBIZA_ASTERISK_SECRET" in said
    assert "wrong" not in said
    assert "cannot be reached (ConnectionRefusedError)" in await failure(door.address)


async def test_a_number_that_a_dialplan_could_read_otherwise_is_refused_here() -> None:
    async with ManagerDoor(Switch()) as door:
        for number in ("+14155550199&PJSIP/x", "+1,2", "sip:a@b)", "9664"):
            with pytest.raises(ControlError, match="could take for its own"):
                await Manager(door.address, USER, SECRET).put_through(START, number, 5)
    assert door.said == []


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", "is no manager interface"),
        (b"Asterisk Call Manager/9\r\n" + b"x" * 300_000, "more than anybody reads"),
        (b"Asterisk Call Manager/9\r\nResponse: Suc", "has closed the connection"),
        (b"", "has closed the connection"),
    ],
)
async def test_whatever_a_stranger_says_is_a_failure_in_words(says: bytes, why: str) -> None:
    async with stranger(says) as address:
        assert why in await failure(address)


async def test_a_door_that_does_not_answer_is_waited_for_in_bounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(manager, "HANG_UP_SECONDS", 0.1)
    monkeypatch.setattr(manager, "RINGING_MORE_SECONDS", 0.3)
    board = Switch()
    board.place(CALL)
    async with ManagerDoor(board) as door:
        made = Manager(door.address, USER, SECRET)
        began = time.monotonic()
        with pytest.raises(ControlError, match=r"tell what came of the transfer within 0\.3 s"):
            await made.put_through(START, NUMBER, 0)
        door.deaf = True
        assert "within 0.1 s" in await failure(door.address)
        assert time.monotonic() - began < 3.0 * slowness()
