"""Faults of streamed services."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.emulators.streamed.faults import KINDS, Fault, Faults, struck
from aybiza.emulators.streamed.steps import Action, Begin, Cut, End, HangUp, Piece, Step, Wait
from tests.cases import each

ACTIONS: list[Action] = [Begin(200, []), Piece(b"a"), Piece(b"b"), End()]
STEPS = [Step(float(at), action) for at, action in enumerate(ACTIONS)]


def actions(fault: Fault | None) -> list[Any]:
    return [step.action for step in struck(iter(STEPS), fault)]


@each(
    (
        (None, [Begin(200, []), Piece(b"a"), Piece(b"b"), End()]),
        (Fault("refuse"), [Begin(200, []), Piece(b"a"), Piece(b"b"), End()]),
        (Fault("hang_up"), [HangUp()]),
        (Fault("slow", seconds=3), [Wait(3), Begin(200, []), Piece(b"a"), Piece(b"b"), End()]),
        (Fault("cut"), [Begin(200, []), Cut()]),
        (Fault("cut", into=1), [Begin(200, []), Piece(b"a"), Cut()]),
        (Fault("cut", into=9), [Begin(200, []), Piece(b"a"), Piece(b"b"), Cut()]),
        (Fault("short", into=1), [Begin(200, []), Piece(b"a"), End()]),
        (
            Fault("stall", into=1, seconds=2),
            [Begin(200, []), Piece(b"a"), Wait(2), Piece(b"b"), End()],
        ),
    )
)
def test_an_answer_is_as_its_fault_has_it(fault: Fault | None, expected: list[Any]) -> None:
    assert actions(fault) == expected


def test_a_fault_strikes_so_many_requests_and_they_wait_their_turn() -> None:
    faults = Faults()
    once, ever = Fault("cut", times=2), Fault("hang_up", times=None)
    faults.add(once)
    faults.add(ever)
    assert [faults.take() for _ in range(4)] == [once, once, ever, ever]
    faults.clear()
    assert faults.take() is None


@each((("nothing", {}), ("refuse", {"code": 200}), ("cut", {"into": -1}), ("cut", {"times": 0})))
def test_a_fault_that_makes_no_sense_is_refused(kind: str, more: Any) -> None:
    with pytest.raises(ValueError, match=r"allowed|are from"):
        Fault(kind, **more)


def test_each_kind_says_what_it_does() -> None:
    assert all(kind.meaning for kind in KINDS.values())
