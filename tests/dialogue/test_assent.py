"""What counts as a yes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.dialogue.assent import assent
from aybiza.dialogue.consent_words import LANGUAGES

ASKED = "Tuesday at ten, is that right?"
TABLE = tomllib.loads(Path(__file__).with_name("consent_phrases.toml").read_text(encoding="utf-8"))
PHRASES = [
    (language, phrase, kind == "consents")
    for language, kinds in TABLE.items()
    for kind, phrases in kinds.items()
    for phrase in phrases
]


def test_the_table_is_large_and_has_every_language() -> None:
    assert len(PHRASES) >= 100
    assert set(TABLE) == set(LANGUAGES)


@pytest.mark.parametrize(("language", "phrase", "agrees"), PHRASES)
def test_what_callers_say_is_a_consent_or_none(language: str, phrase: str, agrees: bool) -> None:
    assert (assent(phrase, language, ASKED) is True) is agrees
    assert (assent(phrase, "multi", ASKED) is True) is agrees


@pytest.mark.parametrize(
    "words",
    [
        "Yes.",
        "yeah, that works",
        "Sure, go ahead.",
        "That’s right.",
        "Okay please book it",
        "No problem, yes please.",
        "Sí, por favor.",
        "Ja, genau.",
        "はい",
    ],
)
def test_a_yes(words: str) -> None:
    assert assent(words) is True


@pytest.mark.parametrize(
    "words",
    [
        "No.",
        "nope",
        "No, yes, I mean Thursday",
        "I don't think so",
        "That's not right",
        "Wait, okay?",
        "Actually, make it Friday.",
        "Do not do it",
        "Nein",
    ],
)
def test_a_no(words: str) -> None:
    assert assent(words) is False


@pytest.mark.parametrize(
    "words",
    [
        "",
        "Book me in for Friday at ten.",
        "My yesterday was fine",
        "Notebook and surely",
        "No problem.",
        "Is it right that you close at six?",
    ],
)
def test_neither(words: str) -> None:
    assert assent(words) is None


@given(st.text(max_size=200))
def test_any_words_have_an_answer(words: str) -> None:
    assert assent(words) in (True, False, None)
