"""What is told of a call that somebody looks at: its journal, and how loud both sides are.

`told` cuts a journal's rows to what an operator reads: who said what, what was heard of it, where
the caller broke in, which tools ran; not what tools were given and gave back. `Ear` measures both
sides of a line, and has the line put down what it needs for that until it is closed.

Contract: pure but for `Line.said`. Errors: none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from aybiza.actors.memory.store import Row
from aybiza.speech.line import Line
from aybiza.speech.loudness import STEP_BYTES, STEP_SECONDS, Loudness, peaks

MOST_ROWS: Final = 400
"""Rows that are told at once; the rest follows with the next look."""

Told = list[Any]


def told(rows: Sequence[Row], written: int, most: int = MOST_ROWS) -> list[Told]:
    """The rows behind number `written`, so many at most: [number, unix time, entry]."""
    first = len(rows)
    while first and rows[first - 1].number > written:
        first -= 1
    return [[row.number, row.at, _shown(row.entry)] for row in rows[first : first + most]]


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
        self._line: Line | None = None
        self._heard = 0

    def levels(self, line: Line, now: float) -> dict[str, Any]:
        """How loud both sides were since the last time, as `aybiza.speech.loudness` has it. Of a
        line that is new here, the caller's last seconds."""
        if line is not self._line:
            self.close()
            self._line, self._heard = line, line.ring.start
            line.said = Loudness(now)
        end = line.ring.end - line.ring.end % STEP_BYTES
        # No offset is a step's beginning but those that are whole steps from the call's.
        audio = line.ring.since(self._heard)[1][: max(0, end - self._heard)]
        self._heard = max(self._heard, end)
        agent = line.said.take(now) if line.said is not None else []
        return {"step": STEP_SECONDS, "caller": peaks(audio), "agent": agent}

    def close(self) -> None:
        """Nobody looks any more."""
        if self._line is not None:
            self._line.said = None
            self._line = None
