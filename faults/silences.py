"""The silences that a caller hears: none too long while an answer is owed, and no endless one.

Held against nobody is what the line did not carry; a silence counts anew behind a time in which
nothing can be heard whatever is said: while the carrier reads nothing, and from when its stream is
cut until it has the next one, on which a node begins that does not know how long it has been quiet.
A time for which the plan itself held the CallActor is taken off a silence: it decides what is said,
and nobody else may. Behind half a sentence an answer is owed from when the caller has been heard
out. Errors: none.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from aybiza.dialogue import unfinished
from aybiza.dialogue.journal import (
    AnswerComplete,
    CallerTurn,
    Interrupted,
    Transferred,
    Transferring,
)
from aybiza.dialogue.turn_policy import TurnPolicy
from aybiza.emulators.phone.report import Turn
from aybiza.faults.spoken import asks, only_listens
from aybiza.faults.telephone import REDIRECT_SECONDS

if TYPE_CHECKING:
    from aybiza.faults.trial import Outcome

SILENCE_MS: Final = 4500.0
# What the greeting, a goodbye or a silence prompt may take when nobody owes anybody a word.
QUIET_MS: Final = 40_000.0
# RFC 6455, section 7.4.1: the connection has gone without a close frame.
CUT: Final = 1006


def silence(outcome: Outcome) -> Iterator[str]:
    """Never too long a silence while an answer is owed, and never an endless one."""
    report = outcome.report
    sounds = [(heard.at_ms, heard.until_ms) for heard in report.heard]
    sounds = sorted([*sounds, *_struck(outcome, "line.deaf"), *_cut(outcome), *_rings(outcome)])
    for number, turn in enumerate(report.turns):
        if turn.end_ms is None or not asks(turn) or _was_mute(outcome, turn):
            continue
        if only_listens(outcome, turn):
            continue
        end = _owed_until(outcome, number, turn)
        longest, at = _longest_gap(sounds, turn.end_ms + _heard_out(outcome, turn), end)
        if longest - _held(outcome, at, at + longest) > SILENCE_MS:
            yield f"{longest / 1000:.1f} s of it after {turn.said!r}, from {at / 1000:.1f} s on"
    talks = sounds + [(t.start_ms, t.end_ms or t.start_ms) for t in report.turns]
    longest, at = _longest_gap(sorted(talks), 0.0, report.duration_ms)
    if longest > QUIET_MS:
        yield f"{longest / 1000:.1f} s without a sound, from {at / 1000:.1f} s on"


def _was_mute(outcome: Outcome, turn: Turn) -> bool:
    """Whether the line did not carry what the caller said, or not all of it."""
    spoken = turn.end_ms if turn.end_ms is not None else turn.start_ms
    return any(
        spoken >= begins and turn.start_ms <= ends for begins, ends in _struck(outcome, "line.mute")
    )


def _heard_out(outcome: Outcome, turn: Turn) -> float:
    """For how many milliseconds a caller is waited for whose words cannot be all."""
    agent = outcome.agent
    if not unfinished.wants_more(turn.said, agent.language):
        return 0.0
    return 1000 * TurnPolicy.of(agent).patience_unfinished


def _struck(outcome: Outcome, what: str) -> Iterator[tuple[float, float]]:
    """From when until when faults of this kind lasted."""
    for strike in outcome.strikes:
        if strike.fault.what == what:
            begins = (strike.at + strike.fault.delay - outcome.zero) * 1000
            yield begins, begins + strike.fault.seconds * 1000


def _cut(outcome: Outcome) -> Iterator[tuple[float, float]]:
    """From when until when there was no stream, because the carrier's was cut and no node fell."""
    if any(strike.fault.what.startswith("node.") for strike in outcome.strikes):
        return
    for stream, following in pairwise(outcome.report.streams):
        if stream.close_code == CUT and stream.closed_ms is not None:
            yield stream.closed_ms, following.opened_ms


def _rings(outcome: Outcome) -> Iterator[tuple[float, float]]:
    """From when until when the caller heard it ring where they were to be put through to."""
    begins: float | None = None
    for at, entry in outcome.entries:
        if isinstance(entry, Transferring) and entry.to in outcome.agent.transfer_numbers:
            begins = at + REDIRECT_SECONDS
        elif isinstance(entry, Transferred) and begins is not None:
            yield (begins - outcome.zero) * 1000, (at - outcome.zero) * 1000
            begins = None


def _held(outcome: Outcome, start: float, end: float) -> float:
    """For how long the CallActor hung by the plan between `start` and `end`, one time after the
    other."""
    free, held = 0.0, 0.0
    for strike in outcome.strikes:
        if strike.fault.what == "hang" and strike.whom.startswith("CallActor"):
            at = (strike.at + strike.fault.delay - outcome.zero) * 1000
            begins = max(at, free)
            free = begins + strike.fault.seconds * 1000
            held += max(0.0, min(free, end) - max(begins, start))
    return held


def _owed_until(outcome: Outcome, number: int, turn: Turn) -> float:
    """Until when the agent owes an answer to a turn of the caller."""
    report = outcome.report
    assert turn.end_ms is not None
    following = [other.start_ms for other in report.turns[number + 1 :]]
    limit = min([*following, report.duration_ms])
    first = next((h.at_ms for h in report.heard if h.until_ms > turn.end_ms), limit)
    taken, done = None, first
    for at, entry in outcome.entries:
        ms = (at - outcome.zero) * 1000
        if isinstance(entry, CallerTurn) and taken is None and ms >= turn.start_ms:
            taken = entry.turn
        if isinstance(entry, AnswerComplete | Interrupted) and entry.turn == taken:
            done = max(first, ms)
            break
    return min(done, limit)


def _longest_gap(
    sounds: list[tuple[float, float]], start: float, end: float
) -> tuple[float, float]:
    """The longest silence between `start` and `end`, and where it begins."""
    at, longest, where = start, 0.0, start
    for begins, until in [*sounds, (end, end)]:
        if until <= at:
            continue
        gap = min(begins, end) - at
        if gap > longest:
            longest, where = gap, at
        at = max(at, until)
        if at >= end:
            break
    return longest, where
