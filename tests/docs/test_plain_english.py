"""Pages are read in a hurry, and in a language that may not be the reader's: short sentences."""

from __future__ import annotations

import re

import pytest

from tests.docs.test_claims import prose
from tests.docs.test_readme import TEXTS

MOST_WORDS = 30
ITEM = re.compile(r"\s*([-*]|\d+\.) ")


def sentences(text: str) -> list[str]:
    """The sentences, and parts of such behind a colon or a semicolon; asides are left out."""
    told: list[str] = []
    for block in re.split(r"\n\s*\n", text):
        for line in block.split("\n"):
            if not line.strip() or line.startswith("    ") or line.strip()[0] in "|#":
                continue
            if ITEM.match(line) or not told or told[-1] == "":
                told.append(line.strip())
            else:
                told[-1] += f" {line.strip()}"
        told.append("")
    plain = (re.sub(r"`[^`]*`", "x", part) for part in told)
    plain = (re.sub(r"\]\([^)]*\)", "]", part) for part in plain)
    plain = (re.sub(r" ?\([^)]*\)", "", part) for part in plain)
    return [one for part in plain for one in re.split(r"(?<=[.!?:;])\s+", part)]


@pytest.mark.parametrize("page", sorted(set(TEXTS) - {"CHANGELOG.md"}))
def test_no_sentence_is_too_long(page: str) -> None:
    long = [one for one in sentences(prose(page)) if len(one.split()) > MOST_WORDS]
    assert long == []


def test_a_sentence_ends_where_its_item_or_paragraph_does() -> None:
    words = " ".join(["word"] * 20)
    assert sentences(f"- {words}\n  {words}\n\n{words} (and\nmore)\n\n    {words}\n") == [
        f"- {words} {words}",
        "",
        words,
        "",
        "",
    ]
