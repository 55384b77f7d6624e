"""Exit reasons."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from aybiza.actors.runtime import (
    KILLED,
    NOPROC,
    NORMAL,
    SHUTDOWN,
    BadReturnValue,
    CallFailed,
    Crashed,
    Pid,
    Shutdown,
    is_orderly,
)
from aybiza.actors.runtime.reasons import RemoteCrash, is_same


@pytest.mark.parametrize("reason", [NORMAL, SHUTDOWN, Shutdown("drained"), Shutdown(NORMAL)])
def test_normal_and_both_shutdowns_are_orderly(reason: Any) -> None:
    assert is_orderly(reason)


@pytest.mark.parametrize(
    "reason",
    [
        KILLED,
        NOPROC,
        "boom",
        None,
        ("shutdown", "x"),
        [NORMAL],
        Crashed(ValueError()),
        BadReturnValue(NORMAL),
        CallFailed(NORMAL, "server"),
        CallFailed(SHUTDOWN, "server"),
    ],
)
def test_every_other_reason_is_not_orderly(reason: Any) -> None:
    assert not is_orderly(reason)


def test_crashed_says_what_was_raised() -> None:
    assert str(Crashed(ValueError("no such call"))) == "crashed with ValueError: no such call"


def test_crashed_travels_as_text_whatever_the_exception_holds() -> None:
    class Local(Exception):
        def __init__(self) -> None:
            super().__init__("cannot be pickled")
            self.lock = open

    copy = pickle.loads(pickle.dumps(Crashed(Local())))
    assert isinstance(copy.exception, RemoteCrash)
    assert str(copy.exception) == "Local: cannot be pickled"


def test_two_crashes_are_two_reasons() -> None:
    assert Crashed(ValueError("x")) != Crashed(ValueError("x"))


def test_the_other_reasons_compare_and_hash_by_what_they_hold() -> None:
    pid = Pid("n", 1)
    assert Shutdown("a") == Shutdown("a") != Shutdown("b")
    assert len({CallFailed("x", pid), CallFailed("x", pid), BadReturnValue(1)}) == 2


class Mute(Exception):
    def __str__(self) -> str:
        raise SystemExit

    def __eq__(self, other: object) -> bool:
        raise ValueError("cannot be compared")

    __hash__ = None  # type: ignore[assignment]


def test_an_error_that_has_no_text_still_is_a_reason_that_travels() -> None:
    text = "<not shown: its text raises SystemExit>"
    assert str(Crashed(Mute())) == f"crashed with Mute: {text}"
    assert str(pickle.loads(pickle.dumps(Crashed(Mute()))).exception) == f"Mute: {text}"


def test_what_cannot_be_compared_is_the_same_as_itself_only() -> None:
    reason = Mute()
    assert is_same(reason, reason)
    assert not is_same(reason, Mute())
    assert not is_same(SHUTDOWN, reason)
    assert is_same(Shutdown("drained"), Shutdown("drained"))
