"""The emulated manager interface is as strict as Asterisk's."""

from __future__ import annotations

import asyncio

import pytest

from aybiza.emulators.phone.manager import SECRET, USER, ManagerDoor
from aybiza.emulators.phone.switch import Switch

LOGIN = f"Action: Login|Username: {USER}|Secret: {SECRET}|Events: off"


async def said(*actions: str, board: Switch | None = None, end: str = "\r\n") -> list[str]:
    """What each action is answered with, in one line."""
    answers = []
    async with ManagerDoor(board or Switch()) as door:
        host, _, port = door.address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        assert (await reader.readline()).startswith(b"Asterisk Call Manager/")
        try:
            for action in actions:
                writer.write((action.replace("|", end) + end * 2).encode())
                async with asyncio.timeout(0.5):
                    answer = (await reader.readuntil(b"\r\n\r\n")).decode()
                answers.append(answer.strip().replace("\r\n", " | "))
        finally:
            writer.close()
    return answers


async def test_who_has_not_logged_in_may_do_nothing() -> None:
    assert await said("Action: Status") == ["Response: Error | Message: Permission denied"]


async def test_who_gives_a_wrong_secret_is_put_out() -> None:
    wrong = LOGIN.replace(SECRET, "wrong")
    assert await said(wrong) == ["Response: Error | Message: Authentication failed"]
    with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
        await said(wrong, "Action: Status")


async def test_lines_that_do_not_end_with_both_are_no_action() -> None:
    with pytest.raises(TimeoutError):
        await said(LOGIN, end="\n")


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        ("Action: Dance", "Error | Message: Invalid/unknown command"),
        ("Action: Hangup", "Error | Message: Channel not specified"),
        ("Action: Hangup|Channel: PJSIP/gone", "Error | Message: No such channel"),
        ("Action: Redirect|Channel: x|Context: a|Exten: s", "Error | Message: Priority not"),
        (
            "Action: Redirect|Channel: x|Context: a|Exten: s|Priority: 1",
            "Error | Message: Channel does not exist: x",
        ),
        ("Action: Setvar|Channel: x|Variable: a", "Error | Message: Value not specified"),
        ("Action: Status|ActionID: 7", "Success | ActionID: 7 | EventList: start"),
        ("Action: Logoff", "Goodbye"),
    ],
)
async def test_what_is_wrong_is_refused_in_its_words(action: str, answer: str) -> None:
    assert (await said(LOGIN, action))[1].startswith(f"Response: {answer}")


async def test_a_redirect_to_a_place_that_nobody_knows_loses_the_call() -> None:
    board = Switch()
    call = board.place("c")
    where = f"Channel: {call.channel}|Context: elsewhere|Exten: s|Priority: 1"
    await said(LOGIN, f"Action: Redirect|{where}", board=board)
    assert call.ordered == "kill"
