"""What is told of a private call outside of its process: how it ends, and no words."""

from dataclasses import fields
from typing import Any, get_args

import pytest

from aybiza.actors.memory.store import Row, told_by
from aybiza.actors.memory.withheld import without_words
from aybiza.dialogue.journal import Ended, Entry, decode, encode

WORD = "zebrafish"
KINDS = get_args(Entry)


def filled(kind: type[Any]) -> Any:
    """An entry whose every text holds the word."""
    values = {
        **{"str": WORD, "int": 3, "int | None": 3, "float": 0.5, "bool": True},
        **{"list[dict[str, Any]]": [{"text": WORD}], "dict[str, Any]": {"mos": 4, "text": [WORD]}},
    }
    return kind(**{field.name: values[str(field.type)] for field in fields(kind)})


@pytest.mark.parametrize("kind", KINDS)
def test_no_entry_has_words_of_a_call(kind: type[Any]) -> None:
    told = without_words(encode(filled(kind)))
    names = {"reason", "to", "outcome"}
    assert WORD not in str({key: value for key, value in told.items() if key not in names})
    assert without_words(told) == told


def test_an_entry_of_a_newer_version_has_none_either() -> None:
    assert without_words({"type": "later", "text": WORD}) == {"type": "withheld"}


def test_who_has_answered_is_no_word_of_a_call() -> None:
    answered = {"type": "answered", "by": "machine", "why": "phrase"}
    assert without_words(answered) == {"type": "answered", "by": "machine"}
    dialled = {"type": "dialled", "attempt": "0123456789abcdef"}
    assert without_words(dialled) == dialled


def test_what_is_left_of_a_conversation_is_passed_over_when_it_is_read() -> None:
    left = [decode(without_words(encode(filled(kind)))) for kind in KINDS]
    assert {type(entry).__name__ for entry in left if entry is not None} == {
        *("Closing", "Reopened", "Ended", "Transferring", "Transferred"),
        *("LineMeasured", "Analysed"),
    }


def test_stores_count_the_turns_and_know_the_end() -> None:
    entries = [*(filled(kind) for kind in KINDS[:5]), Ended("hangup")]
    rows = [Row("CA1", n, n, float(n), encode(entry)) for n, entry in enumerate(entries, 1)]
    bare = [row._replace(entry=without_words(row.entry)) for row in rows]
    assert told_by(bare) == told_by(rows) == ("hangup", 3, 6.0)
