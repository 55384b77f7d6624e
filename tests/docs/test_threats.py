"""The page of threats names its proofs: each of them exists, and no file of attacks is left out."""

from __future__ import annotations

import re
from pathlib import Path

from aybiza.actors.call import known_answers
from aybiza.actors.node import stream_door
from aybiza.claude.chat import client as chat
from aybiza.claude.chat import events as chat_events
from aybiza.config import aws_answers, schema_bounds, schema_patterns, toml_file
from aybiza.dialogue.outbound import dialler
from aybiza.dialogue.tools import http_body
from aybiza.gateway.admission import (
    address_seals,
    call_owners,
    carrier_signatures,
    flow,
    guesses,
    handshakes,
    request_parser,
    stream_token,
    turnstile,
)
from aybiza.gateway.admission.policy import POLICY, Proof
from aybiza.gateway.console.assets import ASSETS
from aybiza.gateway.control import text_door
from aybiza.speech import deepgram_connect, deepgram_socket, synthesis
from tests.fuzz.decoders import DECODERS
from tests.fuzz.tried import MILLION, TRIED

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
TABLES = PAGE.split("## What is not held")[0]
ROWS = [
    [cell.strip() for cell in line.strip("| ").split(" | ")]
    for line in TABLES.splitlines()
    if line.startswith("| ") and not line.startswith("| they want")
]
KB, MB = 1024, 1024 * 1024
BOUNDS = [
    (turnstile.IN_A_TURN, 16, "requests are read 16 a turn of the loop"),
    (turnstile.MOST_SECONDS, 0.002, "or as many as take 2 ms"),
    (handshakes.IN_A_TURN, 4, "and TLS handshakes 4"),
    (request_parser.MOST_LINES, 128, "a request has 128 lines"),
    (request_parser.MOST_PIECES, 256, "and 256 pieces of a body"),
    (flow.ODD_EARLY, 16, "a stream has 16 pings and parts of messages before `start`"),
    ((guesses.MOST, guesses.MINUTE), (10, 60), "ten wrong ones in a minute"),
    (call_owners.KEPT_SECONDS, 4 * 3600, "for four hours after its last stream"),
    (address_seals.LIFE_SECONDS, 15 * 60, "sealed for its carrier and account, for 15 minutes"),
    (schema_bounds.MOST_STEPS, 5_000, "a check has 5,000 steps"),
    (schema_patterns.PATTERN_SECONDS, 0.005, "a pattern of a tool's or an API's schema has 5 ms"),
    (aws_answers.ANSWER_BYTES, 8 * MB, "no answer is read beyond a limit: 8 MB"),
    (chat.SLICE_BYTES, 4 * KB, "4 KB of an answer are read a turn"),
    (chat_events.LINE_BYTES, 64 * KB, "64 KB of a line"),
    (chat.ANSWER_BYTES, 32 * MB, "and 32 MB in all"),
    (text_door.MOST_BYTES, 64 * KB, "a block has 64 KB and 2,000 lines"),
    (text_door.MOST_LINES, 2_000, "a block has 64 KB and 2,000 lines"),
    (http_body.MOST_MEMBERS, 16, "and 16 parts of an answer"),
    (known_answers.MOST_BYTES, 32 * KB, "at most 32 KB of an answer is read"),
    (deepgram_connect.Connection.in_a_turn, 50, "50 frames are read a turn of the loop"),
    (deepgram_connect.FRAMES_A_SECOND, 5_000, "who sends 5,000 in a second is hung up on"),
    (synthesis.MOST_SECONDS, 30, "a text has 30 s and a second a character"),
    (deepgram_socket.JSON_BYTES, 96 * KB, "of JSON 96 KB of a message are read"),
    (deepgram_socket.MOST_TOLD, 10, "ten complaints of a socket are told"),
    (stream_door.MAX_STRANGERS, 64, "64 places for who has not proved himself"),
    (stream_door.ENTRY_SECONDS, 5, "a place among 64 for 5 s"),
    (dialler.MOST_RUNNING, 100, "100 campaigns at a time"),
    (stream_token.LIFE_SECONDS, 60, "**A stream token** lives for a minute"),
    (carrier_signatures.TOLERANCE_SECONDS, 5 * 60, "one URL of one node for five minutes"),
    (toml_file.MOST_PARTS < 80_000, True, "a key of 80,000 parts"),
]


def test_every_bound_on_the_page_is_the_one_that_holds() -> None:
    pages = " ".join((PAGE + SECURITY).split()).casefold()
    for bound, told, words in BOUNDS:
        assert bound == told, words
        assert words.casefold() in pages, words


def test_as_many_inputs_as_the_page_says_have_been_tried() -> None:
    assert TRIED.keys() == DECODERS.keys()
    done = sum(inputs >= MILLION for inputs in TRIED.values())
    assert f"{done} of the {len(TRIED)} have had their million without a fault" in PAGE
    for name, inputs in TRIED.items():
        line = rf"^- {inputs:,}: .*\b{name}\b"
        assert inputs >= MILLION or re.search(line, PAGE, re.MULTILINE), name


def test_every_threat_says_what_holds_it_and_which_tests_show_it() -> None:
    assert len(ROWS) > 20
    for row in ROWS:
        assert len(row) == 3 and all(row), row
        named = re.findall(r"`(tests/[\w./]+\.py)`", row[2])
        assert named, row
        assert [name for name in named if not (ROOT / name).is_file()] == []


def test_every_file_of_attacks_stands_on_the_page() -> None:
    files = {path.name for path in (ROOT / "tests" / "security").glob("test_*.py")}
    assert sorted(name for name in files if f"tests/security/{name}" not in PAGE) == []


def test_every_test_that_the_promises_name_exists() -> None:
    named = re.findall(r"`((?:tests/[\w/]+/)?test_\w+\.py)`", SECURITY)
    assert len(named) > 10
    for name in named:
        path = name if name.startswith("tests/") else f"tests/security/{name}"
        assert (ROOT / path).is_file(), name


def test_what_is_open_to_anybody_is_what_the_promises_say() -> None:
    open_ = {row.path for row in POLICY if row.proof is Proof.NONE}
    pages = {row.path for row in POLICY if row.proof is Proof.SHELL}
    (promise,) = [line for line in SECURITY.splitlines() if line.startswith("| anybody at a port")]
    assert set(re.findall(r"`(/\w+)`", promise)) == open_
    assert pages == set(ASSETS)
    assert "where the console has a token, the files of its page" in promise
