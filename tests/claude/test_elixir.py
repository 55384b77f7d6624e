"""Elixir's rules where Python's differ."""

from __future__ import annotations

import pytest

from aybiza.claude.elixir import byte_patterns, count_matching, greater, less, truthy, words


@pytest.mark.parametrize("value", [0, "", [], 0.0, True])
def test_only_nil_and_false_are_false(value: object) -> None:
    assert truthy(value)
    assert not truthy(None)
    assert not truthy(False)


@pytest.mark.parametrize("value", [None, "x", True, False, []])
def test_what_is_no_number_is_above_every_number(value: object) -> None:
    assert greater(value, 10**9)
    assert not less(value, 10**9)


def test_numbers_compare_as_numbers() -> None:
    assert greater(2, 1) and not greater(1, 1) and less(0.5, 1) and not less(1, 1)


@pytest.mark.parametrize(
    "separator", [" ", "\n", "\v", "\x85", "\u1680", "\u2003", "\u2028", "\u3000"]
)
def test_words_are_parted_by_unicode_white_space(separator: str) -> None:
    assert words(f"{separator}a{separator}{separator}b{separator}") == ["a", "b"]


@pytest.mark.parametrize("joiner", ["\u00a0", "\u2007", "\u202f", "\x1c", "\x1f", "\u200b"])
def test_words_are_not_parted_by_no_break_spaces_and_separators(joiner: str) -> None:
    assert words(f"a{joiner}b") == [f"a{joiner}b"]


def test_patterns_see_bytes_and_know_the_case_of_ascii_only() -> None:
    patterns = byte_patterns(rb"a.b", rb"k")
    assert count_matching(patterns, "A-B K") == 2
    assert count_matching(patterns, "a\u00e9b \u212a \ud83d") == 0
