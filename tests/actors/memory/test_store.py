"""What all stores share: who may write, and what entries tell of their call."""

from __future__ import annotations

import doctest
import json
from typing import Any

import pytest

from aybiza.actors.memory import store
from aybiza.actors.memory.store import CallRecord, Head, Told, Wanted, dumps, placed, told_by
from tests.actors.memory.backings import OPENED, entries, numbers, part


def test_the_examples_are_true() -> None:
    assert doctest.testmod(store).failed == 0


@pytest.mark.parametrize(
    ("head", "epoch", "first", "outcome", "added", "after"),
    [
        (Head(0, 0), 5, 1, "kept", [1, 2], (5, 2)),
        (Head(5, 2), 5, 1, "kept", [], (5, 2)),
        (Head(5, 1), 5, 1, "kept", [2], (5, 2)),
        (Head(5, 9), 5, 1, "kept", [], (5, 9)),
        (Head(5, 9), 6, 1, "kept", [1, 2], (6, 2)),
        (Head(5, 2), 6, 3, "kept", [3, 4], (6, 4)),
        (Head(5, 1), 5, 3, "behind", [], (5, 1)),
        (Head(5, 1), 6, 3, "behind", [], (5, 1)),
        (Head(6, 1), 5, 2, "refused", [], (6, 1)),
    ],
)
def test_what_becomes_of_a_part(
    head: Head, epoch: int, first: int, outcome: str, added: list[int], after: tuple[int, int]
) -> None:
    written, rows = placed(head, part("CA1", first, first + 1, epoch=epoch))
    assert (written.outcome, numbers(rows), (written.epoch, written.last)) == (
        outcome,
        added,
        after,
    )


@pytest.mark.parametrize(
    ("bodies", "outcome", "turns"),
    [
        ([{"type": "sentence_heard", "turn": 1, "seq": 1}], None, None),
        ([{"type": "caller_turn", "turn": 2, "text": "Hi."}], "", 2),
        ([{"type": "ended", "reason": "silence"}], "silence", None),
        ([{"type": "transferred", "to": "desk", "outcome": "completed"}], "transfer", None),
        ([{"type": "transferred", "to": "desk", "outcome": "busy"}], "", None),
        ([{"type": "of a newer version"}, {}], None, None),
    ],
)
def test_what_entries_tell_of_their_call(
    bodies: list[dict[str, object]], outcome: str | None, turns: int | None
) -> None:
    told = told_by(entries("CA1", *bodies).rows)
    assert told == Told(outcome, turns, OPENED + len(bodies))


def test_a_wanted_call_fits_in_all_that_is_asked() -> None:
    record = CallRecord("CA1", "+1", "clinic", "t", 10.0, 11.0, "hangup", 1, 0.0)
    assert Wanted(caller="+1", since=10.0, until=10.5).has(record)
    assert not Wanted(caller="+1", until=10.0).has(record)
    assert not Wanted(outcome="").has(record)


def test_what_is_no_json_is_written_all_the_same() -> None:
    odd: dict[Any, Any] = {"a": {1}, (1, 2): 3}
    assert json.loads(dumps(odd)) == {"a": "{1}"}
