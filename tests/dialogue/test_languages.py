"""In which language a call goes on: by a request, or by words enough, and never by one word."""

from __future__ import annotations

import doctest

from aybiza.dialogue import languages
from aybiza.dialogue.languages import Said, asked_for, next_language, turn_language
from tests.cases import each

ALL = ("en-US", "es", "fr", "de", "pt-BR", "nl", "hi", "ja", "it")


def test_the_examples_hold() -> None:
    assert doctest.testmod(languages).failed == 0


@each(
    [
        ("Can we speak Spanish?", "es"),
        ("Could we continue in German, please?", "de"),
        ("Español, por favor.", "es"),
        ("¿Habla español?", "es"),
        ("Sorry, my English is bad. Do you speak French?", "fr"),
        ("Parlez-vous français ?", "fr"),
        ("Sprechen Sie Deutsch?", "de"),
        ("Können wir auf Englisch weitersprechen?", "en-US"),
        ("Können wir Englisch sprechen?", "en-US"),
        ("Auf Deutsch, bitte.", "de"),
        ("Você fala português?", "pt-BR"),
        ("Spreekt u Nederlands?", "nl"),
        ("Parla italiano?", "it"),
        ("日本語でお願いします。", "ja"),
        ("日本語で話せますか。", "ja"),
        ("क्या हम हिन्दी में बात कर सकते हैं?", "hi"),
        ("Spanish?", "es"),
        ("I don't speak Spanish.", ""),
        ("No, not Spanish.", ""),
        ("Do you have a book in Spanish?", ""),
        ("My wife speaks Spanish.", ""),
        ("Do you speak Spanish or German?", ""),
        ("Can we speak Polish?", ""),
        ("I would like a Spanish omelette.", ""),
        ("", ""),
    ]
)
def test_who_asks_for_a_language_is_understood(text: str, wanted: str) -> None:
    assert asked_for(text, ALL) == wanted


@each(
    [
        # The first turn says what a caller speaks.
        ("en-US", [("Hola, buenas tardes.", "es")], "es"),
        ("en-US", [("Hola.", "es")], None),
        ("en-US", [("Guten Tag.", "de")], "de"),
        ("en-US", [("予約をお願いします。", "ja")], "ja"),
        # A later one needs more words, or the one before it.
        ("en-US", [("A table, please.", "en"), ("Gracias.", "es")], None),
        ("en-US", [("A table, please.", "en"), ("Muchas gracias, señor.", "es")], None),
        ("en-US", [("A table.", "en"), ("Quisiera una mesa para dos.", "es")], "es"),
        ("en-US", [("Hola.", "es"), ("Buenos días.", "es")], "es"),
        ("en-US", [("Sí.", "es"), ("Sí.", "es")], None),
        ("en-US", [("Sí.", "es"), ("Yes.", "en"), ("Sí, gracias.", "es")], None),
        # And back again.
        ("es", [("Hola, buenas tardes.", "es"), ("Can I speak to a person?", "en")], "en-US"),
        ("es", [("Hola, buenas tardes.", "es"), ("Okay.", "en")], None),
        # A request needs none.
        ("en-US", [("A table.", "en"), ("German, please.", "en")], "de"),
        # What the agent does not speak, and what nobody could tell, changes nothing.
        ("en-US", [("Dzień dobry, chciałbym zarezerwować stolik.", "pl")], None),
        ("en-US", [("4 2 7 1", "")], None),
        ("en-US", [], None),
    ]
)
def test_the_call_goes_on_in_the_callers_language(
    current: str, said: list[tuple[str, str]], wanted: str | None
) -> None:
    assert next_language(current, ALL, [Said(*one) for one in said]) == wanted


def test_an_agent_of_one_language_stays_in_it() -> None:
    assert next_language("en-US", (), [Said("Hola, buenas tardes, señora.", "es")]) is None


@each(
    [
        ([("Hola, buenas tardes.", "es")], "es"),
        ([("Hola, buenas tardes.", "")], "es"),
        ([("I live in", "en"), ("San Sebastián de los Reyes", "es")], "es"),
        ([("I live in the street called", "en"), ("Las Ramblas", "es")], "en"),
        ([("Dobry wieczór", "pl")], ""),
        ([("4", ""), ("2", "")], ""),
        ([], ""),
    ]
)
def test_a_turn_is_in_the_language_of_most_of_its_words(
    pieces: list[tuple[str, str]], language: str
) -> None:
    assert turn_language(pieces, ALL) == language
