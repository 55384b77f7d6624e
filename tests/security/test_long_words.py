"""Who has the agent say something without end does not hold up the calls of others."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from aybiza.claude.sentences import SentenceSplitter
from aybiza.claude.silent_text import SilentText
from aybiza.config.redact import hide_url_password
from aybiza.dialogue.assent import assent
from aybiza.dialogue.overheard import is_back_channel
from aybiza.dialogue.particulars import repeats
from aybiza.speech.spoken_text import spoken
from tests.fuzz.decoder import SECONDS

CHARACTERS = 8000
"""More than an answer has; the worst of them took `SECONDS` of a processor several times once."""


def in_german(text: str) -> str:
    return spoken(text, "de")


def at_once(text: str) -> None:
    SentenceSplitter(max_chars=5 * CHARACTERS).feed(f"a{5 * text}a")


def by_character(text: str) -> None:
    splitter = SentenceSplitter()
    for character in text[:1000]:
        splitter.feed(character)


def silent(text: str) -> None:
    made = SilentText()
    for at in range(0, len(text), 16):
        made.feed(text[at : at + 16])


def agreed(text: str) -> None:
    assent(text, "multi", text)
    is_back_channel(text, "en")


def asked(text: str) -> None:
    assent("yes", "en", f"{3 * text}x")
    assent("ja", "de", f"{3 * text}x")


def repeated(text: str) -> None:
    repeats("Is Ann there?", 2 * text, "en")


def logged(text: str) -> None:
    hide_url_password(f"redis://user:password@host {5 * text}")


READ: dict[Callable[[str], object], list[str]] = {
    spoken: ["1", "1:", "1-", "1.", "a.", "a@", "$1", "12:30 PM-", "50%-", "<!--", "[", "`"],
    in_german: ["1", "1.", "1,-"],
    at_once: [".", "...", "a.", "!"],
    by_character: [".", "1.", '"a." '],
    silent: ["<", "<thinking", "<!--"],
    agreed: ["---", "yes, ", "."],
    asked: [".", "?", "।", "。", " "],
    repeated: ["A ", "A! ", "! A", "Ann's "],
    logged: ["h", "a.", "a:", "@", "/"],
}


@pytest.mark.parametrize(
    ("read", "unit"), [(read, unit) for read, units in READ.items() for unit in units]
)
def test_what_has_no_end_is_read_in_bounded_time(read: Callable[[str], object], unit: str) -> None:
    text = (unit * CHARACTERS)[:CHARACTERS]
    began = time.thread_time()
    read(text)
    assert time.thread_time() - began < SECONDS
