"""Who answers a call that was placed: a person or a machine. Pure, by words, times and tones.

    who = WhoAnswers("en-US")
    who.told(event)                Verdict("machine", "phrase"), or None while that is open

What tells a machine, in turn: a phrase that only machines say; a steady tone; a greeting that goes
on, without a pause, longer or with more words than a person's. What tells a person: a few words,
and then a pause, for an answer. Who says nothing is unknown.

A person's hello and the beginning of a machine's greeting can be the same word, so phrases and
tones go on counting (`told`) for `WATCH_SECONDS` after the verdict that it is a person.

Contract: events carry their time (`at`, seconds). Errors: none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aybiza.dialogue.events import (
    CallerFinished,
    CallerInterim,
    CallerSaid,
    CallerSpeaking,
    Event,
    ToneHeard,
)
from aybiza.dialogue.outbound.ledger import HUMAN, MACHINE
from aybiza.dialogue.outbound.machine_words import is_machine
from aybiza.dialogue.overheard import words_of

MOST_WORDS: Final = 22
MOST_CHARACTERS: Final = 130
"""Of a person's greeting, in words and, for languages that have no blanks between them, in all."""
MOST_SECONDS: Final = 7.0
"""For so long nobody greets without a pause."""
QUIET_SECONDS: Final = 1.2
"""A pause behind words that waits for an answer."""
WATCH_SECONDS: Final = 25.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who it is, and by what: `phrase`, `tone`, `long` or `hello`."""

    by: str
    why: str


class WhoAnswers:
    """See the module."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._said: list[str] = []
        self._interim = ""
        self._began: float | None = None
        self._first: float | None = None

    @property
    def has_words(self) -> bool:
        """Whether words have been heard."""
        return bool(self._said or self._interim)

    def told(self, event: Event) -> Verdict | None:
        """What is known now that this has happened."""
        if self._first is None:
            self._first = event.at
        match event:
            case ToneHeard():
                return Verdict(MACHINE, "tone") if self._watches(event.at) else None
            case CallerSpeaking():
                self._began = event.at if self._began is None else self._began
            case CallerInterim(text):
                self._interim = text
                self._began = event.at if self._began is None else self._began
            case CallerSaid(text):
                self._interim = ""
                self._said.append(text)
                self._began = event.at if self._began is None else self._began
            case CallerFinished():
                return self._paused()
            case _:
                return None
        return self._by_words(event.at)

    def quiet(self) -> Verdict | None:
        """Nothing has been heard for `QUIET_SECONDS`."""
        return self._paused()

    def _watches(self, at: float) -> bool:
        return self._first is None or at - self._first <= WATCH_SECONDS

    def _by_words(self, at: float) -> Verdict | None:
        text = " ".join([*self._said, self._interim])
        if self._watches(at) and is_machine(text, self._language):
            return Verdict(MACHINE, "phrase")
        words = words_of(text)
        long = len(words) > MOST_WORDS or sum(map(len, words)) > MOST_CHARACTERS
        unbroken = self._began is not None and at - self._began > MOST_SECONDS
        return Verdict(MACHINE, "long") if long or (unbroken and words) else None

    def _paused(self) -> Verdict | None:
        """A pause: whoever said few words waits for ours."""
        self._began = None
        return Verdict(HUMAN, "hello") if self.has_words else None
