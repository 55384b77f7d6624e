"""The word lists of the sentence splitter."""

from __future__ import annotations

import pytest

from aybiza.claude import abbreviations


@pytest.mark.parametrize(
    "name",
    [name for name, value in vars(abbreviations).items() if isinstance(value, frozenset)],
)
def test_every_word_has_the_form_that_the_splitter_looks_up(name: str) -> None:
    words = vars(abbreviations)[name]
    assert words
    assert all(word == word.lower().strip().rstrip(".") for word in words)


def test_a_word_stands_in_one_class() -> None:
    classes = [
        abbreviations.NEVER,
        abbreviations.BEFORE_NUMBER,
        abbreviations.CLOCK,
        abbreviations.MAYBE,
    ]
    assert sum(map(len, classes)) == len(frozenset().union(*classes))
