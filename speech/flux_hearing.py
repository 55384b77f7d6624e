"""What the caller said, read off Flux's turns: `Hearing` (`aybiza.speech.hearing`) for listen v2.

Flux knows where a turn ends, so nothing is asked for while it has new words. A turn whose words
stay as they are for `SILENT_SECONDS`, longer than Flux's longest pause, is ended by `Finalize`, and
one of which nothing at all comes for `DEAF_SECONDS`: while a turn is going on Flux tells four times
a second that it is. If nothing comes of that, or Flux is in the next turn, the words so far are
what was said, and what is told of that turn later means nothing. Where not a thing has come since
the turn was going on, it may have stopped in the middle of a word: `Unanswered`, and another
socket's hearing `settles`. A turn that is resumed again without a new word is noise: it is ended
`VAIN_SECONDS` later.

Source: Deepgram, listen v2 (Flux), turn events.
"""

from __future__ import annotations

from typing import Any

from aybiza.speech.deepgram_flux import END_TIMEOUT_MS, TurnInfo
from aybiza.speech.hearing import (
    FINALIZE_SECONDS,
    Finalize,
    Finished,
    GoesOn,
    Interim,
    MayBeDone,
    Onset,
    Outcome,
    Unanswered,
    Understood,
    Words,
)

SILENT_SECONDS = END_TIMEOUT_MS / 1000 + 0.3
DEAF_SECONDS = 2.0
VAIN_SECONDS = 1.0


class FluxHearing:
    """See the module. `settles`: as `NovaHearing` has it."""

    def __init__(self, *, settles: bool = False) -> None:
        self._settles = settles
        # Nothing has come since the turn was going on, and its end was asked for.
        self._deaf = False
        self._text = ""
        self._newest: TurnInfo | None = None
        self._told = 0.0
        self._asked: float | None = None
        # When Flux last told that the turn is going on; None: it may be over.
        self._going_on: float | None = None
        # With which words the turn was resumed last.
        self._resumed: str | None = None
        # The turn that was ended last.
        self._ended = -1

    @property
    def due(self) -> float | None:
        if not self._text:
            return None
        if self._asked is not None:
            return self._asked + FINALIZE_SECONDS
        silent = self._told + SILENT_SECONDS
        return silent if self._going_on is None else min(silent, self._going_on + DEAF_SECONDS)

    def handle(self, event: Any, now: float) -> list[Outcome]:
        if not isinstance(event, TurnInfo):
            return []
        self._deaf = False
        if event.turn is not None and event.turn <= self._ended:
            if event.event != "StartOfTurn":
                return []
            # Whatever its number: no turn that is over begins.
            self._ended = event.turn - 1
        lost: list[Outcome] = []
        if self._newest is not None and event.turn != self._newest.turn:
            lost = self._end(self._newest)
        self._going_on = None if event.event == "EagerEndOfTurn" else now
        return [*lost, *self._meant(event, now)]

    def _meant(self, event: TurnInfo, now: float) -> list[Outcome]:
        match event.event:
            case "EndOfTurn":
                return self._end(event)
            case "StartOfTurn":
                return [Onset(), *self._shown(event, now)]
            case "EagerEndOfTurn":
                return [*self._shown(event, now), MayBeDone(event.text.strip())]
            case "TurnResumed":
                shown = self._shown(event, now)
                self._resume(now)
                return [GoesOn(), *shown]
            case "Update":
                return self._shown(event, now)
        return []

    def tick(self, now: float) -> list[Outcome]:
        due = self.due
        if due is None or now < due or self._newest is None:
            return []
        if self._asked is None:
            self._asked = now
            self._deaf = self._going_on is not None and now >= self._going_on + DEAF_SECONDS
            return [Finalize()]
        if self._deaf and not self._settles:
            text, end = self._text, self._newest.end
            self._text, self._newest, self._asked = "", None, None
            return [Unanswered(text, end)]
        return self._end(self._newest)

    def _resume(self, now: float) -> None:
        if self._resumed != self._text:
            self._resumed, self._told, self._asked = self._text, now, None
        elif self._asked is None:
            self._told = min(self._told, now + VAIN_SECONDS - SILENT_SECONDS)

    def _shown(self, turn: TurnInfo, now: float) -> list[Outcome]:
        text = turn.text.strip()
        if not text or text == self._text:
            return []
        self._told, self._asked = now, None
        self._text, self._newest = text, turn
        return [Interim(text)]

    def _end(self, turn: TurnInfo) -> list[Outcome]:
        # An end without words says nothing of those that were shown.
        text = turn.text.strip() or self._text
        self._text, self._newest, self._asked, self._resumed = "", None, None, None
        self._ended = self._ended if turn.turn is None else turn.turn
        if not text:
            return [Understood(turn.end)]
        return [Words(text, turn.language), Understood(turn.end), Finished(turn.last_word_end)]
