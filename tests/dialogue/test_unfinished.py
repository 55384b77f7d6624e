"""Which words of a caller are the beginning of more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.dialogue.unfinished import has_few_digits, wants_more

BEGINNINGS = {
    "en": ["I would like to", "a table and", "because", "My name is", "I want, um,", "It's the."],
    "de": ["Ich möchte", "einen Tisch und", "weil", "Mein Name ist", "Ich brauche eine"],
    "es": ["Quiero una", "una mesa para", "porque", "Me gustaría, eh,", "Necesito el"],
    "fr": ["Je voudrais", "une table pour", "parce que", "C'est", "J'ai besoin d'une"],
    "pt": ["Eu quero", "uma mesa para", "porque", "Preciso de uma"],
    "it": ["Vorrei", "un tavolo per", "perché", "Mi serve una"],
    "nl": ["Ik wil", "een tafel voor", "omdat", "Ik zoek een"],
    "hi": ["मुझे", "एक मेज और", "क्योंकि"],
    "ja": ["予約を", "火曜日は", "えーと、"],
}
WHOLE = {
    "en": ["I want a table.", "Where are you at?", "I'd love to.", "Yes please", "For two", "Ann"],
    "de": ["Einen Tisch bitte.", "Ja, gerne", "Wo ist das?", "Ich nehme das.", "Um zehn"],
    "es": ["Una mesa, por favor.", "Sí", "¿Dónde está?", "A las diez"],
    "fr": ["Une table, s'il vous plaît.", "Oui", "Où est-ce ?", "À dix heures"],
    "pt": ["Uma mesa, por favor.", "Sim", "Às dez"],
    "it": ["Un tavolo, per favore.", "Sì", "Alle dieci"],
    "nl": ["Een tafel, graag.", "Ja graag", "Om tien uur"],
    "hi": ["एक मेज चाहिए।", "जी हाँ", "मंगलवार को"],
    "ja": ["予約をお願いします。", "はい", "火曜日です。"],
}


@pytest.mark.parametrize("language", BEGINNINGS)
def test_a_beginning_is_known_by_its_last_words(language: str) -> None:
    assert [text for text in BEGINNINGS[language] if not wants_more(text, language)] == []
    assert [text for text in WHOLE[language] if wants_more(text, language)] == []


def test_of_nothing_nothing_is_wanted() -> None:
    assert not any(wants_more(text, "en") for text in ("", " ", "?", "…"))


@pytest.mark.parametrize(
    ("text", "few"),
    [
        ("five five five", True),
        ("55", True),
        ("five", False),
        ("four four two seven", False),
        ("My number is 555.", True),
        ("5551234", False),
        ("no digits", False),
    ],
)
def test_a_number_that_is_told_has_more_than_a_few_digits(text: str, few: bool) -> None:
    assert has_few_digits(text, "en") is few


@given(st.text(max_size=60), st.sampled_from(["en", "ja", "multi", "fi"]))
def test_any_text_is_answered(text: str, language: str) -> None:
    assert wants_more(text, language) in (True, False)
    assert has_few_digits(text, language) in (True, False)
