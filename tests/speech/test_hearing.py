"""What was said, read off the recogniser's events: each word once, each turn whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.speech.deepgram_listen import SpeechStarted, Transcript, UtteranceEnd, decode
from aybiza.speech.hearing import (
    FINALIZE_SECONDS,
    Finalize,
    Finished,
    Interim,
    MayBeDone,
    NovaHearing,
    Onset,
    Outcome,
    Unanswered,
    Understood,
    Words,
)

PATIENCE = 1.2


def heard(
    text: str,
    start: float,
    end: float,
    *,
    final: bool = False,
    speech_final: bool = False,
    from_finalize: bool = False,
    last_word: tuple[float, float] | None = None,
) -> Transcript:
    """Words at so many seconds; the last of them ends with the result unless told otherwise."""
    word = last_word or ((max(start, end - 0.3), end) if text else None)
    return Transcript(text, final, speech_final, from_finalize, start, end, 0.9, word)


@dataclass
class Ear:
    """A hearing and what came of it; `finalized` is what Deepgram says to `Finalize`, if any."""

    finalized: Transcript | None = None
    hearing: NovaHearing = field(default_factory=lambda: NovaHearing(PATIENCE, settles=True))
    now: float = 0.0
    outcomes: list[tuple[float, Outcome]] = field(default_factory=list)

    def say(self, *events: Any, after: float = 0.2) -> None:
        for event in events:
            self.wait(after)
            self._take(self.hearing.handle(event, self.now))

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while (due := self.hearing.due) is not None and due <= end:
            self.now = max(self.now, due)
            outcomes = self.hearing.tick(self.now)
            assert outcomes, "a tick that is due does something"
            self._take(outcomes)
        self.now = end

    def _take(self, outcomes: list[Outcome]) -> None:
        self.outcomes += [(self.now, outcome) for outcome in outcomes]
        if Finalize() in outcomes and self.finalized is not None:
            self.now += 0.05
            self._take(self.hearing.handle(self.finalized, self.now))

    def kinds(self, *kinds: type[Any]) -> list[Outcome]:
        return [outcome for _, outcome in self.outcomes if isinstance(outcome, kinds)]

    @property
    def turns(self) -> list[str]:
        """What was said until each end of a turn."""
        turns, words = [], list[str]()
        for outcome in self.kinds(Words, Finished):
            if isinstance(outcome, Words):
                words.append(outcome.text)
            else:
                turns.append(" ".join(words))
                words = []
        return [*turns, *([f"{' '.join(words)} …"] if words else [])]

    def at(self, kind: type[Any]) -> float:
        return next(now for now, outcome in self.outcomes if isinstance(outcome, kind))


ME = "yes that is me"
INTERIM = heard(ME, 0.0, 0.9, last_word=(0.6, 0.8))
FINAL = heard(ME, 0.0, 0.9, final=True, speech_final=True, from_finalize=True)
SAME_AGAIN = [heard(ME, 0.0, 1.0 + n, last_word=(0.6, 0.8)) for n in range(4)]
EMPTIES = [heard("", 0.9 + n, 1.9 + n) for n in range(4)]


@pytest.mark.parametrize(
    "finalized", [FINAL, None, heard("", 0, 0.9, final=True, from_finalize=True)]
)
@pytest.mark.parametrize("tail", [[], SAME_AGAIN, EMPTIES], ids=["nothing", "the same", "empties"])
def test_words_that_never_become_final_are_asked_for_and_then_taken(
    finalized: Transcript | None, tail: list[Transcript]
) -> None:
    ear = Ear(finalized)
    ear.say(SpeechStarted(0.2), INTERIM)
    at = ear.now
    ear.say(*tail, after=1.0)
    ear.wait(5.0)
    assert ear.turns == [ME]
    assert ear.kinds(Interim) == [Interim(ME)]
    assert ear.kinds(Finalize) == [Finalize()]
    assert ear.at(Finalize) == pytest.approx(at + PATIENCE)
    assert ear.at(Finished) <= at + PATIENCE + FINALIZE_SECONDS + 0.01
    assert ear.kinds(Finished) == [Finished(0.8)] or finalized is FINAL


def test_a_recogniser_that_says_nothing_since_its_words_is_not_believed_to_be_done() -> None:
    ear = Ear(hearing=NovaHearing(PATIENCE))
    ear.say(INTERIM)
    ear.wait(PATIENCE + FINALIZE_SECONDS)
    assert ear.kinds(Words, Finished, Understood) == [], "all of it is heard again"
    assert ear.kinds(Finalize, Unanswered) == [Finalize(), Unanswered(ME, 0.9)]
    assert ear.hearing.due is None


def test_a_recogniser_that_goes_on_behind_its_words_has_shown_all_there_is() -> None:
    ear = Ear(hearing=NovaHearing(PATIENCE))
    ear.say(INTERIM, EMPTIES[0])
    ear.wait(PATIENCE + FINALIZE_SECONDS)
    assert ear.turns == [ME] and not ear.kinds(Unanswered)


def test_words_behind_which_another_segment_begins_are_what_was_said() -> None:
    for final in (False, True):
        ear = Ear()
        ear.say(heard("What about", 0.0, 0.9), heard("the market?", 0.9, 1.6))
        assert ear.kinds(Words) == [Words("What about")]
        assert Understood(0.9) in ear.kinds(Understood)
        if final:
            ear.say(heard("the market?", 0.9, 1.7, final=True, speech_final=True))
        else:
            all_of_it = heard("What about the market?", 0.0, 1.7, final=True, from_finalize=True)
            ear.finalized = all_of_it
            ear.wait(3.0)
        assert ear.kinds(Words) == [Words("What about"), Words("the market?")]
        assert len(ear.kinds(Finished)) == 1


def test_a_final_segment_does_not_take_the_place_of_the_words_before_it() -> None:
    ear = Ear()
    ear.say(heard("What about", 0.0, 0.9))
    ear.say(heard("the market?", 0.9, 1.7, final=True, speech_final=True))
    assert ear.kinds(Words) == [Words("What about"), Words("the market?")]
    ear = Ear()
    ear.say(heard("What a", 0.0, 0.9))
    ear.say(heard("What about it?", 0.0, 1.7, final=True, speech_final=True))
    assert ear.kinds(Words) == [Words("What about it?")], "the same segment, heard better"


def test_a_final_result_that_comes_after_all_says_nothing_twice() -> None:
    ear = Ear()
    ear.say(INTERIM)
    ear.wait(3.0)
    ear.say(
        heard(ME, 0.0, 0.9, final=True, speech_final=True),
        heard("good morning", 0.9, 4.0, final=True, speech_final=True),
    )
    assert ear.turns == [ME, "good morning"]


def test_what_is_said_on_behind_words_that_were_taken_is_not_lost() -> None:
    ear = Ear()
    ear.say(INTERIM)
    ear.wait(3.0)
    ear.say(heard(f"{ME} and my son", 0.0, 5.0, final=True, speech_final=True))
    assert ear.turns == [ME, "and my son"]


def test_a_recogniser_that_does_not_tell_the_time_is_understood() -> None:
    ear = Ear()
    for text in ("Yes.", "Yes.", "No, at nine."):
        ear.say(SpeechStarted(0.0), heard(text, 0.0, 0.0, final=True, speech_final=True))
    assert ear.turns == ["Yes.", "Yes.", "No, at nine."]


def test_words_that_change_are_not_asked_for() -> None:
    ear = Ear(FINAL)
    words = ["I", "would", "like", "to", "come", "by", "tomorrow", "at", "nine"]
    for count in range(1, len(words) + 1):
        ear.say(heard(" ".join(words[:count]), 0.0, float(count)), after=PATIENCE - 0.1)
    assert ear.kinds(Finalize) == []
    assert len(ear.kinds(Interim)) == len(words)


def test_a_caller_who_goes_on_while_words_are_asked_for_is_not_cut() -> None:
    ear = Ear()
    ear.say(heard("my number is", 0.0, 1.0))
    ear.wait(PATIENCE + 0.1)
    ear.say(SpeechStarted(2.3), after=0.0)
    ear.say(heard("my number is", 0.0, 2.3, final=True, speech_final=True, from_finalize=True))
    ear.say(heard("four four", 2.3, 3.5, final=True, speech_final=True))
    assert ear.turns == ["my number is four four"]


def test_an_utterance_end_that_is_older_than_the_newest_word_ends_nothing() -> None:
    ear = Ear()
    ear.say(
        SpeechStarted(0.2),
        heard("my account number is", 0.0, 1.6, final=True, last_word=(1.1, 1.4)),
        heard("four", 1.6, 2.8, last_word=(2.4, 2.7)),
    )
    ear.say(UtteranceEnd(1.4), after=0.03)
    assert ear.turns == ["my account number is …"] and not ear.kinds(Finalize)
    ear.say(heard("four four seven one", 1.6, 4.0, final=True, speech_final=True), after=0.6)
    assert ear.turns == ["my account number is four four seven one"]


@pytest.mark.parametrize("last_word_end", [None, 1.4, 1.38])
def test_an_utterance_end_of_the_newest_word_or_of_none_ends_the_turn(
    last_word_end: float | None,
) -> None:
    ear = Ear()
    ear.say(heard("i need a cleaning", 0.0, 1.6, final=True, last_word=(1.1, 1.4)))
    ear.say(UtteranceEnd(last_word_end))
    assert ear.turns == ["i need a cleaning"]
    assert ear.kinds(Finished) == [Finished(1.4)]


def test_deepgram_s_minus_one_is_no_time() -> None:
    message = {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": -1}
    assert decode(message) == UtteranceEnd(None)
    assert decode({"type": "UtteranceEnd"}) == UtteranceEnd(None)


def test_an_utterance_end_settles_words_that_noise_keeps_from_becoming_final() -> None:
    ear = Ear(FINAL)
    ear.say(INTERIM)
    ear.say(UtteranceEnd(0.8))
    assert ear.turns == [ME]


def test_a_turn_ends_once() -> None:
    ear = Ear()
    ear.say(heard("hello", 0.0, 1.0, final=True, speech_final=True))
    ear.say(UtteranceEnd(1.0), heard("", 1.0, 6.0, final=True, speech_final=True), after=1.0)
    assert len(ear.kinds(Finished)) == 1


def test_a_sound_without_words_is_an_onset_and_no_turn() -> None:
    ear = Ear()
    ear.say(SpeechStarted(0.2), heard("", 0.0, 1.0), UtteranceEnd(None))
    assert ear.kinds(Onset, Finished, Words) == [Onset()]


def test_what_is_not_settled_is_not_understood() -> None:
    """A new socket is fed from there: words that were only shown must be heard again."""
    ear = Ear()
    ear.say(heard("hello", 2.0, 3.0), heard("", 3.0, 4.0), after=0.1)
    assert ear.kinds(Understood) == []
    ear.say(heard("hello", 2.0, 3.5, final=True))
    assert ear.kinds(Understood) == [Understood(3.5)]
    ear.say(heard("", 3.5, 6.0))
    assert ear.kinds(Understood)[1:] == [Understood(5.0)]


TEXTS = st.sampled_from(["", "yes", "yes that", "yes that is me", "no"])


@st.composite
def conversations(draw: st.DrawFn) -> list[tuple[float, Any]]:
    """Events in the order of their audio, as careless as Deepgram may be about everything else."""
    events, start, end = list[tuple[float, Any]](), 0.0, 0.0
    for _ in range(draw(st.integers(0, 20))):
        end += draw(st.floats(0.05, 2.0))
        text, kind = draw(TEXTS), draw(st.integers(0, 5))
        event: Any = heard(text, start, end)
        if kind == 1:
            event = SpeechStarted(end)
        elif kind == 2:
            event = UtteranceEnd(draw(st.one_of(st.none(), st.floats(0.0, end))))
        elif kind >= 3:
            speech_final, asked = draw(st.booleans()), draw(st.booleans())
            event = heard(
                text, start, end, final=True, speech_final=speech_final, from_finalize=asked
            )
            start = end
        events.append((draw(st.floats(0.0, 3.0)), event))
    return events


@given(conversations())
def test_whatever_comes_no_word_waits_for_ever_and_no_silence_is_a_turn(
    events: list[tuple[float, Any]],
) -> None:
    ear = Ear()
    for wait, event in events:
        ear.say(event, after=wait)
    ear.wait(PATIENCE + FINALIZE_SECONDS + 0.1)
    assert ear.hearing.due is None, "nothing is left open"
    assert all(isinstance(o, Interim | Words) and o.text for o in ear.kinds(Interim, Words))
    settled = [o.at for _, o in ear.outcomes if isinstance(o, Understood)]
    assert all(
        at <= max((getattr(e, "end", 0.0) for _, e in events), default=0.0) for at in settled
    )


def shown(text: str, end: float, word_end: float, confidence: float = 0.95) -> Transcript:
    return Transcript(text, False, False, False, 0.0, end, confidence, (word_end - 0.2, word_end))


@pytest.mark.parametrize(
    ("told", "early"),
    [
        (shown("Is it open?", 1.25, 1.1), True),
        (shown("Is it open?", 1.15, 1.1), False),
        (shown("Is it open", 1.25, 1.1), False),
        (shown("Is it open?", 1.25, 1.1, 0.8), False),
    ],
)
def test_a_whole_sentence_with_quiet_behind_it_may_be_a_turn(told: Transcript, early: bool) -> None:
    assert (MayBeDone(told.text) in NovaHearing(1.2).handle(told, 1.2)) is early


def test_it_is_told_once_and_also_of_words_that_were_shown_before() -> None:
    hearing = NovaHearing(1.2)
    assert hearing.handle(shown("Is it open?", 1.1, 1.1), 1.1) == [Interim("Is it open?")]
    assert hearing.handle(shown("Is it open?", 1.3, 1.1), 1.3) == [MayBeDone("Is it open?")]
    assert hearing.handle(shown("Is it open?", 1.5, 1.1), 1.5) == []
