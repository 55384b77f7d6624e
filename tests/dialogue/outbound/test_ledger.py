"""The ledger of placed calls is the fold of its entries."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.dialogue.outbound.ledger import (
    Attempted,
    Begun,
    Entry,
    Halted,
    Ledger,
    Met,
    Moved,
    decode,
    encode,
)
from aybiza.dialogue.outbound.permission import Past

ANN = "+14155552671"


def attempted(id_: str = "a1", campaign: str = "c", at: float = 1.0) -> Attempted:
    return Attempted(id_, ANN, "+14155550100", "clinic", campaign, at)


ENTRIES: list[Entry] = [
    Begun("c", 0.0, {"agent": "clinic"}),
    attempted(),
    Moved("a1", "placed", 2.0, "CA1"),
    Met("a1", "machine", message_left=True),
    Moved("a1", "completed", 40.0, seconds=30),
    Halted("c", 50.0, "done"),
]


def test_entries_come_back_as_they_were() -> None:
    assert [decode(encode(entry)) for entry in ENTRIES] == ENTRIES


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"type": "later"},
        {"type": "met", "id": 1, "by": "human"},
        {"type": "met", "id": "a"},
        {"type": "moved", "id": "a", "status": "placed", "at": "now"},
    ],
)
def test_what_this_version_does_not_know_is_passed_over(body: Any) -> None:
    assert decode(body) is None


def test_an_attempt_is_what_its_entries_say() -> None:
    ledger = Ledger.of(ENTRIES[:3])
    attempt = ledger.attempts["a1"]
    assert (attempt.call_id, attempt.outcome, attempt.is_live) == ("CA1", "placed", True)
    assert ledger.past(ANN) == [Past(1.0, "c", True)]
    assert ledger.live_of() == ledger.live_of("c") == 1
    assert ledger.live_of("d") == 0
    whole = Ledger.of(ENTRIES)
    attempt = whole.attempts["a1"]
    assert (attempt.outcome, attempt.seconds, attempt.is_live) == ("message_left", 30, False)
    assert whole.tally("c").attempts == ["a1"]
    assert +whole.tally("c").outcomes == {"message_left": 1}
    assert whole.campaigns["c"].halted == "done"
    assert list(whole.live()) == []


@pytest.mark.parametrize(
    ("entries", "outcome"),
    [
        ([Moved("a1", "busy", 2.0)], "busy"),
        ([Moved("a1", "completed", 2.0)], "unknown"),
        ([Moved("a1", "completed", 2.0), Met("a1", "human")], "human"),
        ([Met("a1", "machine"), Moved("a1", "completed", 2.0)], "machine"),
        ([Met("a1", "machine", message_left=True), Met("a1", "human")], "asked"),
    ],
)
def test_its_outcome_is_a_word(entries: list[Entry], outcome: str) -> None:
    assert Ledger.of([attempted(), *entries]).attempts["a1"].outcome == outcome


def test_an_attempt_that_never_was_a_call_counts_for_nothing() -> None:
    ledger = Ledger.of([attempted(), Moved("a1", "not_placed", 2.0)])
    assert ledger.past(ANN) == []
    assert ledger.last(ANN, "c") is None


def test_a_campaign_that_runs_again_keeps_its_attempts() -> None:
    ledger = Ledger.of([*ENTRIES, Begun("c", 60.0, {})])
    assert (ledger.campaigns["c"].halted, ledger.tally("c").attempts) == ("", ["a1"])
    last = ledger.last(ANN, "c")
    assert last is not None and last.begun.id == "a1"
