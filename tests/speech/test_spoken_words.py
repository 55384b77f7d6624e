"""The words of each language are whole."""

from __future__ import annotations

from datetime import date

import pytest

from aybiza.speech.spoken_words import LANGUAGES, UNITS, months, unit, warm, words_of


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_its_words_units_and_months(language: str) -> None:
    warm(language)
    words = words_of(language)
    assert words.locale == language
    assert {"USD", "EUR", "GBP"} <= set(words.money)
    assert len(set(months(language))) == 12
    assert all("{0}" in unit(sign, language, one) for sign in UNITS for one in (True, False))
    assert str(2025) in words.long_date(date(2025, 3, 14))


def test_a_region_is_its_languages_and_an_unknown_language_is_english() -> None:
    assert words_of("es-MX") is words_of("es")
    assert words_of("multi") is words_of("en")
    assert words_of("en-GB").month_first is False
