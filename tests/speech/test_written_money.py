"""Money and percentages as people say them."""

from __future__ import annotations

import pytest

from aybiza.speech.written_out import written_out


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        ("A$15", "en", "15 Australian dollars"),
        ("CHF 20,50", "de", "20,50 Schweizer Franken"),
        ("₹1,50,000", "en-IN", "1,50,000 rupees"),
        ("$1–$2 million", "en", "1 to 2 million dollars"),
        ("$20 USD", "en", "20 dollars"),
        ("5 €/Monat", "de", "5 Euro pro Monat"),
        ("$-5", "en", "minus 5 dollars"),
        ("5%–10%", "en", "5 to 10 percent"),
        ("50¢", "en", "50 cents"),
    ],
)
def test_an_amount_is_said_with_its_currency_and_what_it_is_for(
    text: str, language: str, said: str
) -> None:
    assert written_out(text, language) == said


def test_a_currency_that_is_not_known_to_a_language_has_its_name_from_cldr() -> None:
    assert written_out("MXN 1", "es") == "1 peso mexicano"
