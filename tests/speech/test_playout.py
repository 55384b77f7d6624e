"""The ledger: what went to the carrier, and what of it the caller has heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.speech.playout import (
    BYTES_A_SECOND,
    CHARACTERS_A_SECOND,
    MARK_GRACE_SECONDS,
    Cut,
    Ledger,
    Sentence,
)

ONE, TWO, THREE = Sentence(1, 1), Sentence(1, 2), Sentence(1, 3)
SECOND = BYTES_A_SECOND


def sent(ledger: Ledger, sentence: Sentence, seconds: float, now: float = 0.0) -> str:
    """All of a sentence goes out at once; returns its mark."""
    ledger.sent(sentence, int(seconds * SECOND), now)
    return ledger.mark(sentence)


# Sending


def test_what_is_out_is_counted_by_sentence() -> None:
    ledger = Ledger()
    ledger.sent(ONE, 100, 0.0)
    ledger.sent(ONE, 60, 0.0)
    ledger.sent(TWO, 5, 0.0)
    assert (ledger.bytes_sent(ONE), ledger.bytes_sent(TWO), ledger.bytes_sent(THREE)) == (160, 5, 0)


def test_it_is_known_what_was_given_together() -> None:
    ledger = Ledger()
    ledger.given(ONE, 10)
    ledger.given(TWO, 10, ONE)
    assert ledger.together(ONE) == [ONE, TWO]
    assert ledger.together(TWO) == []
    ledger.given(ONE, 10)
    assert ledger.together(ONE) == [ONE]


def test_the_carrier_plays_in_real_time_from_the_moment_it_has_something() -> None:
    ledger = Ledger()
    assert ledger.ahead(5.0) == 0.0
    ledger.sent(ONE, 2 * SECOND, 10.0)
    assert ledger.ahead(10.0) == 2.0
    assert ledger.ahead(11.5) == 0.5
    assert ledger.ahead(20.0) == 0.0
    ledger.sent(TWO, SECOND, 20.0)
    assert ledger.ahead(20.0) == 1.0


def test_a_sentence_is_complete_when_its_mark_is_out() -> None:
    ledger = Ledger()
    ledger.sent(ONE, SECOND, 0.0)
    assert not ledger.is_complete(ONE)
    ledger.mark(ONE)
    assert ledger.is_complete(ONE)
    assert not ledger.is_heard(ONE)


# Marks


def test_a_mark_that_comes_back_tells_its_sentence_once() -> None:
    ledger = Ledger()
    mark = sent(ledger, ONE, 1.0)
    assert ledger.marked(mark) == ONE
    assert ledger.is_heard(ONE)
    assert ledger.is_complete(ONE)
    assert ledger.heard() == {ONE}
    assert ledger.marked(mark) is None


@pytest.mark.parametrize(
    "name", ["", "1", "0:1", "0:1:2", "0:1:1:1", "x:y:z", "²:1:1", "0:1:-1", "9" * 5000 + ":1:1"]
)
def test_a_mark_that_was_never_sent_tells_nothing(name: str) -> None:
    ledger = Ledger()
    sent(ledger, ONE, 1.0)
    assert ledger.marked(name) is None
    assert ledger.heard() == frozenset()


@given(st.text())
def test_no_name_of_a_mark_does_any_harm(name: str) -> None:
    assert Ledger().marked(name) is None


def test_marks_that_clear_returns_tell_nothing() -> None:
    ledger = Ledger()
    mark = sent(ledger, ONE, 1.0)
    ledger.clear(0.5)
    assert ledger.marked(mark) is None


def test_a_sentence_said_again_after_a_clear_has_another_mark() -> None:
    ledger = Ledger()
    stale = sent(ledger, ONE, 1.0)
    ledger.clear(0.5)
    mark = sent(ledger, ONE, 1.0, now=1.0)
    assert mark != stale
    assert ledger.marked(stale) is None
    assert ledger.marked(mark) == ONE


def test_a_mark_that_never_comes_back_does_not_hold_up_the_call() -> None:
    ledger = Ledger()
    mark = sent(ledger, ONE, 1.0)
    assert ledger.overdue(0.99 + MARK_GRACE_SECONDS) == []
    assert ledger.overdue(1.0 + MARK_GRACE_SECONDS) == [ONE]
    assert ledger.overdue(9.0) == []
    assert ledger.is_heard(ONE)
    assert ledger.marked(mark) is None


def test_a_sentence_that_is_not_all_out_is_never_overdue() -> None:
    ledger = Ledger()
    ledger.sent(ONE, SECOND, 0.0)
    assert ledger.overdue(100.0) == []


def test_a_sentence_without_audio_is_overdue_like_any_other() -> None:
    ledger = Ledger()
    sent(ledger, ONE, 1.0)
    ledger.mark(TWO)
    assert ledger.overdue(1.0 + MARK_GRACE_SECONDS) == [ONE, TWO]


# Clearing


def test_nothing_is_cut_where_nothing_is_played() -> None:
    assert Ledger().clear(1.0) is None


def test_the_cut_is_where_the_carrier_was() -> None:
    ledger = Ledger()
    sent(ledger, ONE, 2.0)
    sent(ledger, TWO, 4.0)
    assert ledger.clear(3.0) == Cut(TWO, 0.25)


def test_nothing_is_left_to_cut_when_all_was_heard() -> None:
    ledger = Ledger()
    sent(ledger, ONE, 2.0)
    ledger.clear(1.0)
    ledger.marked(sent(ledger, ONE, 2.0, now=2.0))
    assert ledger.clear(4.5) is None


def test_a_second_clear_tells_the_place_again_that_the_caller_had_come_to() -> None:
    ledger = Ledger()
    sent(ledger, ONE, 2.0)
    assert ledger.clear(1.0) == Cut(ONE, 0.5)
    assert ledger.clear(1.5) == Cut(ONE, 0.5)
    sent(ledger, ONE, 2.0, now=2.0)
    assert ledger.clear(2.5) == Cut(ONE, 0.5)
    sent(ledger, ONE, 2.0, now=3.0)
    assert ledger.clear(4.5) == Cut(ONE, 0.75)


def test_the_texts_before_a_clear_measure_nothing_behind_it() -> None:
    ledger = Ledger()
    ledger.given(ONE, 600)
    ledger.clear(0.0)
    ledger.sent(ONE, SECOND, 0.0)
    assert ledger.clear(0.5) == Cut(ONE, 0.5)


def test_what_has_not_begun_to_play_is_not_cut() -> None:
    ledger = Ledger()
    sent(ledger, ONE, 2.0)
    sent(ledger, TWO, 4.0)
    assert ledger.clear(1.0) == Cut(ONE, 0.5)


def test_a_pause_in_the_audio_is_no_part_of_what_was_played() -> None:
    ledger = Ledger()
    ledger.sent(ONE, SECOND, 0.0)
    ledger.sent(ONE, SECOND, 9.0)
    ledger.mark(ONE)
    assert ledger.clear(9.5) == Cut(ONE, 0.75)


def test_a_sentence_heard_before_the_clear_stays_heard() -> None:
    ledger = Ledger()
    ledger.marked(sent(ledger, ONE, 1.0))
    sent(ledger, TWO, 1.0, now=1.0)
    assert ledger.clear(1.5) == Cut(TWO, 0.5)
    assert ledger.is_heard(ONE)
    assert ledger.is_complete(ONE)
    assert ledger.bytes_sent(ONE) == SECOND


def test_a_sentence_that_was_played_counts_as_heard_though_its_mark_is_on_its_way() -> None:
    ledger = Ledger()
    sent(ledger, ONE, 1.0)
    sent(ledger, TWO, 1.0)
    ledger.clear(1.5)
    assert ledger.heard() == {ONE}


def test_a_sentence_that_was_played_to_its_end_is_cut_behind_it() -> None:
    ledger = Ledger()
    sent(ledger, ONE, 1.0)
    assert ledger.clear(1.2) == Cut(ONE, 1.0)
    assert ledger.is_heard(ONE)


def test_what_was_not_heard_can_be_said_again() -> None:
    ledger = Ledger()
    sent(ledger, ONE, 2.0)
    ledger.clear(1.0)
    assert not ledger.is_complete(ONE)
    assert ledger.bytes_sent(ONE) == 0
    assert ledger.ahead(1.0) == 0.0
    assert ledger.generation == 1
    assert ledger.overdue(100.0) == []


def test_a_sentence_of_which_not_all_is_out_is_measured_by_its_text() -> None:
    ledger = Ledger()
    ledger.given(ONE, int(4 * CHARACTERS_A_SECOND))
    ledger.sent(ONE, 2 * SECOND, 0.0)
    assert ledger.clear(1.0) == Cut(ONE, 0.25)


def test_a_sentence_of_which_not_all_is_out_was_never_played_to_its_end() -> None:
    ledger = Ledger()
    ledger.given(ONE, 1)
    ledger.sent(ONE, 2 * SECOND, 0.0)
    cut = ledger.clear(5.0)
    assert cut is not None
    assert 0.9 < cut.fraction < 1.0
    assert not ledger.is_heard(ONE)


@pytest.mark.parametrize(
    ("now", "cut"),
    [(1.0, Cut(ONE, 0.5)), (3.0, Cut(TWO, 0.25)), (7.0, Cut(THREE, 0.5)), (9.0, Cut(THREE, 1.0))],
)
def test_sentences_that_are_spoken_in_one_go_are_told_apart_by_their_texts(
    now: float, cut: Cut
) -> None:
    ledger = Ledger()
    ledger.given(ONE, 20)
    ledger.given(TWO, 40, first=ONE)
    ledger.given(THREE, 20, first=ONE)
    ledger.sent(ONE, 8 * SECOND, 0.0)
    for sentence in (ONE, TWO, THREE):
        ledger.mark(sentence)
    assert ledger.clear(now) == cut


def test_a_sentence_that_is_given_again_is_measured_alone() -> None:
    ledger = Ledger()
    ledger.given(ONE, 20)
    ledger.given(TWO, 60, first=ONE)
    ledger.given(ONE, 20)
    sent(ledger, ONE, 2.0)
    assert ledger.clear(1.0) == Cut(ONE, 0.5)


@given(
    st.lists(st.tuples(st.integers(0, 3 * SECOND), st.floats(0, 2)), min_size=1, max_size=6),
    st.integers(0, 80),
    st.floats(0, 20),
    st.booleans(),
)
def test_a_cut_is_always_in_a_sentence_that_is_out_and_between_its_ends(
    pieces: list[tuple[int, float]], characters: int, later: float, complete: bool
) -> None:
    ledger, now = Ledger(), 0.0
    for seq, (size, pause) in enumerate(pieces, 1):
        now += pause
        sentence = Sentence(1, seq)
        ledger.given(sentence, characters)
        ledger.sent(sentence, size, now)
        if complete or seq < len(pieces):
            ledger.mark(sentence)
    cut = ledger.clear(now + later)
    assert cut is not None
    assert 1 <= cut.sentence.seq <= len(pieces)
    assert 0.0 <= cut.fraction <= 1.0
    assert all(heard.seq <= cut.sentence.seq for heard in ledger.heard())
    assert cut.fraction == 1.0 or not ledger.is_heard(cut.sentence)
