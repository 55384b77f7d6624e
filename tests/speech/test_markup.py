"""Markup: what is for the eye goes, the words stay. The table of `test_spoken_text` has more."""

from __future__ import annotations

import doctest

from hypothesis import given
from hypothesis import strategies as st

from aybiza.speech import markup
from aybiza.speech.markup import plain


def test_the_examples_hold() -> None:
    assert doctest.testmod(markup).attempted > 0
    assert doctest.testmod(markup).failed == 0


def test_an_answer_full_of_markup_is_words_only() -> None:
    answer = (
        "**Monday** works! 😊 We're at *3 Main Street*. # Prices\n\n- Cleaning: `90` dollars\n"
        "- [Check-up](https://example.com/c): 60 dollars"
    )
    assert plain(answer) == (
        "Monday works! We're at 3 Main Street. Prices Cleaning: 90 dollars Check-up: 60 dollars"
    )


@given(st.text())
def test_any_text_becomes_one_line_and_stays_as_it_then_is(text: str) -> None:
    once = plain(text)
    assert once == " ".join(once.split())


@given(st.from_regex(r"[A-Za-z]{1,8}( [A-Za-z]{1,8}){0,8}[.!?]", fullmatch=True))
def test_words_without_markup_are_not_touched(text: str) -> None:
    assert plain(text) == text
