"""What was heard, in one form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators.bedrock.clinic.words import number_of, number_word, plain


@pytest.mark.parametrize(
    ("heard", "words"),
    [
        ("Hello, I'd like to book!", "hello i would like to book"),
        ("At 2.30 p.m., please.", "at 2:30 pm please"),
        ("nine thirty a m", "nine thirty am"),
        ("ten o clock", "ten o'clock"),
        ("when am i due", "when am i due"),
        ("a check-up", "a checkup"),
        ("my x rays", "my xray"),
        ("I can’t make it", "i can not make it"),
        ("what's my balance", "what is my balance"),
        ("im tom dont go", "i am tom do not go"),
        ("id like that", "i would like that"),
        ("okay thank you good bye", "alright thanks goodbye"),
        ("um uh yes", "yes"),
        ("a point meant on wensday", "appointment on wednesday"),
        ("i want to council my apartment", "i want to cancel my appointment"),
        ("the 9th, at 10:30AM", "the 9th at 10:30 am"),
        ("$1,200", "1200"),
        ("", ""),
        ("...", ""),
    ],
)
def test_plain(heard: str, words: str) -> None:
    assert plain(heard) == words


@given(st.text(max_size=100))
def test_any_text_becomes_single_spaced_lower_case(text: str) -> None:
    words = plain(text)
    assert words == " ".join(words.split())
    assert words == words.lower()


@pytest.mark.parametrize(
    ("word", "number"),
    [("nine", 9), ("twelve", 12), ("forty", 40), ("07", 7), ("many", None), ("9" * 12, None)],
)
def test_a_word_may_be_a_number(word: str, number: int | None) -> None:
    assert number_of(word) == number


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (7, "seven"),
        (15, "fifteen"),
        (40, "forty"),
        (85, "eighty five"),
        (100, "one hundred"),
        (121, "one hundred twenty one"),
        (3000, "three thousand"),
        (9999, "nine thousand nine hundred ninety nine"),
        (10_000, "10000"),
    ],
)
def test_a_number_in_words(number: int, words: str) -> None:
    assert number_word(number) == words
