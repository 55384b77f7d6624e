"""How turns sound by the lexicon, and what it costs."""

import time

from aybiza.dialogue.mood import MOST_PIECES, PIECE_CHARACTERS, UNHAPPY, mood
from tests.cases import each


@each(
    [
        ("This is terrible, I am very angry.", -100, UNHAPPY),
        ("I am not happy at all.", -100, UNHAPPY),
        ("Thank you, that is wonderful.", 40, 100),
        ("On Friday at ten.", 0, 0),
        ("", 0, 0),
        ("Great. " * 50 + "This is terrible, awful, and I hate it! " * MOST_PIECES, -100, UNHAPPY),
    ]
)
def test_a_turn_sounds_as_its_last_words_do(text: str, least: int, most: int) -> None:
    assert least <= mood(text) <= most


def test_a_long_text_costs_no_more_than_its_last_pieces() -> None:
    mood("Loaded.")
    text = "I hate this awful bad thing and love it " * 2_000
    began = time.perf_counter()
    mood(text)
    assert time.perf_counter() - began < 1.0
    assert MOST_PIECES * PIECE_CHARACTERS < 500
