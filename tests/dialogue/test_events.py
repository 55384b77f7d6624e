"""Events and commands: plain values, all of them in use."""

from __future__ import annotations

import dataclasses
from typing import get_args

import pytest

from aybiza.dialogue.events import Command, Event, Say, TimerFired, TimerName, ToneHeard
from aybiza.dialogue.turns import _TRANSITIONS


@pytest.mark.parametrize("kind", [*get_args(Event), *get_args(Command)])
def test_events_and_commands_are_frozen_and_documented(kind: type) -> None:
    assert dataclasses.is_dataclass(kind)
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert kind.__doc__ and not kind.__doc__.startswith(f"{kind.__name__}(")


def test_equal_values_are_equal() -> None:
    assert Say(1, 2, "Yes.") == Say(1, 2, "Yes.")
    assert Say(1, 2, "Yes.") != Say(1, 3, "Yes.")


OF_PLACED_CALLS = {ToneHeard, "answering"}
"""What `aybiza.dialogue.outbound.outgoing` goes by, ahead of the rows."""


def test_every_event_and_every_timer_has_a_row_in_the_turn_machine() -> None:
    triggers = {trigger for trigger, _ in _TRANSITIONS}
    told = {*get_args(Event), *get_args(TimerName)} - {TimerFired}
    assert triggers == told - OF_PLACED_CALLS
