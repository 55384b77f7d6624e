"""`Drain`: how a node is emptied of its calls. Pure.

Until `deadline` the calls may come to their end. Then they are handed over to other nodes, as many
as those have room for, a batch every `ROUND_SECONDS`. A call that is asked goes where the caller
has just finished speaking, so that neither hears of it; one that has found no such seam within
`SEAM_SECONDS` is cut off. A `final` drain, of a node that ends, cuts off what nobody has room for.

A call that has left is waited for `BACK_SECONDS`: the caller has to come to another node, which
takes the journal from here. The clock is handed in, in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

ROUND_SECONDS = 1.0
ROUNDS = 5
"""All calls of a node have been asked after so many rounds, if there is room for them."""
LEAST_BATCH = 10
SEAM_SECONDS = 5.0
BACK_SECONDS = 3.0
HAND_OVER_SECONDS = ROUNDS * ROUND_SECONDS + SEAM_SECONDS + BACK_SECONDS
"""What a drain takes at most behind its deadline, if there is room for the calls."""


class Ask(NamedTuple):
    """Have the call leave at its next seam."""

    call_id: str


class Cut(NamedTuple):
    """Have the call leave now."""

    call_id: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a drain stands after a round. `calls` are here, `leaving` have left and are not yet
    taken, `ended` came to their end, `handed_over` were taken by other nodes, `lost` by none."""

    state: str
    round: int
    calls: int
    leaving: int
    ended: int
    handed_over: int
    lost: int
    seconds_left: float

    def described(self) -> dict[str, Any]:
        """As JSON data."""
        return asdict(self)


NOT_DRAINING = Progress("up", 0, 0, 0, 0, 0, 0, 0.0)


class Drain:
    """See the module. `due`: there is progress to be told of."""

    def __init__(self, now: float, seconds: float, *, final: bool = False) -> None:
        self.deadline = now + seconds
        self.final = final
        self.due = False
        self._number = 0
        self._next_round = now
        self._batch = 0
        self._here: set[str] = set()
        self._asked: dict[str, float] = {}
        self._cut: set[str] = set()
        self._left: set[str] = set()
        self._leaving: dict[str, float] = {}
        self._over = False
        self._ended = self._handed_over = self._lost = 0

    @property
    def over(self) -> bool:
        """No call is here or still expected, and none that has left is waited for."""
        return self._over

    def look(
        self, now: float, calls: Collection[str], room: int, expected: int = 0
    ) -> list[Ask | Cut]:
        """These calls are here, and the other nodes have this much room: what to do.

        `expected`: calls that were let in before and whose streams are yet to come.
        """
        for call_id in self._here.difference(calls):
            self._asked.pop(call_id, None)
            self._cut.discard(call_id)
            self._ended += call_id not in self._left
            self._left.discard(call_id)
        for call_id in [each for each, until in self._leaving.items() if until <= now]:
            del self._leaving[call_id]
            self._lost += 1
        self._here = set(calls)
        commands = self._cut_off(now)
        was_over, self._over = self._over, not (self._here or self._leaving or expected)
        if self._over:
            self.due = not was_over
        elif now >= self._next_round:
            self._number += 1
            self._next_round = now + ROUND_SECONDS
            self.due = True
            if now >= self.deadline:
                commands += self._hand_over(now, room)
        return commands

    def left(self, now: float, call_id: str) -> None:
        """The call has left for another node."""
        self._left.add(call_id)
        self._leaving[call_id] = now + BACK_SECONDS

    def taken(self, call_id: str) -> None:
        """Another node has the call."""
        if self._leaving.pop(call_id, None) is not None:
            self._handed_over += 1

    def progress(self, now: float) -> Progress:
        """Where it stands."""
        return Progress(
            "drained" if self.over else "draining",
            self._number,
            len(self._here),
            len(self._leaving),
            self._ended,
            self._handed_over,
            self._lost,
            round(max(0.0, self.deadline - now), 1),
        )

    def _cut_off(self, now: float) -> list[Ask | Cut]:
        late = [each for each, at in self._asked.items() if now - at >= SEAM_SECONDS]
        late = [each for each in late if each not in self._cut]
        self._cut.update(late)
        return [Cut(each) for each in late]

    def _hand_over(self, now: float, room: int) -> list[Ask | Cut]:
        self._batch = self._batch or max(LEAST_BATCH, math.ceil(len(self._here) / ROUNDS))
        waiting = sorted(self._here.difference(self._asked))[: self._batch]
        free = max(0, room - len(self._asked) - len(self._leaving))
        asked, left_over = waiting[:free], waiting[free:]
        self._asked.update(dict.fromkeys(asked, now))
        commands: list[Ask | Cut] = [Ask(each) for each in asked]
        if self.final and not free:
            self._asked.update(dict.fromkeys(left_over, now))
            self._cut.update(left_over)
            commands += [Cut(each) for each in left_over]
        return commands
