"""Thoughts are left out of the text however the deltas are cut."""

from __future__ import annotations

import doctest
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.claude import silent_text
from aybiza.claude.silent_text import TAGS, SilentText

PIECES = st.sampled_from(
    ["Yes. ", "a < b ", "<b>bold</b> ", "I <3 you ", "5 <", " <th", "ink ", "No."]
    + [f"<{tag}>silent, <b>" for tag in TAGS]
    + [f"</{tag}>" for tag in TAGS]
)


def spoken(text: str, cuts: list[int]) -> str:
    """What is to be spoken of `text` when it comes cut at these places."""
    silent, said, at = SilentText(), "", 0
    for cut in [*sorted({cut % (len(text) + 1) for cut in cuts}), len(text)]:
        said += silent.feed(text[at:cut])
        at = cut
    return said + silent.flush()


def expected(text: str) -> str:
    tags = "|".join(TAGS)
    return re.sub(rf"<({tags})\b[^<>]*>.*?(</\1\s*>|\Z)", "", text, flags=re.S | re.I)


def test_the_examples_hold() -> None:
    assert doctest.testmod(silent_text).attempted > 0
    assert doctest.testmod(silent_text).failed == 0


@given(st.lists(PIECES).map("".join), st.lists(st.integers(0, 500)))
def test_the_same_is_spoken_wherever_the_deltas_are_cut(text: str, cuts: list[int]) -> None:
    assert spoken(text, cuts) == expected(text)


@pytest.mark.parametrize("tag", TAGS)
def test_a_thought_that_is_never_closed_is_silent(tag: str) -> None:
    assert spoken(f"Well. <{tag}>He is late. ", []) == "Well. "


def test_a_sign_that_opens_nothing_is_held_back_for_one_delta_at_most() -> None:
    silent = SilentText()
    assert silent.feed("2 <") == "2 "
    assert silent.feed(" 3") == "< 3"


def test_what_is_held_of_an_endless_thought_is_bounded() -> None:
    silent = SilentText()
    silent.feed("<thinking>")
    for _ in range(1000):
        silent.feed("more and more ")
    assert len(silent._held) <= 32
