"""Faults of streamed services on demand, in a table.

    faults.add(Fault("refuse", code=429))
    fault = faults.take(call)                the first that waits for this request, or None
    steps = struck(steps, fault)             the answer, as the fault has it

Contract: a fault strikes `times` requests, None: all. Pure. Errors: `ValueError` for a fault that
makes no sense, with what is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from aybiza.emulators.streamed.steps import Action, Cut, End, HangUp, Piece, Step, Wait


class Kind(NamedTuple):
    """What a fault does: its parameters, and a line for people."""

    parameters: tuple[str, ...]
    meaning: str


KINDS: Final[dict[str, Kind]] = {
    "refuse": Kind(("code",), "the answer is the HTTP status `code`"),
    "hang_up": Kind((), "the connection is closed instead of answering"),
    "slow": Kind(("seconds",), "nothing comes for `seconds`, then the answer"),
    "stall": Kind(("into", "seconds"), "after `into` pieces nothing comes for `seconds`"),
    "cut": Kind(("into",), "after `into` pieces the connection breaks"),
    "short": Kind(("into",), "after `into` pieces the answer ends as if it were whole"),
}
REFUSALS: Final = (400, 401, 402, 403, 404, 408, 422, 429, 500, 502, 503, 529)


@dataclass(frozen=True, slots=True)
class Fault:
    """See the module."""

    kind: str
    code: int = 429
    into: int = 0
    seconds: float = 1.0
    times: int | None = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is {self.kind!r}; allowed: {', '.join(KINDS)}")
        if self.kind == "refuse" and self.code not in REFUSALS:
            raise ValueError(f"code is {self.code!r}; allowed: {', '.join(map(str, REFUSALS))}")
        if self.into < 0 or self.seconds < 0 or (self.times is not None and self.times < 1):
            raise ValueError("into and seconds are from 0, times from 1 or null")


class Faults:
    """Those that wait, in the order in which they were added."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Fault, int | None]] = []

    def add(self, fault: Fault) -> None:
        """Have it wait for a request."""
        self._waiting.append((fault, fault.times))

    def take(self) -> Fault | None:
        """The one that strikes this request."""
        if not self._waiting:
            return None
        fault, left = self._waiting[0]
        if left is not None and left <= 1:
            self._waiting.pop(0)
        elif left is not None:
            self._waiting[0] = (fault, left - 1)
        return fault

    def clear(self) -> None:
        """Forget them."""
        self._waiting.clear()


def struck(steps: Iterator[Step], fault: Fault | None) -> Iterator[Step]:
    """See the module; one of kind `refuse` is its service's own to answer."""
    if fault is None or fault.kind == "refuse":
        yield from steps
        return
    if fault.kind in ("hang_up", "slow"):
        yield Step(0.0, HangUp() if fault.kind == "hang_up" else Wait(fault.seconds))
        if fault.kind == "hang_up":
            return
        yield from steps
        return
    pieces, done = 0, False
    for step in steps:
        is_due = isinstance(step.action, Piece | End) and not done
        if is_due and (pieces >= fault.into or isinstance(step.action, End)):
            done = True
            yield Step(step.at, _STRIKES[fault.kind](fault))
            if fault.kind != "stall":
                return
        pieces += isinstance(step.action, Piece)
        yield step


_STRIKES: Final[Mapping[str, Callable[[Fault], Action]]] = {
    "stall": lambda fault: Wait(fault.seconds),
    "cut": lambda fault: Cut(),
    "short": lambda fault: End(),
}
"""What goes out in place of a piece."""
