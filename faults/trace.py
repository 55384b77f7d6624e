"""The trace of a world: what happened, in order, as data and as text for people.

    12.340  CallActor#41     -> SpeakerActor#40   Speak(turn=1, seq=2, generation=0)
    12.340  CallActor#41     exit  killed
    12.341  CallActor#43     restarted
    13.020  telephone        hears 'On Saturdays we close at noon.'

The same world, plan and seed give the same text, byte for byte. Messages are noted only where
`messages` asks for it, and shown by their type and by the fields that are plain values; no text
that was said is hidden, for nobody said it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

from aybiza.actors.runtime.messages import Call, Cast, System
from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.process import Process
from aybiza.actors.runtime.reasons import Crashed

_SHOWN = 90
_PLAIN = (str, int, float, bool, type(None))


class Happened(NamedTuple):
    """One event: `kind` is `send`, `start`, `exit`, `restart`, `fault`, `door`, `entry` or `line`;
    `who` it is about, `what` it was, `to` whom a message went."""

    at: float
    kind: str
    who: str
    what: str
    to: str = ""

    def __str__(self) -> str:
        if self.kind == "send":
            return f"{self.at:9.3f}  {self.who:<22} -> {self.to:<22} {self.what}"
        return f"{self.at:9.3f}  {self.who:<22} {self.kind:<7} {self.what}".rstrip()


class Trace:
    """See the module. `now` is the clock of the world; `most` events are kept, the newest."""

    def __init__(
        self, now: Callable[[], float], *, messages: bool = False, most: int | None = None
    ) -> None:
        self.messages = messages
        self.now = now
        self._events: deque[Happened] = deque(maxlen=most)

    def note(self, kind: str, who: str, what: str = "", to: str = "") -> None:
        """Something happened now."""
        self._events.append(Happened(self.now(), kind, who, what, to))

    def sent(self, sender: Process | None, to: Process, message: Any) -> None:
        """A message reached a mailbox."""
        if self.messages:
            self.note("send", called(sender), shown(message), called(to))

    def clear(self) -> None:
        """Forget what has happened so far."""
        self._events.clear()

    def __iter__(self) -> Iterator[Happened]:
        return iter(self._events)

    def __len__(self) -> int:
        return len(self._events)

    def of(self, *kinds: str) -> list[Happened]:
        """The events of these kinds."""
        return [event for event in self._events if event.kind in kinds]

    def text(self) -> str:
        """All of it, a line an event."""
        return "\n".join(map(str, self._events)) + "\n"


def called(process: Process | None) -> str:
    """A process by its label and number, on one of several nodes by its node, too; `world` for what
    is none."""
    if process is None:
        return "world"
    return f"{getattr(process.vm, 'prefix', '')}{process.label}#{process.pid.serial}"


def type_of(message: Any) -> str:
    """The name by which plans and traces know a message: a string itself, else its type."""
    kind = type(message)
    if issubclass(kind, str):
        return str(message)
    if issubclass(kind, System):
        return str(message.name)
    return type_of(message.request) if issubclass(kind, Cast | Call) else kind.__name__


def shown(value: Any) -> str:
    """A message as a person wants to see it, on one line, the same in every run."""
    if isinstance(value, System):
        return f"system {value.name}"
    if isinstance(value, Cast):
        return f"cast {shown(value.request)}"
    if isinstance(value, Call):
        return f"call {shown(value.request)}"
    return _cut(_text(value))


def reason_text(reason: Any) -> str:
    """An exit reason on one line."""
    if isinstance(reason, Crashed):
        return _cut(f"crash {type(reason.exception).__name__}: {reason.exception}")
    return _cut(_text(reason))


def _text(value: Any) -> str:
    if isinstance(value, Pid):
        return f"#{value.serial}"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, _PLAIN):
        return repr(value) if not isinstance(value, str) else value
    if isinstance(value, tuple):
        return f"({', '.join(_text(one) for one in value)})"
    if is_dataclass(value) and not isinstance(value, type):
        return f"{type(value).__name__}({_fields(value)})"
    return type(value).__name__


def _fields(value: Any) -> str:
    plain = (str, int, float, bool, Pid, bytes)
    told = ((field.name, getattr(value, field.name)) for field in fields(value))
    return ", ".join(f"{name}={_field(one)}" for name, one in told if isinstance(one, plain))


def _field(value: Any) -> str:
    return repr(value) if isinstance(value, str) else _text(value)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"
