"""Words with times."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators.deepgram.spoken_words import timed_words


def test_words_share_the_time_and_lose_their_punctuation() -> None:
    hello, there = timed_words("Hello, there.", 100, 300)
    assert hello == {
        "word": "hello",
        "start": 0.1,
        "end": 0.2,
        "confidence": 0.99,
        "punctuated_word": "Hello,",
    }
    assert (there["word"], there["start"], there["end"]) == ("there", 0.2, 0.3)
    assert timed_words("", 0, 100) == []


@given(st.text(alphabet="ab .,", max_size=60), st.integers(0, 10_000), st.integers(0, 10_000))
def test_words_follow_one_another_from_the_start_to_the_end(
    text: str, start: int, length: int
) -> None:
    words = timed_words(text, start, start + length)
    assert " ".join(word["punctuated_word"] for word in words) == " ".join(text.split())
    for one, other in pairwise(words):
        assert one["end"] == other["start"]
    if words:
        assert (words[0]["start"], words[-1]["end"]) == (start / 1000, (start + length) / 1000)
