"""Faults on demand, and the journal of what happened.

A fault is taken once, by the next socket of its door that reaches it:

    refuse(status)   the handshake is answered with this HTTP status and a `dg-error`
    close(code)      the socket is closed with this code `after` seconds of its life
    abort            the connection is cut `after` seconds of its life
    stall            nothing is sent any more `after` seconds of its life
    unknown          a message of an unknown type is sent `after` seconds of its life
    malformed        a message that is not JSON is sent `after` seconds of its life

Times in the journal are seconds of `time.monotonic`, which all processes of a machine share.

Errors: `ValueError` for a fault that there cannot be, saying what is allowed.
"""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal, cast, get_args

Door = Literal["listen", "speak"]
Kind = Literal["refuse", "close", "abort", "stall", "unknown", "malformed"]
DOORS: tuple[Door, ...] = get_args(Door)
KINDS: tuple[Kind, ...] = get_args(Kind)

JOURNAL_LIMIT = 10_000
REFUSAL_STATUS = 503
CLOSE_CODE = 1011

_FIRST_ERROR = 400
_REFUSALS = frozenset(status.value for status in HTTPStatus if status.value >= _FIRST_ERROR)
# Those that may stand in a close frame.
_CLOSE_CODES = frozenset((*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)))


@dataclass(frozen=True, slots=True)
class Fault:
    """See the module; `code` is an HTTP status for `refuse`, a close code for `close`."""

    door: Door
    kind: Kind
    code: int = CLOSE_CODE
    after: float = 0.0

    def __post_init__(self) -> None:
        if self.door not in DOORS:
            raise ValueError(f"door is one of {', '.join(DOORS)}, not {self.door!r}")
        if self.kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}, not {self.kind!r}")
        if not (math.isfinite(self.after) and self.after >= 0):
            raise ValueError(f"after is a number of seconds from 0, not {self.after}")
        if self.kind == "refuse" and self.code not in _REFUSALS:
            raise ValueError(f"the code of a refusal is an HTTP status from 400, not {self.code}")
        if self.kind == "close" and self.code not in _CLOSE_CODES:
            raise ValueError(f"code is a close code that may be sent, not {self.code}")


def fault(door: str, kind: str, code: str | None = None, after: str | None = None) -> Fault:
    """The fault that words describe."""
    default = REFUSAL_STATUS if kind == "refuse" else CLOSE_CODE
    return Fault(
        cast(Door, door),
        cast(Kind, kind),
        default if code is None else _whole(code),
        0.0 if after is None else number("after", after),
    )


def number(name: str, text: str) -> float:
    """The number that `text` says; `name` is for the error."""
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} is a number, not {text!r}") from None


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"code is a whole number, not {text!r}") from None


class Faults:
    """The faults that wait to be taken, in order."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Have the next socket of the fault's door take it."""
        self._waiting.append(fault)

    def take(self, door: Door, refusing: bool) -> Fault | None:
        """The next fault of `door`: a refusal, or one for an open socket."""
        for fault in self._waiting:
            if fault.door == door and (fault.kind == "refuse") is refusing:
                self._waiting.remove(fault)
                return fault
        return None


class Journal:
    """What happened, as JSON-able dicts with `at`, `session` and `what`; the oldest go first."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=JOURNAL_LIMIT)

    def note(self, session: str, what: str, **more: Any) -> None:
        """Enter something that happened now."""
        self._entries.append({"at": time.monotonic(), "session": session, "what": what, **more})

    def entries(self, what: str | None = None) -> list[dict[str, Any]]:
        """All entries, or those about `what`, in order."""
        return [entry for entry in self._entries if what in (None, entry["what"])]
