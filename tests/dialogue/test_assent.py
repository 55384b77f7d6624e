"""What counts as a yes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.dialogue.assent import assent
from aybiza.dialogue.consent_words import LANGUAGES

TABLE = tomllib.loads(Path(__file__).with_name("consent_phrases.toml").read_text(encoding="utf-8"))


def test_the_table_is_large_and_has_every_language() -> None:
    sizes = {
        language: len(kinds["consents"]) + len(kinds["others"]) for language, kinds in TABLE.items()
    }
    assert set(sizes) == set(LANGUAGES)
    assert min(sizes.values()) >= 60


@pytest.mark.parametrize("spoken", ["one", "multi"])
@pytest.mark.parametrize("language", TABLE)
def test_what_callers_say_is_a_consent_or_none(language: str, spoken: str) -> None:
    kinds = TABLE[language]
    known = language if spoken == "one" else "multi"
    agree = [text for text in kinds["consents"] if assent(text, known, kinds["asked"]) is True]
    taken = [text for text in kinds["others"] if assent(text, known, kinds["asked"]) is True]
    assert agree == kinds["consents"]
    assert taken == []


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("Yes I", "en"),
        ("Yes, and", "en"),
        ("Yes, I'd", "multi"),
        ("Okay, it's the.", "en"),
        ("Ja, und", "de"),
        ("Sí, y", "es"),
        ("Oui, et", "fr"),
        ("Sim, e", "pt"),
        ("Sì, e", "it"),
        ("Ja, en", "nl"),
        ("हाँ, और", "hi"),
    ],
)
def test_a_yes_that_breaks_off_is_no_consent(words: str, language: str) -> None:
    assert assent(words, language, "I book the tenth and the twelfth, is that right?") is None


@pytest.mark.parametrize(
    ("words", "asked", "agrees"),
    [
        ("Cancel it.", "Shall I cancel your appointment?", True),
        ("Yes, cancel it.", "Shall I cancel your appointment?", True),
        ("Yes, cancel that please.", "Shall I cancel your appointment?", True),
        ("Yes, cancel it.", "I book Tuesday at ten, is that right?", None),
        ("Cancel it.", "I book Tuesday at ten, is that right?", None),
        ("Yes, move it.", "Shall I move it to Friday?", True),
        ("Yes, move it.", "Shall I cancel it?", None),
        ("Ja, stornieren Sie das bitte.", "Soll ich den Termin stornieren?", True),
        ("Sí, cancélela.", "¿Cancelo su cita?", True),
        ("はい、キャンセルしてください。", "予約をキャンセルしますか。", True),
        ("はい、キャンセルしてください。", "火曜日の十時でよろしいですか。", None),
    ],
)
def test_what_takes_back_or_changes_is_agreed_to_where_that_was_asked(
    words: str, asked: str, agrees: bool | None
) -> None:
    assert assent(words, asked=asked) is agrees


@pytest.mark.parametrize(
    ("words", "asked", "agrees"),
    [
        ("Yes, Tuesday at 10.", "Tuesday at ten, is that right?", True),
        ("Yes, at ten o'clock.", "Tuesday at 10:00, is that right?", True),
        ("Yes, at 11.", "Tuesday at ten, is that right?", None),
        ("Yes, at 10 PM.", "Tuesday at 10 AM, is that right?", None),
        ("Yes, at 10 AM.", "Tuesday at 10 PM, is that right?", None),
        ("はい、10時で。", "火曜日の十時でよろしいですか。", True),
        ("はい、11時で。", "火曜日の十時でよろしいですか。", None),
    ],
)
def test_a_number_is_the_same_as_a_word_and_in_digits(
    words: str, asked: str, agrees: bool | None
) -> None:
    assert assent(words, asked=asked) is agrees


@pytest.mark.parametrize(
    ("language", "asked", "words"),
    [
        ("en", "It costs 20 dollars. Is there anything else?", "Yes."),
        ("en-US", "Can I help you with something else today?", "Sure, please."),
        ("es", "Cuesta veinte euros. ¿Puedo ayudarle en algo más?", "Sí."),
        ("fr", "Autre chose ?", "Oui."),
        ("de", "Das kostet 20 Euro. Kann ich sonst noch etwas für Sie tun?", "Ja, gerne."),
        ("pt", "Posso ajudar com mais alguma coisa?", "Sim."),
        ("it", "Posso aiutarla in qualcos'altro?", "Sì."),
        ("nl", "Kan ik verder nog iets voor u doen?", "Ja."),
        ("hi", "क्या और कुछ चाहिए?", "हाँ।"),
        ("ja", "ほかに何かございますか。", "はい。"),
        ("multi", "Kann ich sonst noch etwas tun?", "Ja."),
    ],
)
def test_a_yes_to_what_else_there_is_to_do_agrees_to_nothing(
    language: str, asked: str, words: str
) -> None:
    assert assent(words, language) is True
    assert assent(words, language, asked) is None


def test_what_else_there_is_may_be_said_before_the_question() -> None:
    assert assent("Yes.", "en", "Anything else can wait. Shall I book it?") is True


def test_a_sharp_s_is_read_as_it_is_compared() -> None:
    assert assent("Ja, außer Freitag", "de", "Freitag um zehn?") is None


def test_a_word_of_devanagari_is_whole() -> None:
    assert assent("हाँ, नीला", "hi") is None
    assert assent("हाँ, नीला", "hi", "नीला, ठीक है?") is True


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
