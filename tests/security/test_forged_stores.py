"""Who can write into a store that nodes share, or into a file of a node's, gets nothing done by
what cannot be read: no fault, no loop that is held, no words that are none."""

from __future__ import annotations

import base64
import json
import time
import zlib
from pathlib import Path

import pytest

from aybiza.actors.call.known_answers import MOST_BYTES, sentences_of
from aybiza.actors.measures.costs_keeper import CostsFile
from aybiza.actors.measures.records_pages import rows_of_page
from aybiza.actors.recordings.shelf import Part, SealError, Shelf
from aybiza.claude.ledger import Quotas
from aybiza.dialogue.tools.connectors import _operations
from tests.cases import each

DEEP = "[" * 100_000 + "]" * 100_000


@each(
    [
        DEEP[: MOST_BYTES // 2] + DEEP[-MOST_BYTES // 2 :],
        DEEP,
        json.dumps(["x" * MOST_BYTES]),
        '["Yes.", 5]',
        '["Yes.", ["of course"]]',
        '{"0": "Yes."}',
        "null",
        "\ud800",
        "not JSON",
    ]
)
def test_an_answer_of_another_node_is_a_short_list_of_texts_or_none(text: str) -> None:
    began = time.thread_time()
    assert sentences_of(text) == ()
    assert time.thread_time() - began < 0.1


def test_half_a_character_in_an_answer_is_said_as_what_can_be_said() -> None:
    assert sentences_of('["At \\ud800ten."]') == ("At ?ten.",)


@each([DEEP, "[5]", "5", '[["a", "b"]]', ""])
def test_a_page_of_records_that_is_none_is_refused_as_one(text: str) -> None:
    rows = base64.b64encode(zlib.compress(text.encode())).decode()
    with pytest.raises(ValueError, match="not a page of records"):
        rows_of_page({"table": "turns", "columns": ["at"], "rows": rows})


def test_a_sealed_recording_with_a_piece_that_is_none_is_refused(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "recordings", bytes(32))
    shelf.write(Part("CA1", 1.0, 0.0), 0, bytes(320))
    (path,) = shelf.parts("CA1")
    sound = path.read_bytes()
    for size in (0, 5, 11, 12, 27, 32):
        path.write_bytes(sound + size.to_bytes(4, "little") + bytes(size))
        with pytest.raises(SealError, match="has been changed"):
            shelf.wav(path)


def test_a_ledger_that_is_too_deep_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "costs-front.json"
    path.write_text(DEEP)
    assert CostsFile(path).read(Quotas()) is None
    assert [each.name for each in tmp_path.iterdir()] == ["costs-front.json.damaged"]


def test_a_document_of_an_api_that_is_too_deep_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "api.json"
    path.write_text(DEEP)
    with pytest.raises(ValueError, match="is not JSON"):
        _operations("crm", {"openapi": str(path)}, {})
