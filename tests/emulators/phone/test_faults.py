"""What can go wrong on a line."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.emulators.phone.faults import KINDS, Fault, LineFaults


def test_without_faults_marks_come_back_as_they_do() -> None:
    assert LineFaults().marks(0.0, ["a", "b"]) == ["a", "b"]
    assert LineFaults().deaf_s(0.0) == 0.0


def test_marks_can_be_lost_doubled_or_late() -> None:
    line = LineFaults(
        [Fault("mark_lost", "a*"), Fault("mark_double", "b"), Fault("mark_late", "c", seconds=2.0)]
    )
    assert line.marks(0.0, ["a1", "a2", "b", "b", "c", "d"]) == ["a2", "b", "b", "b", "d"]
    assert line.marks(1999.0, []) == []
    assert line.marks(2000.0, ["e"]) == ["c", "e"]


def test_a_fault_can_strike_always() -> None:
    line = LineFaults([Fault("mark_lost", times=None)])
    assert [line.marks(float(n), ["a"]) for n in range(5)] == [[]] * 5


def test_the_line_can_be_deaf_once_its_time_has_come() -> None:
    line = LineFaults([Fault("deaf", after=2.0, seconds=7.0)])
    assert [line.deaf_s(ms) for ms in (0.0, 1999.0, 2000.0, 2001.0)] == [0.0, 0.0, 7.0, 0.0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_had_by_its_name_and_has_a_meaning(kind: str) -> None:
    assert Fault.from_json({"kind": kind}) == Fault(kind)
    assert KINDS[kind].meaning


@pytest.mark.parametrize(
    ("members", "complaint"),
    [
        ([], "a JSON object"),
        ({}, "kind is one of mark_late"),
        ({"kind": "mark_los"}, "did you mean mark_lost"),
        ({"kind": "mark_lost", "seconds": 1}, "parameter of mark_lost is one of kind, mark"),
        ({"kind": "deaf", "secnds": 1}, "did you mean seconds"),
        ({"kind": "deaf", "seconds": -1}, "from 0 to 3600"),
        ({"kind": "deaf", "seconds": "1"}, "seconds cannot be '1'"),
        ({"kind": "deaf", "times": 0}, "times is a whole number"),
        ({"kind": "mark_lost", "mark": 7}, "mark cannot be 7"),
    ],
)
def test_a_fault_without_sense_is_refused(members: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Fault.from_json(members)
