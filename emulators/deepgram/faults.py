"""Faults on demand, and the journal of what happened.

A fault is taken once, by the next socket of its door that reaches it:

    refuse(status)   the handshake is answered with this HTTP status and a `dg-error`
    close(code)      the socket is closed with this code `after` seconds of its life
    abort            the connection is cut `after` seconds of its life
    stall            nothing is sent any more `after` seconds of its life
    unknown          a message of an unknown type is sent

Times in the journal are seconds of `time.monotonic`, which all processes of a machine share.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Literal

Door = Literal["listen", "speak"]
Kind = Literal["refuse", "close", "abort", "stall", "unknown"]
KINDS: tuple[Kind, ...] = ("refuse", "close", "abort", "stall", "unknown")
JOURNAL_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Fault:
    """See the module; `code` is an HTTP status for `refuse`, a close code for `close`."""

    door: Door
    kind: Kind
    code: int = 1011
    after: float = 0.0


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
