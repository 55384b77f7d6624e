"""The local index: what is found, in which order, and what a document is cut into."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aybiza.dialogue.tools.local_index import KnowledgeError, LocalIndex, expression, passages_of

FEES = """# Fees

Cancelling later than a day before costs 20 dollars.

## Parking

Parking is free behind the house.
It has twelve places.
"""


@pytest.fixture
def index() -> LocalIndex:
    made = LocalIndex()
    made.add("fees.md", FEES, "Prices")
    made.add("hours.txt", "We are open from eight to six.", "Hours")
    return made


async def test_a_question_finds_the_passage_that_answers_it(index: LocalIndex) -> None:
    found = await index.search("Where can I park my car?", 3)
    assert [passage.title for passage in found] == ["Prices: Parking"]
    assert found[0].text == "Parking is free behind the house. It has twelve places."
    assert found[0].source == "fees.md"


def test_inflections_are_found_and_common_words_find_nothing(index: LocalIndex) -> None:
    assert [p.source for p in index.find("cancelled appointments", 3)] == ["fees.md"]
    assert index.find("What is the weather?", 3) == []
    assert [p.source for p in index.find("what are you", 3)] == ["hours.txt"]


def test_a_heading_counts_for_more_than_the_text(index: LocalIndex) -> None:
    index.add("other.md", "Somewhere parking is spoken of.", "Other")
    assert index.find("parking", 2)[0].title == "Prices: Parking"


def test_adding_a_document_again_replaces_it(index: LocalIndex) -> None:
    index.add("fees.md", "Everything is free.", "Prices")
    assert index.find("cancelling", 3) == []
    assert [p.text for p in index.find("everything", 3)] == ["Everything is free."]


def test_there_are_at_most_as_many_as_asked_for(index: LocalIndex) -> None:
    assert len(index.find("parking cancelling open", 2)) == 2


@given(st.text(max_size=100))
@settings(max_examples=200)
def test_no_question_breaks_it(query: str) -> None:
    index = LocalIndex()
    index.add("fees.md", FEES)
    assert isinstance(index.find(query, 3), list)
    index.close()


def test_an_expression_has_no_operators() -> None:
    assert expression('park" AND NEAR(x) *') == '"park" OR "near" OR "x"'
    assert expression("?!") == ""


@given(st.text(alphabet="ab. \n#", max_size=3_000))
def test_no_word_of_a_document_is_lost(text: str) -> None:
    pieces = list(passages_of(text, "T"))
    kept = " ".join(f"{heading} {piece}" for heading, piece in pieces)
    headless = [line for line in text.splitlines() if not line.strip().startswith("#")]
    for line in headless:
        for word in line.split():
            assert word in kept or len(word) > 900
    assert all(len(piece) <= 900 for _, piece in pieces)


def test_a_folder_is_indexed(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "late_fees.md").write_text(FEES)
    (tmp_path / "picture.png").write_bytes(b"\xff")
    index = LocalIndex(tmp_path / "index.sqlite3")
    assert index.add_folder(tmp_path) == 1
    index.close()
    again = LocalIndex(tmp_path / "index.sqlite3")
    assert again.find("parking", 1)[0].source == "below/late_fees.md"
    assert again.find("parking", 1)[0].title == "late fees: Parking"
    again.close()


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(KnowledgeError, match=r"bad\.txt"):
        LocalIndex().add_folder(tmp_path)
    with pytest.raises(KnowledgeError, match="no folder"):
        LocalIndex().add_folder(tmp_path / "nothing")
    (tmp_path / "no.sqlite3").write_text("this is no database, but it is long enough" * 30)
    with pytest.raises(KnowledgeError, match=r"no\.sqlite3"):
        LocalIndex(tmp_path / "no.sqlite3").find("fees", 1)


def test_an_index_may_be_closed_twice(index: LocalIndex) -> None:
    index.close()
    index.close()
    assert index.find("parking", 3) == []


def test_long_paragraphs_are_passages_of_their_own_and_are_cut_at_words() -> None:
    long, longer = "word " * 120, "other " * 250
    pieces = [text for _, text in passages_of(f"{long}\n\n{longer}", "Title")]
    assert pieces[0] == long.strip()
    assert len(pieces) == 3
    assert all(piece.split()[-1] == "other" for piece in pieces[1:])


def test_a_text_without_spaces_is_cut_where_it_has_to_be() -> None:
    pieces = [text for _, text in passages_of("x" * 2_000, "Title")]
    assert "".join(pieces) == "x" * 2_000
    assert max(map(len, pieces)) < 1_000
