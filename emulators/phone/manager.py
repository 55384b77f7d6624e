"""Asterisk's manager interface for a `Switch`.

Contract: as strict as the real one. Lines end with CR and LF, an action with an empty line; who has
not logged in may do nothing else, and is put out after a wrong secret; an action nobody knows, a
channel that is gone and a field that is missing are errors; events come only in the classes that
the login asked for. `said` has the actions as they came, without the secret.
Errors: `start` raises `OSError` when the port is taken.
Source: Asterisk, "AMI v2 specification"; AMI actions Login, Logoff, Status, Setvar, Redirect,
Hangup; AMI events DialBegin, DialEnd, Hangup, UserEvent, Status.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from typing import Final

from aybiza.emulators.phone.switch import Switch, SwitchCall
from aybiza.emulators.phone.switch_door import Session, SwitchDoor

USER: Final = "aybiza"
SECRET: Final = "a-secret-of-the-switch"
CONTEXT: Final = "aybiza-transfer"
_STATUSES: Final = {
    "busy": ("BUSY", "17"),
    "no-answer": ("NOANSWER", "19"),
    "declined": ("CONGESTION", "21"),
    "canceled": ("CANCEL", "0"),
    "failed": ("CHANUNAVAIL", "20"),
}
_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "status": (),
    "logoff": (),
    "setvar": ("Variable", "Value"),
    "redirect": ("Channel", "Context", "Exten", "Priority"),
    "hangup": ("Channel",),
}


class ManagerDoor(SwitchDoor):
    """See the module. `deaf`: answers nothing any more."""

    end = b"\r\n\r\n"

    def __init__(self, switch: Switch, secret: str = SECRET) -> None:
        super().__init__(switch)
        self.secret = secret
        self.said: list[dict[str, str]] = []

    def session(self, writer: asyncio.StreamWriter) -> Session:
        return _Session(self, writer)


class _Session(Session):
    """One connection."""

    def __init__(self, door: ManagerDoor, writer: asyncio.StreamWriter) -> None:
        super().__init__(door.switch, writer)
        self._door = door
        self._classes: set[str] = set()
        self._id = ""

    def greet(self) -> None:
        self.writer.write(b"Asterisk Call Manager/9.0.0\r\n")

    def take(self, block: str) -> None:
        """An action."""
        lines = block.split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines if ": " in line)
        action = fields.get("Action", "").lower()
        self._id = fields.get("ActionID", "")
        if action == "login":
            self._login(fields)
            return
        self._door.said.append(fields)
        if not self.let_in:
            self._error("Permission denied")
            return
        needs = _NEEDS.get(action)
        if needs is None:
            self._error("Invalid/unknown command")
            return
        if missing := [name for name in needs if not fields.get(name)]:
            self._error(f"{missing[0]} not specified")
            return
        getattr(self, f"_{action}")(fields)

    def happened(self, what: str, call: SwitchCall) -> None:
        """Something has happened on the switch."""
        if what == "answered":
            self._dial_end(call, "ANSWER")
            return
        if what == "gone":
            self._event("call", "Hangup", Channel=call.channel, Cause="16")
            return
        status, cause = _STATUSES[what]
        if what != "failed":
            self._dial_end(call, status)
        told = {"UserEvent": "AybizaTransfer", "Call": call.id, "Status": status, "Cause": cause}
        self._event("user", "UserEvent", Channel=call.channel, **told)

    def _dial_end(self, call: SwitchCall, status: str) -> None:
        to = f"{call.channel}-to"
        self._event("call", "DialEnd", Channel=call.channel, DestChannel=to, DialStatus=status)

    def _login(self, fields: Mapping[str, str]) -> None:
        secret = fields.get("Secret", "").encode()
        known = fields.get("Username") == USER
        if not known or not hmac.compare_digest(secret, self._door.secret.encode()):
            self._error("Authentication failed")
            self.open = False
            return
        self.let_in = True
        events = fields.get("Events", "on")
        self._classes = set() if events == "off" else set(events.split(","))
        self.switch.listeners.add(self.happened)
        self._success("Authentication accepted")
        self._event("system", "FullyBooted", Status="Fully Booted")

    def _status(self, fields: Mapping[str, str]) -> None:
        self._success("Channel status will follow", EventList="start")
        names = [name for name in fields.get("Variables", "").split(",") if name]
        for call in self.switch.calls.values():
            known = {"CALL": call.id, **call.variables}
            told = [("Variable", f"{name}={known.get(name, '')}") for name in names]
            shown = [("Channel", call.channel), ("CallerIDName", call.name or "<unknown>")]
            self._put([("Event", "Status"), *shown, *told])
        count = str(len(self.switch.calls))
        self._put([("Event", "StatusComplete"), ("EventList", "Complete"), ("Items", count)])

    def _setvar(self, fields: Mapping[str, str]) -> None:
        call = self._found(fields, "No such channel")
        if call is not None:
            name = fields["Variable"].removeprefix("PUT_").lower()
            call.variables[name] = fields["Value"]
            self._success("Variable Set")

    def _redirect(self, fields: Mapping[str, str]) -> None:
        call = self._found(fields, f"Channel does not exist: {fields['Channel']}")
        if call is not None:
            where = (fields["Context"], fields["Exten"], fields["Priority"])
            known = where == (CONTEXT, "s", "1")
            self.switch.order(call, "transfer" if known else "kill")
            self._success("Redirect successful")

    def _hangup(self, fields: Mapping[str, str]) -> None:
        call = self._found(fields, "No such channel")
        if call is not None:
            self.switch.order(call, "kill")
            self._success("Channel Hungup")

    def _logoff(self, fields: Mapping[str, str]) -> None:
        self._put([("Response", "Goodbye"), ("Message", "Thanks for all the fish.")])
        self.open = False

    def _found(self, fields: Mapping[str, str], problem: str) -> SwitchCall | None:
        calls = self.switch.calls.values()
        found = next((call for call in calls if call.channel == fields.get("Channel")), None)
        if found is None:
            self._error(problem)
        return found

    def _success(self, message: str, **more: str) -> None:
        self._put([("Response", "Success"), *more.items(), ("Message", message)])

    def _error(self, message: str) -> None:
        self._put([("Response", "Error"), ("Message", message)])

    def _event(self, kind: str, name: str, **fields: str) -> None:
        if self._classes & {kind, "on", "all"}:
            self._id = ""
            self._put([("Event", name), ("Privilege", f"{kind},all"), *fields.items()])

    def _put(self, lines: list[tuple[str, str]]) -> None:
        lines[1:1] = [("ActionID", self._id)] if self._id else []
        text = "".join(f"{name}: {value}\r\n" for name, value in lines)
        self.writer.write(f"{text}\r\n".encode())
