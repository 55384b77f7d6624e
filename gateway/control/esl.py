"""FreeSWITCH's control door: the event socket, inbound mode.

A call is ended by `uuid_kill`. It is put through by `uuid_transfer` to the extension
`aybiza-transfer` (`deploy/freeswitch/aybiza.xml`), which finds number and seconds in the channel's
variables, rings there, and starts the fork again where nobody answers. What comes of it is told by
the channel's events: bridged is reached.

Errors: `ControlError`. Source: FreeSWITCH, "mod_event_socket" (auth, api, event, filter,
disconnect-notice) and "mod_commands"; Q.850 causes as FreeSWITCH names them.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import unquote

from aybiza.dialogue.journal import REACHED
from aybiza.dialogue.transfer import DECLINED, FAILED, GAVE_UP
from aybiza.gateway.carriers.codec import Start
from aybiza.gateway.control.control import (
    HANG_UP_SECONDS,
    RINGING_MORE_SECONDS,
    ControlError,
    checked_number,
)
from aybiza.gateway.control.text_door import Block, TextDoor, limited

EXTENSION: Final = "aybiza-transfer"
END: Final = "\n"
NO_CHANNEL: Final = "No such channel"
_CALL: Final = re.compile(r"[0-9A-Za-z_.:-]{1,64}\Z", re.ASCII)

_OUTCOMES: Final[Mapping[str, str]] = {
    "USER_BUSY": "busy",
    "NO_ANSWER": "no-answer",
    "NO_USER_RESPONSE": "no-answer",
    "ALLOTTED_TIMEOUT": "no-answer",
    "PROGRESS_TIMEOUT": "no-answer",
    "CALL_REJECTED": DECLINED,
    "ORIGINATOR_CANCEL": GAVE_UP,
}
"""What became of a bridge that did not come about; anything else is a failure."""

_EVENTS: Final = "CHANNEL_BRIDGE CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP_COMPLETE"


class EventSocket:
    """See the module. `where`: host:port."""

    def __init__(self, where: str, password: str) -> None:
        self._where = where
        self._password = password

    async def hang_up(self, start: Start) -> None:
        """See `Control`."""
        call = _checked_call(start)
        async with limited("FreeSWITCH", HANG_UP_SECONDS, "end the call"), self._opened() as door:
            said = await _api(door, f"uuid_kill {call} NORMAL_CLEARING")
            if not said.startswith("+OK") and NO_CHANNEL not in said:
                raise ControlError(f"FreeSWITCH has not ended the call: {said[:80]}")

    async def put_through(self, start: Start, number: str, seconds: int) -> str:
        """See `Switch`."""
        call, to = _checked_call(start), checked_number(number)
        limit = limited(
            "FreeSWITCH", seconds + RINGING_MORE_SECONDS, "tell what came of the transfer"
        )
        async with limit, self._opened() as door:
            async with limited("FreeSWITCH", HANG_UP_SECONDS, "take the transfer"):
                await _command(door, f"filter Unique-ID {call}")
                await _command(door, f"event plain {_EVENTS}")
                variables = f"aybiza_to={to};aybiza_seconds={seconds}"
                for order in (
                    f"uuid_setvar_multi {call} {variables}",
                    f"uuid_transfer {call} {EXTENSION}",
                ):
                    said = await _api(door, order)
                    if NO_CHANNEL in said:
                        return GAVE_UP
                    if not said.startswith("+OK"):
                        raise ControlError(f"FreeSWITCH has not put the call through: {said[:80]}")
            while True:
                outcome = _outcome(await door.read(), call)
                if outcome is not None:
                    return outcome

    async def aclose(self) -> None:
        """See `Control`. Each connection has been closed by whoever opened it."""

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[TextDoor]:
        """A connection that is let in."""
        async with TextDoor.opened(self._where, END) as door:
            async with limited("FreeSWITCH", HANG_UP_SECONDS, "let this node in"):
                greeting = await door.read()
                if greeting["Content-Type"] != "auth/request":
                    said = greeting.body.strip() or greeting["Content-Type"]
                    raise ControlError(f"FreeSWITCH does not let this machine in: {said[:80]}")
                door.write(f"auth {self._password}")
                reply = (await _read(door, "command/reply"))["Reply-Text"]
            if not reply.startswith("+OK"):
                raise ControlError(
                    f"FreeSWITCH refuses the password: {reply[:40]}; look at"
                    " AYBIZA_FREESWITCH_PASSWORD"
                )
            yield door


async def _command(door: TextDoor, command: str) -> None:
    door.write(command)
    reply = (await _read(door, "command/reply"))["Reply-Text"]
    if not reply.startswith("+OK"):
        raise ControlError(f"FreeSWITCH refuses {command.split(maxsplit=1)[0]}: {reply[:80]}")


async def _api(door: TextDoor, command: str) -> str:
    """What the command answers. Events that come before it were of no call that is on its way."""
    door.write(f"api {command}")
    return (await _read(door, "api/response")).body.strip()


async def _read(door: TextDoor, kind: str) -> Block:
    while True:
        block = await door.read()
        if block["Content-Type"] == kind:
            return block
        if block["Content-Type"] == "text/disconnect-notice":
            raise ControlError("FreeSWITCH has closed the connection")


def _outcome(block: Block, call: str) -> str | None:
    """What an event says of the transfer; None if nothing."""
    if block["Content-Type"] == "text/disconnect-notice":
        raise ControlError("FreeSWITCH has closed the connection")
    if block["Content-Type"] != "text/event-plain":
        return None
    event = Block.of(block.body, END)
    if event["Unique-ID"] != call:
        return None
    match event["Event-Name"], event["Application"]:
        case "CHANNEL_BRIDGE", _:
            return REACHED
        case "CHANNEL_EXECUTE_COMPLETE", "bridge":
            cause = unquote(event["variable_originate_disposition"])
            return REACHED if cause == "SUCCESS" else _OUTCOMES.get(cause, FAILED)
        case "CHANNEL_HANGUP_COMPLETE", _:
            return GAVE_UP
    return None


def _checked_call(start: Start) -> str:
    if not _CALL.match(start.call_sid):
        raise ControlError("the call has no id that FreeSWITCH could have given it")
    return start.call_sid
