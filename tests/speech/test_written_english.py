"""Signs as English says them."""

from __future__ import annotations

import pytest

from aybiza.speech.spoken_words import words_of
from aybiza.speech.written_english import ENGLISH_ROWS, PLACES, ordinal


@pytest.mark.parametrize(
    ("number", "said"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (22, "22nd")]
)
def test_a_number_of_a_row(number: int, said: str) -> None:
    assert ordinal(number) == said


def test_no_row_finds_anything_in_a_text_without_signs() -> None:
    words, text = words_of("en"), "May I help you on Sunday, or shall we say no to the sun?"
    for pattern, say in ENGLISH_ROWS:
        assert pattern.sub(lambda match, say=say: say(match, words), text) == text  # type: ignore[misc]


def test_a_street_and_a_saint_are_told_apart() -> None:
    text = "12 Elm St, near St. Mary"
    for pattern, full in PLACES:
        text = pattern.sub(full, text)
    assert text == "12 Elm Street, near Saint Mary"
