"""What a turn is about is told by whole words."""

from aybiza.dialogue.intents import bare, intent
from tests.cases import each

TABLE = {"cancel": ("cancel", "call it off"), "booking": ("book", "a table")}


@each(
    [
        ("I'd like to BOOK, please.", "booking"),
        ("Cancel the table? No: book a table.", "cancel"),
        ("Can we call it off?", "cancel"),
        ("I read a book-keeper's bookshelf.", "booking"),
        ("The bookshelf.", ""),
        ("", ""),
        ("Ein Tisch für zwei", ""),
    ]
)
def test_the_first_row_that_fits_counts(text: str, expected: str) -> None:
    assert intent(text, TABLE) == expected


def test_words_of_other_scripts_are_words() -> None:
    assert bare("Übermorgen, 10 Uhr!") == "übermorgen 10 uhr"
    assert intent("मुझे टेबल चाहिए", {"booking": ("टेबल",)}) == "booking"
