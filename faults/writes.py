"""What a call has written: what the plan's caller has agreed to, and nothing else. Errors: none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from aybiza.dialogue.journal import AnswerComplete, CallerTurn
from aybiza.faults.spoken import left_out_letters, letters

if TYPE_CHECKING:
    from aybiza.faults.trial import Outcome


def writes(outcome: Outcome) -> Iterator[str]:
    """Nothing is written but what the plan's caller has agreed to when it was put to them, and that
    once; where nothing breaks it is."""
    seen: Counter[str] = Counter()
    consents = {letters(text): asked for text, asked in outcome.plan.consents.items()}
    for use in outcome.written:
        what = str(use.input.get("what"))
        seen[what] += 1
        asked = consents.get(letters(use.said))
        if asked is None or what not in asked:
            yield f"{what} was written to {use.said!r}"
        elif not _was_asked(outcome, letters(use.said), asked):
            yield f"{what} was written before {asked!r} was heard"
    for what, times in seen.items():
        if times > 1:
            yield f"{what} was written {times} times"
    yield from _unwritten(outcome, seen)


def _was_asked(outcome: Outcome, consent: str, asked: str, *, at_last: bool = False) -> bool:
    """Whether the caller had heard the question before they began to agree; `at_last`: to its very
    end and nothing behind it, for who breaks into it, or agrees to something else, is to be asked
    once more. What a voice has left out of it, and called it whole, nobody can know."""
    if not at_last and letters(asked) in left_out_letters(outcome):
        return True
    turns, starts = outcome.report.turns, [0.0]
    for first, turn in enumerate(turns):
        said = ""
        for piece in turns[first:]:
            said += letters(piece.said)
            starts += [turn.start_ms] * (said == consent)
    until = max(starts)
    pieces = [piece for piece in outcome.report.heard if piece.at_ms < until]
    heard = letters(" ".join(piece.text for piece in pieces))
    _, found, behind = heard.rpartition(letters(asked))
    return bool(found) and not (at_last and (behind or pieces[-1].cut))


def _unwritten(outcome: Outcome, seen: Counter[str]) -> Iterator[str]:
    """What was agreed to and is not done, though the answer to it came to its end, and the plan's
    model uses a tool in it."""
    plan = outcome.plan
    if plan.faults:
        return
    consents = {
        letters(text): asked
        for text, asked in plan.consents.items()
        if any(not isinstance(reply, str) for reply in plan.answers.get(text, ()))
    }
    turns = {
        entry.turn: letters(entry.text)
        for _, entry in outcome.entries
        if isinstance(entry, CallerTurn)
    }
    for _, entry in outcome.entries:
        if not isinstance(entry, AnswerComplete) or turns.get(entry.turn) not in consents:
            continue
        asked = consents[turns[entry.turn]]
        was_asked = _was_asked(outcome, turns[entry.turn], asked, at_last=True)
        if was_asked and not any(what in asked for what in seen):
            yield f"not written though the caller has agreed: {asked!r}"
