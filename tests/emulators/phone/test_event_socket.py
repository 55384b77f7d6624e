"""The emulated event socket is as strict as FreeSWITCH's."""

from __future__ import annotations

import asyncio

import pytest

from aybiza.emulators.phone.event_socket import PASSWORD, EventSocketDoor
from aybiza.emulators.phone.switch import Switch

AUTH = f"auth {PASSWORD}"


async def said(*commands: str, board: Switch | None = None) -> list[str]:
    """What each command is answered with, in one line; behind the greeting."""
    answers = []
    async with EventSocketDoor(board or Switch()) as door:
        host, _, port = door.address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            for command in ("", *commands):
                if command:
                    writer.write(f"{command}\n\n".encode())
                answers.append(await _answer(reader))
        finally:
            writer.close()
    return answers


async def _answer(reader: asyncio.StreamReader) -> str:
    head = (await reader.readuntil(b"\n\n")).decode()
    body = ""
    if "Content-Length: " in head:
        length = int(head.partition("Content-Length: ")[2].split("\n")[0])
        body = (await reader.readexactly(length)).decode()
    return head.strip().replace("\n", " | ") + (f" > {body.strip()}" if body else "")


async def test_who_has_not_said_the_password_may_say_nothing() -> None:
    greeting, refused = await said("api uuid_kill x")
    assert greeting == "Content-Type: auth/request"
    assert refused == "Content-Type: command/reply | Reply-Text: -ERR command not found"


async def test_who_says_a_wrong_password_is_put_out() -> None:
    with pytest.raises(asyncio.IncompleteReadError):
        await said("auth wrong", "", "api uuid_kill x", "api uuid_kill x")


async def test_a_password_lets_in() -> None:
    assert (await said(AUTH))[1] == "Content-Type: command/reply | Reply-Text: +OK accepted"


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("api uuid_kill gone", "-ERR No such channel!"),
        ("api uuid_transfer", "-USAGE: uuid_transfer"),
        ("api originate x", "-ERR originate Command not found!"),
        ("dance", "-ERR command not found"),
        ("event json ALL", "-ERR no keywords supplied"),
        ("event plain CHANNEL_DANCE", "-ERR no keywords supplied"),
        ("filter Unique-ID", "-ERR invalid syntax"),
        ("api uuid_kill c", "+OK"),
        ("event plain CHANNEL_BRIDGE", "+OK event listener enabled plain"),
        ("filter Unique-ID c", "+OK filter added. [Unique-ID]=[c]"),
    ],
)
async def test_what_is_wrong_is_refused_in_its_words(command: str, answer: str) -> None:
    board = Switch()
    board.place("c")
    assert (await said(AUTH, command, board=board))[2].endswith(answer)


async def test_a_transfer_to_an_extension_that_nobody_knows_loses_the_call() -> None:
    board = Switch()
    call = board.place("c")
    await said(AUTH, "api uuid_transfer c elsewhere", board=board)
    assert call.ordered == "kill"
