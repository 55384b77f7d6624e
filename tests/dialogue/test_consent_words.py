"""The catalogue of consent words is whole."""

from __future__ import annotations

import re

import pytest

from aybiza.dialogue.consent_words import LANGUAGES, words_for


@pytest.mark.parametrize("language", [*LANGUAGES, "multi"])
def test_every_phrase_is_a_pattern_by_itself(language: str) -> None:
    words = words_for(language)
    for group in (words.yes, words.no, words.wavers, words.harmless, words.beside):
        assert group
        for phrase in group.split("|"):
            assert phrase.strip()
            re.compile(phrase)


def test_a_region_is_its_languages_and_an_unknown_language_has_all_words() -> None:
    assert words_for("pt-BR") is words_for("pt")
    assert {"yes", "oui", "はい"} <= set(words_for("fi").yes.split("|"))
