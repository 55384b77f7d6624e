"""Which language words are in: seldom left open, never told wrongly."""

from __future__ import annotations

import doctest

from aybiza.config import tongues
from aybiza.config.tongues import LANGUAGES, tongue
from tests.cases import each


def test_the_examples_hold() -> None:
    assert doctest.testmod(tongues).failed == 0


@each(
    [
        ("en", "Is anybody there?"),
        ("en", "Could I get a refund for my order?"),
        ("es", "¿Cuánto cuesta?"),
        ("es", "Quisiera reservar una mesa."),
        ("fr", "J'appelle pour une facture."),
        ("fr", "Je voudrais prendre rendez-vous."),
        ("de", "Ich rufe wegen einer Rechnung an."),
        ("de", "Wann haben Sie geöffnet?"),
        ("pt", "O meu telefone está avariado."),
        ("pt", "Queria marcar uma consulta."),
        ("it", "Vorrei prenotare un tavolo."),
        ("nl", "Ik wil graag een afspraak maken."),
        ("hi", "मुझे अपॉइंटमेंट चाहिए"),
        ("hi", "mujhe ek appointment chahiye"),
        ("ja", "予約をお願いします。"),
        ("", "Rex."),
        ("", "42"),
        ("", ""),
    ]
)
def test_a_callers_words_are_told_apart(language: str, text: str) -> None:
    assert tongue(text, LANGUAGES) == language
