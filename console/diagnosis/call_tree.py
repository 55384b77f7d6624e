"""The decision tree of a call: each question, whether it is so here, and what mends it. Pure.

    for found in walk(Evidence(record, turns, journal)):
        print(found.branch, found.asks, found.answer, found.seen, found.fix)

Every question is asked, in the tree's order. An answer is "yes" (this is wrong), "no", or "unknown"
where the call has left nothing that could tell; then the finding says where to look instead. A
question is one row of `QUESTIONS`: what it asks, what answers it, and what mends it.

Errors: none; rows and entries that are not understood are passed over.
Source: specification 002, section D, "Debugging Decision Tree".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any, Final, Literal, NamedTuple

from aybiza.console.diagnosis.latency import BUDGETS, NETWORK, Component, components
from aybiza.dialogue.journal import FAULT, REACHED

SLOW_MS: Final = 1_500.0
"""A caller who waits longer for an answer says "hello?"."""
LONG_WORDS: Final = 75
"""Thirty seconds, as people speak."""
LONG_SHARE: Final = 0.25
NOISE_ENOUGH: Final = 2
SAME: Final = 0.8
"""How alike two turns of a caller are that say the same thing again."""
SHORTEST: Final = 12
"""Letters; a yes that is said twice is no complaint."""

Answer = Literal["yes", "no", "unknown"]
Seen = tuple[Answer, str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a call. record: its row of the records, None if there is none; turns: those
    of its turns; journal: its entries, in order."""

    record: Mapping[str, Any] | None = None
    turns: Sequence[Mapping[str, Any]] = ()
    journal: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        """The entries of a type."""
        return [entry for entry in self.journal if entry.get("type") == kind]

    def part(self, name: str) -> Component:
        """A component of its turns."""
        return next(part for part in components(self.turns) if part.name == name)


class Question(NamedTuple):
    """See the module."""

    branch: str
    asks: str
    look: Callable[[Evidence], Seen]
    fix: str


class Finding(NamedTuple):
    """A question with its answer. seen: what says so; fix: what to do, where the answer is yes."""

    branch: str
    asks: str
    answer: Answer
    seen: str
    fix: str


def walk(evidence: Evidence) -> Iterator[Finding]:
    """All questions of the tree, answered for this call."""
    for question in QUESTIONS:
        answer, seen = question.look(evidence)
        yield Finding(
            question.branch, question.asks, answer, seen, question.fix if answer == "yes" else ""
        )


def _slow(evidence: Evidence) -> Seen:
    times = [
        (turn["turn"], turn["first_frame"] * 1000.0)
        for turn in evidence.turns
        if turn.get("first_frame") is not None
    ]
    if not times:
        return "unknown", "no turn of it was measured"
    turn, worst = max(times, key=lambda each: each[1])
    slow = sum(ms > SLOW_MS for _, ms in times)
    of = f"{slow} of {len(times)} answers took over {SLOW_MS:,.0f} ms"
    return ("yes" if slow else "no"), f"{of}; the slowest, of turn {turn}, {worst:,.0f} ms"


def _over(name: str) -> Callable[[Evidence], Seen]:
    def look(evidence: Evidence) -> Seen:
        part = evidence.part(name)
        if part.p50_ms is None:
            return "unknown", "not measured on this call"
        share = "" if part.share is None else f", {part.share:.0%} of the wait"
        seen = f"{part.p50_ms:,.0f} ms of {BUDGETS[name]:,.0f}{share}"
        return ("yes" if part.verdict == "over" else "no"), seen

    return look


def _not_heard(evidence: Evidence) -> Seen:
    if not evidence.journal:
        return "unknown", "its journal is not kept here"
    turns = [entry for entry in evidence.of("caller_turn") if entry.get("text")]
    return ("no" if turns else "yes"), f"turns of the caller that were understood: {len(turns)}"


def _not_hearing(evidence: Evidence) -> Seen:
    said, heard = evidence.of("agent_sentence"), evidence.of("sentence_heard")
    if not said:
        return "unknown", "the agent said nothing, or its journal is not kept here"
    # The last sentence of a call that the caller ended may well be unheard.
    silent = not heard and len(said) > 1
    return ("yes" if silent else "no"), f"{len(heard)} of {len(said)} sentences were played out"


def _lost_voice(evidence: Evidence) -> Seen:
    if not evidence.of("agent_sentence"):
        return "unknown", "the agent said nothing, or its journal is not kept here"
    unsaid = evidence.of("sentence_unsaid")
    return ("yes" if unsaid else "no"), f"{len(unsaid)} sentences were said by no voice"


def _choppy(evidence: Evidence) -> Seen:
    return "unknown", "of a recording: aybiza diagnose audio FILE"


def _noise(evidence: Evidence) -> Seen:
    if not evidence.journal:
        return "unknown", "its journal is not kept here"
    cut, back = evidence.of("interrupted"), evidence.of("resumed")
    many = len(back) >= NOISE_ENOUGH and 2 * len(back) >= len(cut)
    return ("yes" if many else "no"), f"{len(back)} of {len(cut)} breaks-in were noise"


def _joined(evidence: Evidence) -> Seen:
    if not evidence.journal:
        return "unknown", "its journal is not kept here"
    joined, turns = evidence.of("joined"), evidence.of("caller_turn")
    often = len(joined) >= NOISE_ENOUGH and 5 * len(joined) >= len(turns)
    seen = f"{len(joined)} of {len(turns)} turns went on after their end was taken"
    return ("yes" if often else "no"), seen


def _rambles(evidence: Evidence) -> Seen:
    words: dict[Any, int] = {}
    for entry in evidence.of("agent_sentence"):
        turn = entry.get("turn")
        words[turn] = words.get(turn, 0) + len(str(entry.get("text", "")).split())
    if not words:
        return "unknown", "the agent said nothing, or its journal is not kept here"
    long = sum(count > LONG_WORDS for count in words.values())
    seen = f"{long} of {len(words)} answers are over {LONG_WORDS} words, the longest"
    return ("yes" if long > LONG_SHARE * len(words) else "no"), f"{seen} {max(words.values())}"


def _misunderstands(evidence: Evidence) -> Seen:
    said = [str(entry["text"]).casefold() for entry in evidence.of("caller_turn") if _told(entry)]
    if not said:
        return "unknown", "no turn of the caller is kept here"
    again = sum(
        len(one) >= SHORTEST and SequenceMatcher(None, one, other).ratio() >= SAME
        for one, other in pairwise(said)
    )
    return ("yes" if again else "no"), f"the caller said {again} of {len(said)} turns once more"


def _told(entry: Mapping[str, Any]) -> bool:
    return isinstance(entry.get("text"), str) and bool(entry["text"])


def _no_answer(evidence: Evidence) -> Seen:
    if not evidence.turns:
        return "unknown", "no turn of it was measured"
    bad = [turn for turn in evidence.turns if turn.get("outcome") in ("apology", "cached")]
    seen = f"{len(bad)} of {len(evidence.turns)} turns had no answer of a model"
    return ("yes" if bad else "no"), seen


def _tools(evidence: Evidence) -> Seen:
    # An exchange is written before its results are known, and again with them.
    last = {(each.get("turn"), each.get("after_seq")): each for each in evidence.of(_TOOLS)}
    names: list[str] = []
    for exchange in last.values():
        uses = {
            use["toolUse"].get("toolUseId"): str(use["toolUse"].get("name"))
            for use in exchange.get("uses", ())
            if isinstance(use, Mapping) and isinstance(use.get("toolUse"), Mapping)
        }
        for result in exchange.get("results", ()):
            told = result.get("toolResult") if isinstance(result, Mapping) else None
            if isinstance(told, Mapping) and told.get("status") == "error":
                names.append(uses.get(told.get("toolUseId"), "a tool"))
    if not last:
        return "no", "no tool was used"
    failed = f": {', '.join(sorted(set(names)))}" if names else ""
    return ("yes" if names else "no"), f"{len(names)} uses of tools failed{failed}"


_TOOLS: Final = "tool_exchange"


def _fault(evidence: Evidence) -> Seen:
    ended = [str(entry.get("reason")) for entry in evidence.of("ended")]
    if evidence.record is not None:
        ended.append(str(evidence.record.get("outcome")))
    if not ended:
        seen = (
            "no end of it is written: it goes on, or its node is gone and the caller did not return"
        )
        return "unknown", seen
    faults = ended.count(FAULT)
    return ("yes" if faults else "no"), f"its line ended by {', then by '.join(ended)}"


def _transfer(evidence: Evidence) -> Seen:
    outcomes = [str(entry.get("outcome")) for entry in evidence.of("transferred")]
    if not outcomes:
        return "no", "nobody was put through to"
    bad = [outcome for outcome in outcomes if outcome != REACHED]
    return ("yes" if bad else "no"), f"putting through came to: {', '.join(outcomes)}"


_LATENCY, _AUDIO, _TALK, _FAILURE = "latency", "audio", "conversation", "failure"

QUESTIONS: Final[Sequence[Question]] = (
    Question(
        _LATENCY,
        "did the caller wait long?",
        _slow,
        "see which of the components below is over its budget",
    ),
    Question(
        _LATENCY,
        "was speech recognition slow?",
        _over("stt"),
        "listen_model: a flux- model ends turns sooner; or a smaller endpointing_ms, patience_ms",
    ),
    Question(
        _LATENCY,
        "was the model slow?",
        _over("llm"),
        "put a faster model first (AWS_BEDROCK_MODELS), ask in a nearer region, have the agent"
        " begin with short sentences",
    ),
    Question(
        _LATENCY,
        "was the voice slow?",
        _over("tts"),
        "look at the speech service: aybiza_tts_first_audio_seconds, its status page",
    ),
    Question(
        _LATENCY,
        "was the node slow?",
        _over("node"),
        "look for what holds its loop (loop_blocked in the log), or give it fewer calls"
        " (AYBIZA_MAX_CALLS)",
    ),
    Question(
        _LATENCY,
        "was the way to the node long?",
        _over(NETWORK),
        "add a node nearer to the callers",
    ),
    Question(
        _AUDIO,
        "was the caller not heard?",
        _not_heard,
        "one-way audio: NAT or a firewall at the carrier or switch keeps RTP from it; trace the"
        " call there, then `aybiza diagnose sip LOG`",
    ),
    Question(
        _AUDIO,
        "did the caller hear nothing?",
        _not_hearing,
        "one-way audio: no mark came back; look whether the carrier plays the stream"
        " (`<Connect><Stream>`, both ways), and at NAT towards the phone",
    ),
    Question(
        _AUDIO,
        "did the voice fail?",
        _lost_voice,
        "no speech socket said it: `aybiza config --check` tries the key; see AybizaSpeechFails",
    ),
    Question(_AUDIO, "was it choppy, noisy or with an echo?", _choppy, ""),
    Question(
        _TALK,
        "did noise break in?",
        _noise,
        "echo or noise at the caller's end: turn on the carrier's echo cancellation, or raise"
        " barge_in_words or barge_in_voice_ms in the agent's file",
    ),
    Question(
        _TALK,
        "did the agent talk over the caller?",
        _joined,
        "turns were ended too soon: a longer endpointing_ms, or a flux- model as listen_model",
    ),
    Question(
        _TALK,
        "did the agent ramble?",
        _rambles,
        "say 'be brief, one question at a time' in the agent's prompt, or lower its max_tokens",
    ),
    Question(
        _TALK,
        "was the caller misunderstood?",
        _misunderstands,
        "add names and special words to the agent's keyterms; give the prompt examples",
    ),
    Question(
        _FAILURE,
        "did a turn stay without an answer?",
        _no_answer,
        "aybiza_errors_total says which model and region failed; add a model or a fallback region",
    ),
    Question(
        _FAILURE,
        "did tools fail?",
        _tools,
        "the log's tool_failed has the reason; try the tool's API from the node's machine",
    ),
    Question(
        _FAILURE,
        "did the call end in a fault?",
        _fault,
        "aybiza_sockets_failed_total and the log's crash reports of that minute; set"
        " fallback_number in the agent's file",
    ),
    Question(
        _FAILURE,
        "did putting through fail?",
        _transfer,
        "check the number in transfer_numbers, and who answers it at that hour",
    ),
)
