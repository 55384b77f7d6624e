"""FreeSWITCH's event socket: what is said to it, and that nothing it says does harm."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from aybiza.emulators.phone.event_socket import PASSWORD, EventSocketDoor
from aybiza.emulators.phone.switch import Switch
from aybiza.gateway.carriers.codec import MULAW_8000_MONO, Start
from aybiza.gateway.control import esl
from aybiza.gateway.control.control import ControlError
from aybiza.gateway.control.esl import EventSocket
from tests.gateway.control.kit import stranger
from tests.slowness import slowness

CALL = "9b7ac42e-6a5b-4f3e-8d8e-9e3a1f0b6c21"
NUMBER = "+14155550199"


def start(call: str = CALL) -> Start:
    return Start(call, call, "", ("inbound",), MULAW_8000_MONO, {})


async def told(board: Switch, what: str) -> None:
    """Once the transfer was ordered, this happens."""
    call = board.calls[CALL]
    await call.asked.wait()
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
async def test_what_came_of_a_transfer_is_told_by_the_channels_events(
    what: str, outcome: str
) -> None:
    board = Switch()
    board.place(CALL)
    board.place("another")
    async with EventSocketDoor(board) as door:
        telling = asyncio.ensure_future(told(board, what))
        board.listeners.add(lambda *_: None)
        socket = EventSocket(door.address, PASSWORD)
        assert await socket.put_through(start(), NUMBER, 5) == outcome
        await telling
    assert door.said == [
        f"filter Unique-ID {CALL}",
        "event plain CHANNEL_BRIDGE CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP_COMPLETE",
        f"api uuid_setvar_multi {CALL} aybiza_to={NUMBER};aybiza_seconds=5",
        f"api uuid_transfer {CALL} aybiza-transfer",
    ]


async def test_events_of_other_calls_mean_nothing() -> None:
    board = Switch()
    board.place(CALL)
    other = board.place("another")

    async def both() -> None:
        await board.calls[CALL].asked.wait()
        board.tell("answered", other)
        board.tell("busy", board.calls[CALL])

    async with EventSocketDoor(board) as door:
        telling = asyncio.ensure_future(both())
        said = await EventSocket(door.address, PASSWORD).put_through(start(), NUMBER, 5)
        await telling
    assert said == "busy"


async def test_a_call_that_is_gone_is_neither_put_through_nor_a_failure_to_end() -> None:
    async with EventSocketDoor(Switch()) as door:
        socket = EventSocket(door.address, PASSWORD)
        assert await socket.put_through(start(), NUMBER, 5) == "canceled"
        await socket.hang_up(start())


@pytest.mark.parametrize(
    "number", ["+1415 5550199", "+14155550199;x=y", "sip:a@b,c", "loopback/9664", "", "sip:a@b\n"]
)
async def test_a_number_that_a_dialplan_could_read_otherwise_is_refused_here(number: str) -> None:
    async with EventSocketDoor(Switch()) as door:
        with pytest.raises(ControlError, match="could take for its own"):
            await EventSocket(door.address, PASSWORD).put_through(start(), number, 5)
    assert door.said == []


@pytest.mark.parametrize("call", ["a b", "a\nb", "", "x" * 65])
async def test_a_call_whose_id_could_be_a_command_is_refused_here(call: str) -> None:
    async with EventSocketDoor(Switch()) as door:
        with pytest.raises(ControlError, match="no id"):
            await EventSocket(door.address, PASSWORD).hang_up(start(call))
    assert door.said == []


async def failure(address: str, password: str = PASSWORD) -> str:
    with pytest.raises(ControlError) as caught:
        await EventSocket(address, password).hang_up(start())
    return str(caught.value)


async def test_a_wrong_password_a_closed_door_and_an_acl_say_what_to_do() -> None:
    async with EventSocketDoor(Switch()) as door:
        said = await failure(door.address, "wrong")
        assert "look at AYBIZA_FREESWITCH_PASSWORD" in said and "wrong" not in said
        door.shut = True
        assert "does not let this machine in: Access Denied" in await failure(door.address)
    assert "cannot be reached (ConnectionRefusedError)" in await failure(door.address)


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (b"\x00" * 300_000, "more than anybody reads"),
        (b"Content-Type: auth/request\nContent-Length: 99999999\n\n", "announces a body"),
        (b"Content-Type: auth/request\nContent-Length: 9\n\nab", "has closed the connection"),
        (b"", "has closed the connection"),
        (b"HTTP/1.1 200 OK\n\n", "does not let this machine in"),
    ],
)
async def test_whatever_a_stranger_says_is_a_failure_in_words(says: bytes, why: str) -> None:
    async with stranger(says) as address:
        assert why in await failure(address)


def ends(socket: EventSocket) -> object:
    return socket.hang_up(start())


def puts(socket: EventSocket) -> object:
    return socket.put_through(start(), NUMBER, 0)


@pytest.mark.parametrize("act", [ends, puts])
async def test_a_door_that_does_not_answer_is_waited_for_in_bounds(
    act: Callable[[EventSocket], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(esl, "HANG_UP_SECONDS", 0.1)
    monkeypatch.setattr(esl, "RINGING_MORE_SECONDS", 0.3)
    board = Switch()
    board.place(CALL)
    async with EventSocketDoor(board) as door:
        for deaf in (True, False):
            door.deaf = deaf
            if act is ends and not deaf:
                continue
            began = time.monotonic()
            with pytest.raises(ControlError, match=r"within 0\.\d s"):
                await act(EventSocket(door.address, PASSWORD))  # type: ignore[misc]
            assert time.monotonic() - began < 2.0 * slowness()
