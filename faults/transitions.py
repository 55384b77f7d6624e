"""Which rows of the turn machine's table calls have gone through.

    with noted() as rows: …          rows counts what was done, by event and phase
    untaken(rows)                    what stands in the table and was not

A row is an event, or the name of a timer that fires, in a phase of the conversation.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from aybiza.dialogue import turns
from aybiza.dialogue.events import TimerFired


class Row(NamedTuple):
    """An event in a phase."""

    event: str
    phase: str


def table() -> set[Row]:
    """The rows that there are."""
    return {_row(trigger, phase) for trigger, phase in turns._TRANSITIONS}


@contextmanager
def noted() -> Iterator[Counter[Row]]:
    """Count the rows that are taken inside the block."""
    rows: Counter[Row] = Counter()
    original: Any = turns.TurnMachine.handle

    def handle(self: turns.TurnMachine, event: Any) -> Any:
        trigger: Any = event.name if isinstance(event, TimerFired) else type(event)
        if (trigger, self.phase) in turns._TRANSITIONS:
            rows[_row(trigger, self.phase)] += 1
        return original(self, event)

    machine: Any = turns.TurnMachine
    machine.handle = handle
    try:
        yield rows
    finally:
        machine.handle = original


def untaken(rows: Iterable[Row]) -> list[str]:
    """A line an event, with the phases in which it has not come."""
    left = table() - set(rows)
    events = sorted({row.event for row in left})
    return [
        f"{event}: {', '.join(sorted(row.phase for row in left if row.event == event))}"
        for event in events
    ]


@functools.cache
def _row(trigger: Any, phase: Any) -> Row:
    return Row(trigger if isinstance(trigger, str) else trigger.__name__, phase.name.lower())
