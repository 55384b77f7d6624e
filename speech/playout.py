"""What the caller has heard: a ledger of the audio sent to the carrier. No I/O, no clock.

The carrier plays what it is sent in order and in real time; a mark sent behind a sentence comes
back when the sentence has been played, and every pending mark comes back at once on `clear`
(Twilio: Media Streams, "mark" and "clear" messages). The ledger therefore numbers its marks with
a generation: a mark of an earlier generation tells nothing.

Sentences are named by `(turn, seq)`. Times are seconds of the clock that the owner hands in.
The ledger outlives the actor that speaks, so a restarted one knows how many bytes of a sentence
are out and goes on behind them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

BYTES_A_SECOND = 8000

# A mark that has not come back this long after its audio must have been played is taken as
# played: a carrier that loses a mark must not hold up the conversation.
MARK_GRACE_SECONDS = 2.0


class Sentence(NamedTuple):
    """The name of a spoken sentence: its turn and its number in the turn, from 1."""

    turn: int
    seq: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Where an interruption fell: the sentence that was being played and how much of it was."""

    sentence: Sentence
    fraction: float


@dataclass(slots=True)
class _Piece:
    sentence: Sentence
    starts: float
    ends: float
    size: int


class Ledger:
    """See the module."""

    def __init__(self) -> None:
        self.generation = 0
        self._sent: dict[Sentence, int] = {}
        self._complete: set[Sentence] = set()
        self._heard: set[Sentence] = set()
        self._pieces: list[_Piece] = []
        self._played_until = 0.0

    def sent(self, sentence: Sentence, size: int, now: float) -> None:
        """`size` bytes of `sentence` went to the carrier."""
        starts = max(self._played_until, now)
        self._played_until = starts + size / BYTES_A_SECOND
        self._sent[sentence] = self._sent.get(sentence, 0) + size
        if self._pieces and self._pieces[-1].sentence == sentence:
            self._pieces[-1].ends = self._played_until
            self._pieces[-1].size += size
        else:
            self._pieces.append(_Piece(sentence, starts, self._played_until, size))

    def bytes_sent(self, sentence: Sentence) -> int:
        """How much of `sentence` is out already."""
        return self._sent.get(sentence, 0)

    def ahead(self, now: float) -> float:
        """Seconds of audio that the carrier still has to play."""
        return max(0.0, self._played_until - now)

    def mark(self, sentence: Sentence) -> str:
        """All of `sentence` is out: the name of the mark to send behind it."""
        self._complete.add(sentence)
        return f"{self.generation}:{sentence.turn}:{sentence.seq}"

    def is_complete(self, sentence: Sentence) -> bool:
        """Whether all of `sentence` is out, its mark included."""
        return sentence in self._complete

    def is_heard(self, sentence: Sentence) -> bool:
        """Whether the caller has heard all of `sentence`."""
        return sentence in self._heard

    def marked(self, name: str) -> Sentence | None:
        """A mark came back: the sentence now heard; None for a stale or foreign mark."""
        parts = name.split(":")
        if len(parts) != 3 or not all(part.isdigit() for part in parts):
            return None
        generation, turn, seq = map(int, parts)
        sentence = Sentence(turn, seq)
        if generation != self.generation or sentence not in self._complete:
            return None
        return sentence if self._hear(sentence) else None

    def overdue(self, now: float) -> list[Sentence]:
        """Sentences whose mark is overdue; they count as heard from now on."""
        late = [
            piece.sentence
            for piece in self._pieces
            if piece.sentence in self._complete and piece.ends + MARK_GRACE_SECONDS <= now
        ]
        return [sentence for sentence in late if self._hear(sentence)]

    def _hear(self, sentence: Sentence) -> bool:
        if sentence in self._heard:
            return False
        self._heard.add(sentence)
        self._pieces = [piece for piece in self._pieces if piece.sentence != sentence]
        return True

    def clear(self, now: float) -> Cut | None:
        """The carrier is told to drop what it has not played. Returns where it stopped.

        What was not heard is forgotten: the same sentences may be said again.
        """
        cut = None
        for piece in self._pieces:
            if piece.starts <= now:
                played = min(1.0, (now - piece.starts) / max(piece.ends - piece.starts, 1e-9))
                cut = Cut(piece.sentence, played)
        self.generation += 1
        self._pieces.clear()
        self._played_until = now
        self._sent = {key: size for key, size in self._sent.items() if key in self._heard}
        self._complete &= self._heard
        return cut

    def heard(self) -> frozenset[Sentence]:
        """All sentences that the caller has heard."""
        return frozenset(self._heard)
