"""What the caller said, read off a recogniser's events. A pure machine, the clock handed in.

`Hearing` is what the transcriber asks of any recogniser; `NovaHearing` reads Deepgram's listen v1.

    handle(event, now)   what an event of the socket means
    tick(now)            what the time means; `due` is when to come with it at the latest

Both give outcomes, in order. Their times are seconds of the audio sent on the socket.

Final words are what was said. Words that stay interim for `patience` seconds are asked for
(`Finalize`). If no final ones come within `FINALIZE_SECONDS`, the newest interim ones are what was
said, and the recogniser is not believed when it tells them once more. But where nothing at all has
come since these, it may have stopped in the middle: `Unanswered`. Its owner has another one hear
the audio again, which settles for interim words (`settles`). Interim words are what was said, too,
where the recogniser goes on with words of another segment behind them. An interim text that is told
again means nothing. An `UtteranceEnd` older than the newest word ends nothing. A whole sentence of
which the recogniser is sure, with `EAGER_PAUSE_SECONDS` behind it, may be a turn.

Source: Deepgram, listen v1: interim results, endpointing, UtteranceEnd, Finalize.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from aybiza.speech.deepgram_listen import SpeechStarted, Transcript, UtteranceEnd

# An interim without words says that there was nothing up to about this long before its end.
SILENCE_MARGIN_SECONDS = 1.0
# Deepgram answers `Finalize` within some 100 ms.
FINALIZE_SECONDS = 0.5
# How sure the recogniser has to be, and how long it has to be quiet, for a turn that may be over.
EAGER_CONFIDENCE = 0.9
EAGER_PAUSE_SECONDS = 0.1
_SENTENCE_ENDS = (".", "!", "?", "。", "\uff1f", "\uff01", "\u061f", "।")
# Results that begin together are about the same segment of the audio.
SAME_SECONDS = 0.05
MOST_PASSED = 8


@dataclass(frozen=True, slots=True)
class Onset:
    """Somebody began to speak."""


@dataclass(frozen=True, slots=True)
class Interim:
    """Words that may still change."""

    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """Words that were said, and the main tag of their language, "" if nobody tells it."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """The caller's turn is over; their last word ended at `last_word_end`, if that is known."""

    last_word_end: float | None


@dataclass(frozen=True, slots=True)
class MayBeDone:
    """The caller's turn may be over with these words, which are not final yet."""

    text: str


@dataclass(frozen=True, slots=True)
class GoesOn:
    """It was not."""


@dataclass(frozen=True, slots=True)
class Finalize:
    """Ask the recogniser for what it has."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """It says nothing since it has shown `text` of the audio up to `at`, not even when asked: there
    may be more words."""

    text: str
    at: float


@dataclass(frozen=True, slots=True)
class Understood:
    """All words up to `at` have been handed on."""

    at: float


Outcome: TypeAlias = (
    Onset | Interim | Words | MayBeDone | GoesOn | Finished | Finalize | Unanswered | Understood
)


class Hearing(Protocol):
    """See the module. One belongs to one socket."""

    @property
    def due(self) -> float | None:
        """When to call `tick` at the latest; None: not before the next event."""

    def handle(self, event: Any, now: float) -> list[Outcome]:
        """What an event of the socket means."""

    def tick(self, now: float) -> list[Outcome]:
        """What it means that it is `now`."""


class NovaHearing:
    """See the module. `patience`: seconds for which interim words may stay the same; `settles`:
    whether they are taken from a recogniser that has said nothing since."""

    def __init__(self, patience: float, *, settles: bool = False) -> None:
        self._patience = patience
        self._settles = settles
        # Something has come since the newest interim words.
        self._goes_on = False
        # The newest interim words, which no final result has covered, and since when they are so.
        self._pending: Transcript | None = None
        self._changed = 0.0
        self._asked: float | None = None
        # There were words since the last end of a turn.
        self._open = False
        self._newest: tuple[float, float] | None = None
        # The segment that was settled last: where it began, and its words, which are handed on.
        self._settled_from = -1.0
        # What was last held for a turn that may be over.
        self._early = ""
        self._settled: list[str] = []
        # Interim words that were handed on when another segment began, each with its beginning.
        self._passed: deque[tuple[float, list[str]]] = deque(maxlen=MOST_PASSED)

    @property
    def due(self) -> float | None:
        if self._pending is None:
            return None
        if self._asked is not None:
            return self._asked + FINALIZE_SECONDS
        return self._changed + self._patience

    def handle(self, event: Any, now: float) -> list[Outcome]:
        self._goes_on = True
        match event:
            case SpeechStarted():
                return self._onset(now)
            case Transcript(is_final=True):
                return self._final(event)
            case Transcript():
                return self._interim(event, now)
            case UtteranceEnd(last_word_end):
                return self._utterance_end(last_word_end, now)
        return []

    def tick(self, now: float) -> list[Outcome]:
        if self._pending is None or self.due is None or now < self.due:
            return []
        if self._asked is None:
            return self._ask(now)
        return self._take() if self._settles or self._goes_on else self._doubt()

    def _onset(self, now: float) -> list[Outcome]:
        if self._pending is not None:
            # What was asked for is no end any more.
            self._changed, self._asked = now, None
        self._settled = []
        return [Onset()]

    def _pass(self, heard: Transcript) -> list[Outcome]:
        """Hand on the interim words of a segment behind which another one begins."""
        pending = self._pending
        if pending is None or not heard.text or heard.from_finalize:
            return []
        if heard.start < pending.end - SAME_SECONDS:
            return []
        text = self._untold(pending)
        self._passed.append((pending.start, pending.text.split()))
        self._settle(pending)
        self._pending = self._asked = None
        return [Words(text, pending.language), Understood(pending.end)]

    def _interim(self, heard: Transcript, now: float) -> list[Outcome]:
        return [*self._pass(heard), *self._shown(heard, now)]

    def _shown(self, heard: Transcript, now: float) -> list[Outcome]:
        text = self._untold(heard)
        if not text:
            nothing_open = self._pending is None
            return [Understood(heard.end - SILENCE_MARGIN_SECONDS)] if nothing_open else []
        said_before = self._pending is not None and self._untold(self._pending) == text
        self._pending, self._open = heard, True
        early = self._may_be_done(heard, text)
        if said_before:
            return early
        self._newest = heard.last_word or self._newest
        self._changed, self._asked, self._goes_on = now, None, False
        return [Interim(text), *early]

    def _may_be_done(self, heard: Transcript, text: str) -> list[Outcome]:
        if heard.last_word is None or text == self._early:
            return []
        quiet = heard.end - heard.last_word[1] >= EAGER_PAUSE_SECONDS
        sure = heard.confidence >= EAGER_CONFIDENCE and text.endswith(_SENTENCE_ENDS)
        if not (quiet and sure):
            return []
        self._early = text
        return [MayBeDone(text)]

    def _final(self, heard: Transcript) -> list[Outcome]:
        asked = self._asked is not None
        return [*self._pass(heard), *self._told(heard, asked=asked)]

    def _told(self, heard: Transcript, *, asked: bool) -> list[Outcome]:
        text = self._untold(heard)
        if heard.from_finalize and not text and asked:
            # It has nothing to add to what it showed.
            return self._take()
        self._settle(heard)
        if self._pending is not None and self._pending.start < heard.end:
            self._pending = self._asked = None
        outcomes: list[Outcome] = [Words(text, heard.language)] if text else []
        outcomes.append(Understood(heard.end))
        if text:
            self._open, self._newest = True, heard.last_word or self._newest
        ends = asked if heard.from_finalize else heard.speech_final
        return [*outcomes, *self._finish()] if ends else outcomes

    def _utterance_end(self, last_word_end: float | None, now: float) -> list[Outcome]:
        newest = self._newest
        if last_word_end is not None and newest is not None and last_word_end < newest[0]:
            return []
        if self._pending is None:
            return self._finish()
        return self._ask(now) if self._asked is None else []

    def _ask(self, now: float) -> list[Outcome]:
        self._asked = now
        return [Finalize()]

    def _doubt(self) -> list[Outcome]:
        pending = self._pending
        assert pending is not None
        self._pending = self._asked = None
        return [Unanswered(self._untold(pending), pending.end)]

    def _take(self) -> list[Outcome]:
        """The interim words are what was said."""
        pending = self._pending
        assert pending is not None
        text = self._untold(pending)
        self._settle(pending)
        self._pending = self._asked = None
        return [Words(text, pending.language), Understood(pending.end), *self._finish()]

    def _finish(self) -> list[Outcome]:
        if not self._open:
            return []
        self._open, self._early = False, ""
        return [Finished(self._newest[1] if self._newest else None)]

    def _settle(self, heard: Transcript) -> None:
        self._settled_from, self._settled = heard.start, heard.text.split()

    def _untold(self, heard: Transcript) -> str:
        """The text without those words of its segment that were handed on already."""
        words, told = heard.text.split(), len(self._settled)
        is_same = abs(heard.start - self._settled_from) < SAME_SECONDS
        if is_same and [*map(_bare, words[:told])] == [*map(_bare, self._settled)]:
            return " ".join(words[told:])
        for start, passed in self._passed:
            # A final for all that was asked for may begin with them.
            begins = [*map(_bare, words[: len(passed)])] == [*map(_bare, passed)]
            if begins and heard.start - SAME_SECONDS < start < heard.end:
                words = words[len(passed) :]
        return " ".join(words)


def _bare(word: str) -> str:
    return word.strip(".,;:!?").lower()
