"""Signals as bytes."""

import pickle
import threading
from typing import Any

import pytest

from aybiza.actors.cluster import signals
from aybiza.actors.runtime import Crashed, Pid, Shutdown


def test_a_signal_is_the_same_on_the_other_side() -> None:
    for signal in (
        signals.Send(Pid("a", 1, 7), {"x": (1, 2)}),
        signals.Ask(3, None, "name", "request", "get_state"),
        signals.AwaitEnd(4, "name", ("normal",)),
        signals.ExitSignal(Pid("a", 1), Pid("b", 2), "boom", True),
    ):
        assert pickle.loads(signals.packed(signal)) == signal


def test_what_is_too_long_is_refused_with_its_length() -> None:
    with pytest.raises(ValueError, match="too long for another node"):
        signals.packed(signals.Send("name", b"x" * (signals.MAX_BYTES + 1)))


class Awkward(Exception):
    """Cannot be made anew from its arguments."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} {two}")


@pytest.mark.parametrize("reason", ["normal", Shutdown("told"), ("a", 1), Crashed(ValueError("x"))])
def test_a_reason_that_travels_is_left_alone(reason: Any) -> None:
    assert signals.portable(reason) is reason


@pytest.mark.parametrize("reason", [threading.Lock(), ("x", lambda: None), Awkward(1, 2)])
def test_a_reason_that_does_not_travel_becomes_its_text(reason: Any) -> None:
    portable = signals.portable(reason)
    assert isinstance(portable, Crashed)
    assert type(reason).__name__ in str(pickle.loads(pickle.dumps(portable)))
