"""What is told of a call that somebody looks at: its journal, and how loud both sides are.

`told` cuts a journal's rows to what an operator reads: who said what, what was heard of it, where
the caller broke in, which tools ran; not what tools were given and gave back. `Ear` measures: the
caller's level is the peak of the audio since it was last asked, from 0 to 1; the agent's is 1 while
there is something to hear.

Contract: pure. Errors: none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from aybiza.actors.memory.store import Row
from aybiza.speech.line import Line
from aybiza.speech.mulaw import decode

MOST_ROWS: Final = 400
"""Rows that are told at once; the rest follows with the next look."""

MOST_BYTES: Final = 4000
"""Of the caller's newest audio, at 8000 a second."""

_FULL: Final = 32768.0

Told = list[Any]


def told(rows: Sequence[Row], written: int) -> list[Told]:
    """The rows behind number `written`: [number, unix time, entry]."""
    first = len(rows)
    while first and rows[first - 1].number > written:
        first -= 1
    return [[row.number, row.at, _shown(row.entry)] for row in rows[first : first + MOST_ROWS]]


def _shown(entry: dict[str, Any]) -> dict[str, Any]:
    match entry.get("type"):
        case "tool_exchange":
            uses = entry.get("uses", ())
            tools = [str(use.get("toolUse", {}).get("name", "")) for use in uses]
            failed = any(
                result.get("toolResult", {}).get("status") == "error"
                for result in entry.get("results", ())
            )
            turn = entry.get("turn")
            return {"type": "tool_exchange", "turn": turn, "tools": tools, "failed": failed}
        case "condensed":
            return {"type": "condensed", "turn": entry.get("turn")}
    return entry


class Ear:
    """See the module."""

    def __init__(self) -> None:
        self._heard: int | None = None

    def level(self, line: Line, now: float) -> list[float]:
        """How loud the caller was since the last time, and whether the agent is to be heard."""
        end = line.ring.end
        since = end if self._heard is None else max(self._heard, end - MOST_BYTES)
        self._heard = end
        audio = line.ring.since(since)[1] if end > since else b""
        peak = float(np.abs(decode(audio).astype(np.int32)).max()) / _FULL if audio else 0.0
        return [round(peak, 3), 1.0 if line.ledger.ahead(now) > 0 else 0.0]
