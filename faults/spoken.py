"""What was said, as invariants compare it. Pure. Errors: none."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from aybiza.dialogue import overheard
from aybiza.dialogue.journal import AgentSentence, AnswerComplete, CallerTurn, Joined
from aybiza.dialogue.turn_policy import TurnPolicy
from aybiza.emulators.phone.report import Report, Turn
from aybiza.faults.caller import NOISE
from aybiza.speech.spoken_text import spoken

if TYPE_CHECKING:
    from aybiza.faults.trial import Outcome

SOUNDS_MS: Final = 500.0
"""A sentence that is there begins to be heard by then, where no voice fails."""
VOICES: Final = ("speak.", "elevenlabs.")
"""How the kinds of faults of a voice begin."""

KEYS_SAID: Final = "keys "
"""How a report tells keys that were pressed."""
RECOGNISERS: Final = ("listen.", "flux.")
"""How the kinds of faults of a recogniser begin."""

_WORD = re.compile(r"[^\W_]+")


def letters(text: str) -> str:
    """The text without blanks, marks and case."""
    return "".join(_WORD.findall(text)).casefold()


def heard_letters(report: Report) -> str:
    """The letters of all that was heard. What was cut off does not go on in what comes next: a bar
    stands behind it."""
    return "".join(f"{letters(one.text)}{'|' * one.cut}" for one in report.heard)


def joined_letters(outcome: Outcome) -> str:
    """The same without the words for who waits: those may be heard where a voice has broken off a
    sentence, which goes on behind them."""
    heard = heard_letters(outcome.report)
    for text in TurnPolicy.of(outcome.agent).fillers:
        heard = heard.replace(letters(spoken(text, outcome.agent.language)), "")
    return heard


def left_out_letters(outcome: Outcome) -> str:
    """The letters of what a voice may have left out, a bar between the texts."""
    return "|".join(letters(text) for text in outcome.left_out)


def is_untold(outcome: Outcome) -> bool:
    """Whether the carrier did not tell what it has played, or did not read what it was told."""
    return any(strike.fault.what in ("line.deaf", "line.no_marks") for strike in outcome.strikes)


def asks(turn: Turn) -> bool:
    """Whether the caller said something that asks for an answer."""
    return bool(turn.said) and turn.said != NOISE and not turn.said.startswith(KEYS_SAID)


def only_listens(outcome: Outcome, turn: Turn) -> bool:
    """Whether what was said over the agent is no turn: that somebody listens, or its own echo."""
    language = outcome.agent.language
    if not turn.barge_in:
        return _is_owed(outcome, turn) and overheard.is_back_channel(turn.said, language)
    said = " ".join(e.text for _, e in outcome.entries if isinstance(e, AgentSentence))
    return overheard.is_back_channel(turn.said, language) or overheard.is_echo(turn.said, said)


def _is_owed(outcome: Outcome, turn: Turn) -> bool:
    """Whether an answer was yet to be heard while this was said, at its beginning or later."""
    end = turn.end_ms if turn.end_ms is not None else turn.start_ms
    return any(since < end and until >= turn.start_ms for since, until in _waits(outcome))


def _asked_at(outcome: Outcome, entry: CallerTurn, ms: float) -> float:
    """Since when the caller waits for the answer to this turn, which is taken at `ms`: where a
    recogniser failed its words were told late, and have waited already."""
    if not any(strike.fault.what.startswith(RECOGNISERS) for strike in outcome.strikes):
        return ms
    words = letters(entry.text)
    ends = (
        turn.end_ms
        for turn in outcome.report.turns
        if turn.end_ms is not None
        and turn.end_ms < ms
        and letters(turn.said.removeprefix(KEYS_SAID)) in words
    )
    return max(ends, default=ms)


def _waits(outcome: Outcome) -> Iterator[tuple[float, float]]:
    """From when until when the caller waits for an answer: its first sentence is heard a moment
    after it is there."""
    asked: int | None = None
    since = 0.0
    for at, entry in outcome.entries:
        ms = (at - outcome.zero) * 1000
        if isinstance(entry, CallerTurn):
            if asked is not None:
                yield since, ms
            asked, since = (entry.turn if entry.text else None), _asked_at(outcome, entry, ms)
        elif isinstance(entry, Joined) and asked is None:
            # What was to be said was taken back before a word of it was heard.
            asked, since = entry.turn, ms
        elif isinstance(entry, AgentSentence | AnswerComplete) and entry.turn == asked:
            asked = None
            sounds = (heard.at_ms for heard in outcome.report.heard if heard.at_ms >= ms)
            fails = any(strike.fault.what.startswith(VOICES) for strike in outcome.strikes)
            yield since, min(ms + (math.inf if fails else SOUNDS_MS), next(sounds, ms))
    if asked is not None:
        yield since, math.inf
