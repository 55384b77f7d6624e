"""Whether each sentence of the agent's was heard, and once. Errors: none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from aybiza.dialogue.journal import (
    AgentSentence,
    CallerTurn,
    Interrupted,
    Joined,
    Resumed,
    SentenceHeard,
    SentenceUnsaid,
)
from aybiza.dialogue.turn_policy import TurnPolicy
from aybiza.emulators.deepgram.speak import sentences
from aybiza.faults.spoken import (
    heard_letters,
    is_untold,
    joined_letters,
    left_out_letters,
    letters,
)
from aybiza.speech.spoken_text import spoken

if TYPE_CHECKING:
    from aybiza.faults.trial import Outcome

_VOICES: Final = ("speak", "elevenlabs")


def once(outcome: Outcome) -> Iterator[str]:
    """No sentence is lost, and none is heard twice.

    The words of one answer's sentence may stand in two of another's: they are said in both. What a
    noise broke into is said again from its beginning, on purpose. What a carrier has played that
    reads nothing, or tells nothing, cannot be known, nor what a voice has left out of several
    texts, of the parts of one, or of the end of one that it calls whole. The words for who waits
    may be said once a turn beside, of which no journal tells, and so may the apology in a turn of
    which a sentence was not said.
    """
    heard = heard_letters(outcome.report)
    given: Counter[str] = Counter()
    told: Counter[str] = Counter()
    resumed: Counter[str] = Counter()
    texts: dict[tuple[int, int], str] = {}
    parts: dict[str, list[str]] = {}
    turns_said: dict[int, str] = {}
    broken_into: dict[int, str] = {}
    language = outcome.agent.language
    for _, entry in outcome.entries:
        match entry:
            case AgentSentence(turn, seq, text):
                voiced = spoken(text, language)
                texts[turn, seq] = said = letters(voiced)
                parts[said] = [letters(part) for part in sentences(voiced)]
                given[said] += 1
                turns_said[turn] = turns_said.get(turn, "") + said
            case SentenceHeard(turn, seq):
                told[texts.get((turn, seq), "")] += 1
            case Interrupted(turn, seq):
                broken_into[turn] = texts.get((turn, seq), "")
            case Resumed(turn):
                resumed[broken_into.get(turn, "")] += 1
    again = max(0, len(outcome.report.streams) - 1)
    left_out, joined = left_out_letters(outcome), joined_letters(outcome)
    fillers = {letters(spoken(text, language)) for text in TurnPolicy.of(outcome.agent).fillers}
    turns = sum(isinstance(entry, CallerTurn) for _, entry in outcome.entries)
    unsaid = {entry.turn for _, entry in outcome.entries if isinstance(entry, SentenceUnsaid)}
    beside = dict.fromkeys(fillers, turns)
    beside[letters(spoken(outcome.agent.error, language))] = len(unsaid)
    for text, number in given.items():
        times = heard.count(text) if text else number
        told_in = sum(said.count(text) for said in turns_said.values()) if text else number
        whole = sum(text in other for other in given) > 1
        most = max(number, told_in) + again + resumed[text] + beside.get(text, 0)
        if times > most and not whole:
            yield f"heard {times} times, said {number} times: {text[:40]!r}"
        known = max(times, joined.count(text)) + left_out.count(text) >= told[text]
        if not (known or _is_in_parts(parts[text], heard, left_out) or is_untold(outcome)):
            yield f"taken for heard and never heard: {text[:40]!r}"
    yield from _unheard(outcome)


def _is_in_parts(parts: list[str], heard: str, left_out: str) -> bool:
    """Whether a voice has left out some sentences of a text, and said the others."""
    gone = [part for part in parts if part in left_out]
    return bool(gone) and all(part in heard for part in parts if part not in gone)


def _unheard(outcome: Outcome) -> Iterator[str]:
    """A sentence of a turn that nobody broke off, behind which the call went on.

    One that no voice says is passed over, but not before a second socket was tried.
    """
    waiting: dict[tuple[int, int], str] = {}
    given: dict[tuple[int, int], float] = {}
    cut: set[int] = set()
    last = 0

    for at, entry in outcome.entries:
        if isinstance(entry, AgentSentence):
            waiting[entry.turn, entry.seq] = entry.text
            given[entry.turn, entry.seq] = at
        elif isinstance(entry, SentenceHeard):
            waiting.pop((entry.turn, entry.seq), None)
        elif isinstance(entry, SentenceUnsaid):
            since = given.get((entry.turn, entry.seq), at)
            if any(door in _VOICES and since <= then <= at for then, door, _ in outcome.opened):
                waiting.pop((entry.turn, entry.seq), None)
        elif isinstance(entry, Interrupted | Joined):
            # Who has joined a turn to the next one has gone on before anything was heard.
            cut.add(entry.turn)
        elif isinstance(entry, CallerTurn):
            last = entry.turn
    for (turn, _), text in waiting.items():
        if turn < last and turn not in cut:
            yield f"never heard, though nobody broke in: {text[:40]!r}"
