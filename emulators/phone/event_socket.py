"""FreeSWITCH's event socket, inbound mode, for a `Switch`.

Contract: as strict as the real one. Who has not said the password may say nothing else, and is put
out after a wrong one; a command ends with an empty line; a command nobody knows, and an event of no
name, is an error; events come only when they are asked for, to who has a filter only those it lets
through. `said` has the commands as they came, without the password.
Errors: `start` raises `OSError` when the port is taken.
Source: FreeSWITCH, "mod_event_socket", "mod_commands": uuid_kill, uuid_setvar_multi, uuid_transfer.
"""

from __future__ import annotations

import asyncio
import hmac
from typing import Final
from urllib.parse import quote

from aybiza.emulators.phone.switch import Switch, SwitchCall
from aybiza.emulators.phone.switch_door import Session, SwitchDoor

PASSWORD: Final = "a-password-of-the-switch"
EVENTS: Final = frozenset(
    ("ALL", "CHANNEL_BRIDGE", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HANGUP_COMPLETE")
)
EXTENSION: Final = "aybiza-transfer"
_DISPOSITIONS: Final = {
    "busy": "USER_BUSY",
    "no-answer": "NO_ANSWER",
    "declined": "CALL_REJECTED",
    "canceled": "ORIGINATOR_CANCEL",
    "failed": "NORMAL_TEMPORARY_FAILURE",
}


class EventSocketDoor(SwitchDoor):
    """See the module. `deaf`: answers nothing any more; `shut`: lets no machine in, by its ACL."""

    end = b"\n\n"

    def __init__(self, switch: Switch, password: str = PASSWORD) -> None:
        super().__init__(switch)
        self.password = password
        self.said: list[str] = []
        self.shut = False

    def session(self, writer: asyncio.StreamWriter) -> Session:
        return _Session(self, writer)


class _Session(Session):
    """One connection."""

    def __init__(self, door: EventSocketDoor, writer: asyncio.StreamWriter) -> None:
        super().__init__(door.switch, writer)
        self._door = door
        self._events: set[str] = set()
        self._filters: set[str] = set()

    def greet(self) -> None:
        if self._door.shut:
            self.put("text/rude-rejection", body="Access Denied, go away.\n")
            self.open = False
        else:
            self.put("auth/request")

    def put(self, kind: str, reply: str = "", body: str = "") -> None:
        """Send a block."""
        head = f"Content-Type: {kind}\n"
        head += f"Reply-Text: {reply}\n" if reply else ""
        head += f"Content-Length: {len(body.encode())}\n" if body else ""
        self.writer.write(f"{head}\n{body}".encode())

    def take(self, block: str) -> None:
        """A command."""
        block = block.strip("\n")
        command, _, rest = block.split("\n", maxsplit=1)[0].partition(" ")
        if command == "auth":
            self._auth(rest)
            return
        self._door.said.append(block)
        if not self.let_in:
            self._reply("-ERR command not found")
        elif command == "api":
            self.put("api/response", body=self._api(rest))
        elif command == "event":
            self._event(rest)
        elif command == "filter":
            self._filter(rest)
        elif command == "exit":
            self._reply("+OK bye")
            self._disconnect()
        else:
            self._reply("-ERR command not found")

    def happened(self, what: str, call: SwitchCall) -> None:
        """Something has happened on the switch."""
        if what == "answered":
            self._tell("CHANNEL_BRIDGE", call)
        elif what == "gone":
            self._tell("CHANNEL_HANGUP_COMPLETE", call, {"Hangup-Cause": "NORMAL_CLEARING"})
        else:
            told = {"variable_originate_disposition": _DISPOSITIONS[what]}
            for application, more in (("set", {}), ("bridge", told)):
                fields = {"Application": application, **more}
                self._tell("CHANNEL_EXECUTE_COMPLETE", call, fields)

    def _reply(self, text: str) -> None:
        self.put("command/reply", text)

    def _auth(self, password: str) -> None:
        if hmac.compare_digest(password.encode(), self._door.password.encode()):
            self.let_in = True
            self._reply("+OK accepted")
        else:
            self._reply("-ERR invalid")
            self._disconnect()

    def _disconnect(self) -> None:
        self.put("text/disconnect-notice", body="Disconnected, goodbye.\nSee you at ClueCon!\n")
        self.open = False

    def _event(self, rest: str) -> None:
        form, *names = rest.split()
        if form != "plain" or not names or not EVENTS.issuperset(names):
            self._reply("-ERR no keywords supplied")
            return
        self._events.update(names)
        self.switch.listeners.add(self.happened)
        self._reply("+OK event listener enabled plain")

    def _filter(self, rest: str) -> None:
        name, _, value = rest.partition(" ")
        if name != "Unique-ID" or not value:
            self._reply("-ERR invalid syntax")
            return
        self._filters.add(value)
        self._reply(f"+OK filter added. [{name}]=[{value}]")

    def _api(self, rest: str) -> str:
        name, *arguments = rest.split(" ")
        wanted = {"uuid_kill": 1, "uuid_setvar_multi": 2, "uuid_transfer": 2}.get(name)
        if wanted is None:
            return f"-ERR {name} Command not found!\n"
        if len(arguments) < wanted:
            return f"-USAGE: {name}\n"
        call = self.switch.calls.get(arguments[0])
        if call is None:
            return "-ERR No such channel!\n"
        if name == "uuid_kill":
            self.switch.order(call, "kill")
        elif name == "uuid_setvar_multi":
            for pair in arguments[1].split(";"):
                key, _, value = pair.partition("=")
                call.variables[key.removeprefix("aybiza_")] = value
        elif arguments[1] == EXTENSION:
            self.switch.order(call, "transfer")
        else:
            self.switch.order(call, "kill")
        return "+OK\n"

    def _tell(self, event: str, call: SwitchCall, more: dict[str, str] | None = None) -> None:
        if not self._events & {event, "ALL"}:
            return
        if self._filters and call.id not in self._filters:
            return
        fields = {"Event-Name": event, "Unique-ID": call.id, **(more or {})}
        lines = "".join(f"{name}: {quote(value)}\n" for name, value in fields.items())
        self.put("text/event-plain", body=f"{lines}\n")
