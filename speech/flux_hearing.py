"""What the caller said, read off Flux's turns: `Hearing` (`aybiza.speech.hearing`) for listen v2.

Flux knows where a turn ends, so nothing is asked for while it says something. A turn that has words
and of which nothing is told for `SILENT_SECONDS` is ended by `Finalize`; if nothing comes of that,
the words so far are what was said.

Source: Deepgram, listen v2 (Flux), turn events.
"""

from __future__ import annotations

from typing import Any

from aybiza.speech.deepgram_flux import TurnInfo
from aybiza.speech.hearing import (
    FINALIZE_SECONDS,
    Finalize,
    Finished,
    Interim,
    Onset,
    Outcome,
    Understood,
    Words,
)

# Flux tells of a turn about every quarter of a second; its own longest pause is five seconds.
SILENT_SECONDS = 6.0


class FluxHearing:
    """See the module."""

    def __init__(self) -> None:
        self._text = ""
        self._newest: TurnInfo | None = None
        self._told = 0.0
        self._asked: float | None = None

    @property
    def due(self) -> float | None:
        if not self._text:
            return None
        if self._asked is not None:
            return self._asked + FINALIZE_SECONDS
        return self._told + SILENT_SECONDS

    def handle(self, event: Any, now: float) -> list[Outcome]:
        if not isinstance(event, TurnInfo):
            return []
        self._told, self._asked = now, None
        match event.event:
            case "EndOfTurn":
                return self._end(event)
            case "StartOfTurn":
                return [Onset(), *self._shown(event)]
            case "Update" | "EagerEndOfTurn" | "TurnResumed":
                return self._shown(event)
        return []

    def tick(self, now: float) -> list[Outcome]:
        due = self.due
        if due is None or now < due or self._newest is None:
            return []
        if self._asked is None:
            self._asked = now
            return [Finalize()]
        return self._end(self._newest)

    def _shown(self, turn: TurnInfo) -> list[Outcome]:
        text = turn.text.strip()
        if not text or text == self._text:
            return []
        self._text, self._newest = text, turn
        return [Interim(text)]

    def _end(self, turn: TurnInfo) -> list[Outcome]:
        text = turn.text.strip()
        self._text, self._newest, self._asked = "", None, None
        if not text:
            return [Understood(turn.end)]
        return [Words(text), Understood(turn.end), Finished(turn.last_word_end)]
