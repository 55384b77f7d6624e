"""Who has answered: a person by a short hello, a machine by its words, its length or its tone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aybiza.dialogue.events import (
    CallerFinished,
    CallerInterim,
    CallerSaid,
    CallerSpeaking,
    Event,
    HungUp,
    ToneHeard,
)
from aybiza.dialogue.outbound.who_answers import WATCH_SECONDS, Verdict, WhoAnswers

PERSON, PHRASE = Verdict("human", "hello"), Verdict("machine", "phrase")


def told(*events: Event, language: str = "en-US") -> list[Verdict]:
    who = WhoAnswers(language)
    return [verdict for event in events if (verdict := who.told(event)) is not None]


def test_a_short_hello_and_a_pause_is_a_person() -> None:
    hello = (CallerSpeaking(at=1.0), CallerInterim("Hel", at=1.2), CallerSaid("Hello?", at=1.5))
    assert told(*hello) == []
    assert told(*hello, CallerFinished(at=1.8)) == [PERSON]


def test_a_pause_without_an_end_of_the_recogniser_will_do() -> None:
    who = WhoAnswers("en-US")
    assert who.quiet() is None
    who.told(CallerInterim("Hello", at=1.0))
    assert who.quiet() == PERSON


def test_a_phrase_tells_a_machine_while_it_is_being_said() -> None:
    said = (CallerInterim("Hi you've", at=1.0), CallerInterim("Hi you've reached", at=1.4))
    assert told(*said) == [PHRASE]
    pieces = (CallerSaid("Please leave a", at=2.0), CallerInterim("message", at=2.5))
    assert told(*pieces) == [PHRASE]


def test_a_phrase_behind_a_short_hello_still_tells_a_machine() -> None:
    assert told(
        CallerSaid("Hi.", at=1.0),
        CallerFinished(at=1.5),
        CallerSaid("This is Ann. Leave a message.", at=4.0),
    ) == [PERSON, PHRASE]
    late = WATCH_SECONDS + 2.0
    assert told(
        CallerSaid("Hi.", at=1.0),
        CallerFinished(at=1.5),
        CallerSaid("Shall I leave a message?", at=late),
    ) == [PERSON]


def test_who_goes_on_without_a_pause_is_a_machine() -> None:
    words = [CallerInterim("so " * n, at=0.5 * n) for n in range(1, 17)]
    assert told(*words)[0] == Verdict("machine", "long")
    many = " ".join(["word"] * 30)
    assert told(CallerSaid(many, at=3.0)) == [Verdict("machine", "long")]
    paused = (CallerSaid("so", at=1), CallerFinished(at=2), CallerInterim("so", at=9.5))
    assert told(*paused) == [PERSON]


def test_japanese_is_measured_in_characters() -> None:
    assert told(CallerSaid("はい、田中でございます。", at=1.0), language="ja") == []
    assert told(CallerSaid("あいうえおかきくけこ" * 14, at=1.0), language="ja") == [
        Verdict("machine", "long")
    ]


def test_a_tone_is_a_machines() -> None:
    assert told(ToneHeard(1_000, 0.4, at=3.0)) == [Verdict("machine", "tone")]
    assert told(CallerSpeaking(at=0.0), ToneHeard(1_000, 0.4, at=60.0)) == []


def test_nothing_is_made_of_what_tells_nothing() -> None:
    assert told(HungUp(at=1.0), CallerFinished(at=2.0), CallerSpeaking(at=3.0)) == []


@given(st.lists(st.text(max_size=60), max_size=8), st.text(max_size=8))
def test_any_words_in_any_language_are_taken(texts: list[str], language: str) -> None:
    told(*(CallerSaid(text, at=float(n)) for n, text in enumerate(texts)), language=language)
