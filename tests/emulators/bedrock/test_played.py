"""A stand-in for the model that plays a caller."""

from __future__ import annotations

import pytest

from aybiza.emulators.bedrock.played import KNOWS, WANTS, played

TOLD = f"Play.\n{WANTS}I need a wine.\n{KNOWS}\n- food: a steak\n- first_name: Mary"


def said(*talk: str, told: str = TOLD) -> str:
    """What the caller says behind these words of the agent's and their own, by turns."""
    roles = ("user", "assistant")
    messages = [
        {"role": roles[at % 2], "content": [{"text": text}]} for at, text in enumerate(talk)
    ]
    return played({"system": [{"text": told}], "messages": messages}).text


def test_the_first_words_are_what_the_caller_wants() -> None:
    assert said("Hillside Wines.") == "I need a wine."
    assert said("Hillside Wines.", told="Nothing.") == "Hello."


@pytest.mark.parametrize(
    ("heard", "answer"),
    [
        ("With what food?", "a steak, please."),
        ("Your first name? And the food?", "a steak, Mary, please."),
        ("Good food. Shall I send it?", "[yes] Yes, please."),
        ("Is that right?", "[yes] Yes, please."),
        ("Would you like a bag?", "No, thank you. Goodbye. [hang up]"),
        ("Can I do anything else?", "No, thank you. Goodbye. [hang up]"),
        ("Thank you for calling. Goodbye.", "Goodbye. [hang up]"),
        ("It is on its way.", "No, thank you. Goodbye. [hang up]"),
        ("Of which year?", "I do not know. I need a wine."),
    ],
)
def test_what_is_heard_is_answered_by_what_the_caller_knows(heard: str, answer: str) -> None:
    assert said("Hello.", "I need a wine.", heard) == answer
