"""Asterisk's control door: the manager interface (AMI).

The call's channel is the one whose variable `CALL` is the AudioSocket's UUID. It is ended by
`Hangup`. It is put through by `Redirect` to the context `aybiza-transfer`
(`deploy/asterisk/extensions.conf`), which finds number and seconds in the channel's variables,
rings there, and goes back to AudioSocket where nobody answers. That somebody answers is told by
`DialEnd`, anything else by the dialplan's own event, for Asterisk says nothing of a dial that never
began.

Errors: `ControlError`. Source: Asterisk, "AMI v2 specification"; AMI actions Login, Status, Setvar,
Redirect, Hangup; AMI events DialEnd, Hangup, UserEvent; "Dial()", `DIALSTATUS`; Q.850 causes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

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

CONTEXT: Final = "aybiza-transfer"
BANNER: Final = "Asterisk Call Manager/"
TOLD: Final = "AybizaTransfer"
"""The dialplan's own event: what came of the dial, in `Status` and `Cause`."""

_REJECTED: Final = "21"
_OUTCOMES: Final[Mapping[str, str]] = {
    "ANSWER": REACHED,
    "BUSY": "busy",
    "NOANSWER": "no-answer",
    "CANCEL": GAVE_UP,
}
"""What `DIALSTATUS` says; anything else is a failure."""


class Manager:
    """See the module. `where`: host:port."""

    def __init__(self, where: str, user: str, secret: str) -> None:
        self._where = where
        self._user = user
        self._secret = secret

    async def hang_up(self, start: Start) -> None:
        """See `Control`."""
        async with (
            limited("Asterisk", HANG_UP_SECONDS, "end the call"),
            self._opened("off") as door,
        ):
            channel = await _channel(door, start.call_sid)
            if channel is not None:
                await _done(door, "Hangup", Channel=channel, Cause="16")

    async def put_through(self, start: Start, number: str, seconds: int) -> str:
        """See `Switch`."""
        to = checked_number(number)
        limit = limited(
            "Asterisk", seconds + RINGING_MORE_SECONDS, "tell what came of the transfer"
        )
        async with limit, self._opened("call,user") as door:
            async with limited("Asterisk", HANG_UP_SECONDS, "take the transfer"):
                channel = await _channel(door, start.call_sid)
                if channel is None:
                    return GAVE_UP
                for name, value in (("PUT_TO", to), ("PUT_SECONDS", str(seconds))):
                    await _done(door, "Setvar", Channel=channel, Variable=name, Value=value)
                where = {"Context": CONTEXT, "Exten": "s", "Priority": "1"}
                if not await _done(door, "Redirect", Channel=channel, **where):
                    return GAVE_UP
            while True:
                outcome = _outcome(await door.read(), channel, start.call_sid)
                if outcome is not None:
                    return outcome

    async def aclose(self) -> None:
        """See `Control`. Each connection has been closed by whoever opened it."""

    @asynccontextmanager
    async def _opened(self, events: str) -> AsyncIterator[TextDoor]:
        """A connection that is let in, and told of these classes of events."""
        async with TextDoor.opened(self._where, "\r\n") as door:
            async with limited("Asterisk", HANG_UP_SECONDS, "let this node in"):
                banner = await door.line()
                if not banner.startswith(BANNER):
                    raise ControlError(f"{self._where} is no manager interface: {banner[:40]!r}")
                login = {"Username": self._user, "Secret": self._secret, "Events": events}
                reply = await _asked(door, "Login", login)
            if reply["Response"] != "Success":
                raise ControlError(
                    f"Asterisk refuses the login: {reply['Message'][:40]}; look at"
                    " AYBIZA_ASTERISK_USER and AYBIZA_ASTERISK_SECRET"
                )
            yield door


async def _channel(door: TextDoor, call: str) -> str | None:
    """The name of the call's channel; None if it is gone."""
    reply = await _asked(door, "Status", {"Variables": "CALL"})
    if reply["Response"] != "Success":
        raise ControlError(f"Asterisk refuses Status: {reply['Message'][:80]}")
    found = None
    while True:
        block = await door.read()
        if block["ActionID"] != "Status":
            continue
        if block["Event"] == "StatusComplete":
            return found
        if ("Variable", f"CALL={call}") in block.lines:
            found = block["Channel"]


async def _done(door: TextDoor, action: str, **fields: str) -> bool:
    """Whether the channel was there for it."""
    reply = await _asked(door, action, fields)
    if reply["Response"] == "Success":
        return True
    if reply["Message"].startswith(("No such channel", "Channel does not exist")):
        return False
    raise ControlError(f"Asterisk refuses {action}: {reply['Message'][:80]}")


async def _asked(door: TextDoor, action: str, fields: Mapping[str, str]) -> Block:
    lines = [f"{name}: {value}" for name, value in fields.items()]
    door.write(f"Action: {action}", f"ActionID: {action}", *lines)
    while True:
        block = await door.read()
        if block["Response"] and block["ActionID"] == action:
            return block


def _outcome(block: Block, channel: str, call: str) -> str | None:
    """What an event says of the transfer; None if nothing."""
    match block["Event"]:
        case "DialEnd" if block["Channel"] == channel and block["DialStatus"] == "ANSWER":
            return REACHED
        case "UserEvent" if block["UserEvent"] == TOLD and block["Call"] == call:
            if block["Cause"] == _REJECTED:
                return DECLINED
            return _OUTCOMES.get(block["Status"], FAILED)
        case "Hangup" if block["Channel"] == channel:
            return GAVE_UP
    return None
