"""Who was to be heard when on a line, and what that adds up to. Pure; the clock is handed in.

    talk.agent(starts, ends)      audio of the agent's that the carrier plays then
    talk.cut(now)                 what was to be played from now on is not
    talk.onset(at), words(at), finished(at)       what the recogniser tells of the caller
    talk.told()                   `Figures`, as they stand

The caller's voice begins at an onset that words follow and ends where the recogniser has found its
end. Dead air is a gap of `DEAD_AIR_SECONDS` or more in which nobody is to be heard; behind the
caller's words it is the agent that owes something.

Errors: none. Of more than `MOST_SPANS` stretches of one side the later ones are passed over.
"""

from __future__ import annotations

from typing import Final, NamedTuple

DEAD_AIR_SECONDS: Final = 3.0
NEAR_SECONDS: Final = 0.1
"""Stretches that are no further apart are one."""
LEAST_SECONDS: Final = 0.2
"""Both at once for less is how people take turns."""
MOST_SPANS: Final = 5_000

Span = tuple[float, float]


class Figures(NamedTuple):
    """What a line's talk adds up to: seconds, and how often. `owed_s`: of the dead air that behind
    the caller's words."""

    seconds: float
    caller_s: float
    agent_s: float
    talk_over_s: float
    talk_overs: int
    dead_air_s: float
    dead_airs: int
    owed_s: float


class Talk:
    """See the module."""

    def __init__(self) -> None:
        self._agent: list[Span] = []
        self._caller: list[Span] = []
        self._began: float | None = None
        self._last: float | None = None

    def agent(self, starts: float, ends: float) -> None:
        """See the module."""
        _add(self._agent, starts, ends)

    def cut(self, now: float) -> None:
        """See the module."""
        while self._agent and self._agent[-1][1] > now:
            starts, _ = self._agent.pop()
            if starts < now:
                self._agent.append((starts, now))

    def onset(self, at: float) -> None:
        """The caller's voice begins, if words follow."""
        if self._last is None:
            self._began = at

    def words(self, at: float) -> None:
        """Words of the caller's, final or not."""
        if self._began is None:
            self._began = at
        self._last = at

    def finished(self, at: float) -> None:
        """The caller's voice has ended, at `at`."""
        if self._began is not None and self._last is not None:
            _add(self._caller, self._began, max(self._began, at))
        self._began = self._last = None

    def told(self) -> Figures:
        """See the module. Words whose end has not been told end with the last of them."""
        caller = list(self._caller)
        if self._began is not None and self._last is not None:
            _add(caller, self._began, self._last)
        over = _both(caller, self._agent)
        spans = sorted([(*one, True) for one in caller] + [(*one, False) for one in self._agent])
        gaps, ends, is_caller = list[tuple[float, bool]](), 0.0, False
        for starts, until, of_caller in spans:
            if ends and starts - ends >= DEAD_AIR_SECONDS:
                gaps.append((starts - ends, is_caller))
            if until >= ends:
                ends, is_caller = until, of_caller
        return Figures(
            round(ends - spans[0][0], 3) if spans else 0.0,
            _length(caller),
            _length(self._agent),
            round(sum(over), 3),
            len(over),
            round(sum(length for length, _ in gaps), 3),
            len(gaps),
            round(sum(length for length, owed in gaps if owed), 3),
        )


def _add(spans: list[Span], starts: float, ends: float) -> None:
    if spans and starts - spans[-1][1] <= NEAR_SECONDS:
        spans[-1] = (spans[-1][0], max(spans[-1][1], ends))
    elif len(spans) < MOST_SPANS:
        spans.append((starts, ends))


def _both(one: list[Span], other: list[Span]) -> list[float]:
    """The lengths of the stretches in which both are to be heard."""
    found, here, there = list[float](), 0, 0
    while here < len(one) and there < len(other):
        length = min(one[here][1], other[there][1]) - max(one[here][0], other[there][0])
        if length >= LEAST_SECONDS:
            found.append(length)
        if one[here][1] < other[there][1]:
            here += 1
        else:
            there += 1
    return found


def _length(spans: list[Span]) -> float:
    return round(sum(ends - starts for starts, ends in spans), 3)
