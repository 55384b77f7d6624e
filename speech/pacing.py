"""How synthesised audio goes to the line: in order, a little ahead of the caller's ear.

`pace` sends what there is of the goes (`aybiza.speech.synthesis`), up to `lead` ahead, and
a mark behind each sentence; it returns when to come back. The line's ledger knows what is out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Literal

from aybiza.speech.line import Line
from aybiza.speech.playout import Sentence
from aybiza.speech.synthesis import Go

Kind = Literal["answer", "bridge", "instead"]

LEAD_SECONDS = 2.0
# Sent in one message to the carrier, so that the lead is kept to about this grain.
PIECE_BYTES = 1600


class Pacer:
    """See the module. `answered` is set to the first sentence of an answer and the seconds to its
    first audio, from the end of the caller's voice and from when that was known. `kind`: what a
    sentence is; a bridge is passed over, and what is said instead of an answer leaves the turn
    without one. `lead`: how far ahead of the ear audio goes out, in seconds."""

    def __init__(
        self,
        line: Line,
        kind: Callable[[Sentence, str], Kind] = lambda *_: "answer",
        lead: float = LEAD_SECONDS,
    ) -> None:
        self._line = line
        self._lead = lead
        self._kind = kind
        self.answered: tuple[Sentence, float, float] | None = None

    def pace(self, goes: deque[Go], now: float) -> float | None:
        """Send what is due; seconds until there is more to do, None if nothing waits for time.

        Goes that are out leave `goes`.
        """
        while goes:
            go = goes[0]
            while go.audio:
                ahead = self._line.ledger.ahead(now)
                if ahead >= self._lead:
                    return ahead - self._lead / 2
                self._play(go, now)
            if not go.complete:
                return None
            goes.popleft()
            for text in go.texts:
                if text.then is None and not go.tail:
                    self._line.finish(text.sentence)
        return None

    def _play(self, go: Go, now: float) -> None:
        piece = go.audio.popleft()
        if len(piece) > PIECE_BYTES:
            go.audio.appendleft(piece[PIECE_BYTES:])
            piece = piece[:PIECE_BYTES]
        if self._line.finished_at is not None:
            kind = self._kind(go.name, go.texts[0].written)
            if kind == "answer":
                self.answered = go.name, now - self._line.finished_at, now - self._line.known_at
            if kind != "bridge":
                self._line.finished_at = None
        self._line.play(go.name, piece, now)
