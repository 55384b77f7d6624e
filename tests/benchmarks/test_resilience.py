"""What the judge of strangers' calls counts as answered, lost, doubled, silent, and back."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.benchmarks.resilience import (
    ANSWERS,
    COLUMNS,
    PLANS,
    QUESTIONS,
    Connections,
    Row,
    answer_has_begun,
    judged,
    pieces,
    respond,
    table,
)
from aybiza.emulators.phone import Report
from aybiza.emulators.phone.report import Heard, Turn

NOBODY = Connections(0, 0, 0)
ASKED_MS = (10_000.0, 30_000.0, 50_000.0)


def report(*heard: Heard) -> Report:
    """A call whose questions end at 10, 30 and 50 s."""
    turns = [Turn("", text, end - 500, end) for text, end in zip(QUESTIONS, ASKED_MS, strict=True)]
    return Report("s", "CA1", turns=turns, heard=list(heard), duration_ms=65_000.0)


def said(at_ms: float, *sentences: str) -> Heard:
    return Heard(at_ms, at_ms + 2000 * len(sentences), " ".join(sentences))


PARK, EAT, SLEEP = (ANSWERS[word] for word in ("park", "eat", "sleep"))


def row(*heard: Heard, killed_ms: float | None = None) -> Row:
    return judged(PLANS[0], report(*heard), NOBODY, killed_ms)


def test_a_call_in_which_all_is_heard_has_nothing_lost_and_its_pauses_are_measured() -> None:
    told = row(said(11_000, *PARK), said(32_500, *EAT), said(51_000, *SLEEP))
    assert (told.answered, told.lost, told.doubled) == (3, 0, 0)
    # The pause behind an answer is nobody's.
    assert told.silence == 2.5
    assert told.back == 2.5


def test_sentences_that_are_not_heard_or_cut_are_lost_and_those_heard_twice_doubled() -> None:
    cut = Heard(32_000, 33_000, EAT[0][:20])
    told = row(said(11_000, *PARK, PARK[0]), cut, said(51_000, *SLEEP))
    assert (told.answered, told.lost, told.doubled) == (2, 3, 1)


def test_silence_counts_until_the_next_question_if_the_answer_never_comes() -> None:
    told = row(said(11_000, *PARK), said(51_000, *SLEEP))
    assert told.silence == pytest.approx(19.5)
    assert told.back == pytest.approx(21.0)
    assert row(said(11_000, *PARK)).back is None


def test_a_filler_breaks_the_silence_and_is_no_answer() -> None:
    filler = Heard(33_000, 34_000, "One moment, please.")
    told = row(said(11_000, *PARK), filler, said(36_000, *EAT), said(51_000, *SLEEP))
    assert told.silence == 3.0
    assert told.back == 6.0


def test_after_a_kill_an_answer_counts_that_begins_after_it() -> None:
    told = row(
        said(11_000, *PARK),
        said(31_000, EAT[0]),
        said(38_000, *EAT[1:]),
        said(51_000, *SLEEP),
        killed_ms=32_000.0,
    )
    assert told.back == 6.0
    assert told.silence == 5.0


def test_a_sentence_is_found_in_its_stretch_of_speech_with_its_time() -> None:
    first, second = pieces(report(said(1000, PARK[1], PARK[0])))
    assert (first.sentence, second.sentence) == (PARK[1], PARK[0])
    assert first.at_ms == 1000 and first.until_ms == pytest.approx(second.at_ms)
    assert not answer_has_begun(report(said(1000, *PARK)))
    assert answer_has_begun(report(said(1000, EAT[0][:40])))


def told(*messages: dict[str, Any]) -> str:
    (block,) = respond({"messages": list(messages)}).blocks
    return str(getattr(block, "text", ""))


def test_the_model_answers_the_last_question() -> None:
    asked = [{"role": "user", "content": [{"text": text}]} for text in QUESTIONS[:2]]
    assert told(*asked) == " ".join(EAT)
    both = {"role": "user", "content": [{"text": " ".join(QUESTIONS[1:])}]}
    assert told(asked[0], both) == " ".join(SLEEP)
    assert told(*asked, {"role": "user", "content": [{"text": "Where"}]}) == "What do you mean?"


def test_the_table_has_a_cell_for_each_column() -> None:
    lines = table([row(), row(said(11_000, *PARK))])
    assert [line.count("|") for line in lines] == [len(COLUMNS) + 1] * 4
    assert "| never |" in lines[2]
