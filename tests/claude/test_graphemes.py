"""Grapheme clusters, by examples of the standard's rules."""

from __future__ import annotations

import pytest

from aybiza.claude.graphemes import grapheme_count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("abc", 3),
        ("a\r\nb", 3),
        ("a\n\rb", 4),
        ("é\r\n", 2),
        ("e\u0301\u0301x", 2),
        ("\u0301", 1),
        ("日本", 2),
        ("한국", 2),
        ("\u1112\u1161\u11ab", 1),
        ("\u1112a\u1161", 3),
        ("\uac00\u11a8", 1),
        ("\uac01\u1161", 2),
        ("नि", 1),
        ("กำ", 1),
        ("\u0600é", 1),
        ("🇩🇪🇫🇷", 2),
        ("🇩🇪🇫", 2),
        ("👨\u200d👩\u200d👧", 1),
        ("👨👩", 2),
        ("👍🏽", 1),
        ("❤\ufe0f\u200d🔥", 1),
        ("é\u200d👩", 2),
        ("é\u00ad", 2),
    ],
)
def test_counts_what_a_reader_sees(text: str, count: int) -> None:
    assert grapheme_count(text) == count
