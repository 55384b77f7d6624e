"""What the caller has heard: a ledger of the audio sent to the carrier. No I/O, no clock.

The carrier plays what it is sent in order and in real time; a mark sent behind a sentence comes
back when the sentence has been played, and every pending mark comes back at once on `clear`
(Twilio: Media Streams, "mark" and "clear" messages). So the names of marks begin with a generation
that `clear` ends, and only a mark that is pending tells anything.

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

# How fast a voice speaks, for a sentence of which not all is out: its length is not known yet.
CHARACTERS_A_SECOND = 15.0
MOST_OF_AN_UNFINISHED = 0.99


class Sentence(NamedTuple):
    """The name of a spoken sentence: its turn and its number in the turn, from 1."""

    turn: int
    seq: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Where an interruption fell: in this sentence, `fraction` (0 to 1) of which was played.

    1.0 only if all of the sentence was out and played.
    """

    sentence: Sentence
    fraction: float


@dataclass(slots=True)
class _Piece:
    """Audio of one go, named by its first sentence; it has been played at `ends`."""

    sentence: Sentence
    starts: float
    ends: float
    size: int


class Ledger:
    """See the module. `generation` grows by one with each `clear`."""

    def __init__(self) -> None:
        self.generation = 0
        self._texts: dict[Sentence, list[tuple[Sentence, int]]] = {}
        self._sent: dict[Sentence, int] = {}
        self._ends: dict[Sentence, float] = {}
        self._marks: dict[str, Sentence] = {}
        self._heard: set[Sentence] = set()
        self._unsaid: set[Sentence] = set()
        self._pieces: list[_Piece] = []
        self._played_until = 0.0
        self._furthest: Cut | None = None

    def given(self, sentence: Sentence, characters: int, first: Sentence | None = None) -> None:
        """`sentence`, of so many characters, is on its way to speech.

        `first`: it is spoken in one go with this sentence and those that were given behind it,
        whose name all audio of the go has.
        """
        if first is None:
            self._texts[sentence] = [(sentence, characters)]
        else:
            self._texts.setdefault(first, []).append((sentence, characters))

    def together(self, first: Sentence) -> list[Sentence]:
        """Those that were given to be spoken in one go with `first`, it among them, in order."""
        return [sentence for sentence, _ in self._texts.get(first, ())]

    def passed_over(self, sentence: Sentence) -> None:
        """No voice says `sentence`: it will never have been heard, whatever its mark says."""
        self._unsaid.add(sentence)

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

    def is_midway(self) -> bool:
        """Whether a sentence is out in part, and more of it is to come."""
        return any(not self.is_complete(piece.sentence) for piece in self._pieces)

    def ahead(self, now: float) -> float:
        """Seconds of audio that the carrier still has to play."""
        return max(0.0, self._played_until - now)

    def quiet(self, now: float) -> float:
        """Seconds since the carrier has nothing to play; below 0 while it has."""
        return now - self._played_until

    def mark(self, sentence: Sentence) -> str:
        """All of `sentence` is out: the name of the mark to send behind it."""
        name = f"{self.generation}:{sentence.turn}:{sentence.seq}"
        self._marks[name] = sentence
        self._ends[sentence] = self._played_until
        return name

    def is_complete(self, sentence: Sentence) -> bool:
        """Whether all of `sentence` is out, its mark included."""
        return sentence in self._ends or sentence in self._heard or sentence in self._unsaid

    def is_heard(self, sentence: Sentence) -> bool:
        """Whether the caller has heard all of `sentence`."""
        return sentence in self._heard and sentence not in self._unsaid

    def marked(self, name: str) -> Sentence | None:
        """A mark came back: the sentence now heard; None for a stale or foreign mark."""
        sentence = self._marks.pop(name, None)
        return sentence if sentence is not None and self._hear(sentence) else None

    def overdue(self, now: float) -> list[Sentence]:
        """Sentences whose mark is overdue; they count as heard from now on."""
        late = [s for s, ends in self._ends.items() if ends + MARK_GRACE_SECONDS <= now]
        return [sentence for sentence in late if self._hear(sentence)]

    def _hear(self, sentence: Sentence) -> bool:
        if sentence in self._heard:
            return False
        self._heard.add(sentence)
        self._ends.pop(sentence, None)
        self._texts.pop(sentence, None)
        self._pieces = [piece for piece in self._pieces if piece.sentence != sentence]
        return sentence not in self._unsaid

    def clear(self, now: float) -> Cut | None:
        """The carrier is told to drop what it has not played. Returns where it stopped.

        What was played to its end counts as heard. The rest is forgotten: it may be said again.
        """
        begun = [piece for piece in self._pieces if piece.starts <= now]
        cut = self._cut(begun[-1], now) if begun else None
        for sentence in [s for s, ends in self._ends.items() if ends <= now]:
            # Its mark is on its way, and would tell nothing when it comes.
            self._hear(sentence)
        self._furthest = cut = self._later(cut)
        self.generation += 1
        self._texts.clear()
        self._ends.clear()
        self._marks.clear()
        self._pieces.clear()
        # Where nothing was played the silence goes on.
        self._played_until = min(self._played_until, now)
        self._sent = {key: size for key, size in self._sent.items() if key in self._heard}
        return cut

    def _later(self, cut: Cut | None) -> Cut | None:
        """`cut`, or the one before it: what was heard of a sentence that is being said again and is
        cut earlier this time has been heard all the same."""
        before = self._furthest
        if before is None or before.sentence in self._heard:
            return cut
        if cut is None or (
            cut.sentence.turn == before.sentence.turn and _place(cut) < _place(before)
        ):
            return before
        return cut

    def _cut(self, piece: _Piece, now: float) -> Cut:
        """Where in the go of `piece` the caller is: found by the lengths of its sentences."""
        texts = self._texts.get(piece.sentence, [(piece.sentence, 0)])
        characters = sum(length for _, length in texts)
        complete = all(self.is_complete(sentence) for sentence, _ in texts)
        out = piece.size / BYTES_A_SECOND
        whole = out if complete else max(out, characters / CHARACTERS_A_SECOND)
        played = max(0.0, out - max(0.0, piece.ends - now))
        share = played / whole if whole else float(complete)
        if not complete:
            share = min(share, MOST_OF_AN_UNFINISHED)
        place = share * characters
        *others, (last, rest) = texts
        for sentence, length in others:
            if place < length:
                return Cut(sentence, place / length)
            place -= length
        return Cut(last, place / rest if rest else share)

    def heard(self) -> frozenset[Sentence]:
        """All sentences that the caller has heard."""
        return frozenset(self._heard - self._unsaid)

    def unsaid(self) -> frozenset[Sentence]:
        """All sentences that were passed over."""
        return frozenset(self._unsaid)


def _place(cut: Cut) -> tuple[int, float]:
    return cut.sentence.seq, cut.fraction
