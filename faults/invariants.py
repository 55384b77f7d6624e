"""What must hold of every call, whatever breaks: one function each, one line for what does not.

`broken(outcome)` gives all that does not hold. What nobody could have kept is not held against the
node: words that the line did not carry, silence while the caller's side is cut.
"""

from __future__ import annotations

import functools
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from aybiza.claude.messages import ANSWER_NOW
from aybiza.dialogue import overheard, unfinished
from aybiza.dialogue.caller_acts import KEYS
from aybiza.dialogue.conversation import CONTINUE, SILENCE
from aybiza.dialogue.journal import (
    FAULT,
    AgentSentence,
    AnswerComplete,
    CallerSegment,
    CallerTurn,
    Closing,
    Ended,
    Entry,
)
from aybiza.dialogue.turn_policy import PATIENCE_UNFINISHED
from aybiza.emulators.phone.audio import FRAME_MS
from aybiza.emulators.phone.report import Turn
from aybiza.faults.once import once
from aybiza.faults.silences import silence
from aybiza.faults.spoken import (
    VOICES,
    asks,
    heard_letters,
    is_untold,
    joined_letters,
    left_out_letters,
    letters,
    only_listens,
)
from aybiza.faults.transfers import put_through
from aybiza.faults.writes import writes
from aybiza.speech.spoken_text import spoken

if TYPE_CHECKING:
    from aybiza.faults.trial import Outcome

CONNECTIONS: Final = 10
CONNECTIONS_SECONDS: Final = 10.0
# An answer that nothing delays: from the caller's last sound to the first of the agent's.
PROMPT_MS: Final = 1200.0
TOOL_MS: Final = 400.0
# Restarts of one part, in a window, beyond which its supervisor must have given up.
RESTARTS: Final = 10
RESTARTS_SECONDS: Final = 10.0
# Within this time another node asks the memory for the calls of one that is lost.
BACK_SECONDS: Final = 2.5
# A shorter pause is part of what is being said.
PAUSE_MS: Final = 250.0
# A caller who hangs up so soon behind an utterance cannot be answered.
LATE_MS: Final = 3000.0
# Who cannot be heard for so long is told so, and the call ends.
UNHEARD_MS: Final = 13_000.0
EXACT_SECONDS: Final = 0.001

# The doors of a recogniser.
_HEAR: Final = ("listen", "flux")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
# What stands in the caller's place, though nobody has said it.
_NOT_THEIRS: Final = (CONTINUE, ANSWER_NOW)
_GLUED = re.compile(r"[.!?][A-Z]")


def broken(outcome: Outcome) -> list[str]:
    """All that does not hold, each line headed by the invariant's name."""
    if outcome.problem:
        return [f"ends: {outcome.problem}"]
    return [
        f"{check.__name__.removeprefix('_')}: {line}"
        for check in INVARIANTS
        for line in check(outcome)
    ]


def _ends(outcome: Outcome) -> Iterator[str]:
    failure = outcome.report.failure
    if "was longer than" in failure:
        yield f"the call lived on: {failure}"


def _left(outcome: Outcome) -> Iterator[str]:
    yield from outcome.left


def _crashes(outcome: Outcome) -> Iterator[str]:
    yield from outcome.crashes


def _connections(outcome: Outcome) -> Iterator[str]:
    for provider, doors in (("Deepgram", ("listen", "flux", "speak")), ("Bedrock", ("bedrock",))):
        window: deque[float] = deque()
        most = 0
        for at, door, _ in outcome.opened:
            if door not in doors:
                continue
            window.append(at)
            while at - window[0] > CONNECTIONS_SECONDS:
                window.popleft()
            most = max(most, len(window))
        if most > CONNECTIONS:
            yield f"{most} new ones to {provider} in {CONNECTIONS_SECONDS:g} s"


def _split(outcome: Outcome) -> Iterator[str]:
    """What is said with a pause too short to end an utterance is one turn.

    Where not all of it was taken, that is another matter.
    """
    taken = [letters(e.text) for _, e in outcome.entries if isinstance(e, CallerTurn)]
    whole = "".join(taken)
    for one, following in pairwise(outcome.report.turns):
        if one.end_ms is None or following.end_ms is None or _is_cut_off(outcome):
            continue
        short = following.start_ms - one.end_ms < PAUSE_MS
        late = outcome.report.duration_ms - following.end_ms < LATE_MS
        if not short or late or not (asks(one) and asks(following)):
            continue
        both = letters(one.said) + letters(following.said)
        if both in whole and not any(both in text for text in taken):
            yield f"two turns were made of {one.said[-30:]!r} and {following.said[:30]!r}"


def _apart(outcome: Outcome) -> Iterator[str]:
    """No two sentences are spoken as one, unless the voice's socket broke off at the pause."""
    opened = [(at - outcome.zero) * 1000 for at, door, _ in outcome.opened if f"{door}." in VOICES]
    for heard in outcome.report.heard:
        if any(heard.at_ms <= at <= heard.until_ms for at in opened):
            continue
        if glued := _GLUED.search(heard.text):
            around = heard.text[max(0, glued.start() - 12) : glued.end() + 12]
            yield f"two sentences were spoken as one: {around!r}"


def _answered(outcome: Outcome) -> Iterator[str]:
    """Every utterance is taken, and every turn answered once. What was said to an agent for health
    data is lost with its node, so the call begins anew on another one; so is what was said to any
    agent, where no store of the memory can be asked when the node is lost."""
    complete = Counter(
        entry.turn for _, entry in outcome.entries if isinstance(entry, AnswerComplete)
    )
    anew = sum(
        strike.fault.what == "node.lost"
        and (outcome.agent.health_data or _is_forgotten(outcome, strike.at))
        for strike in outcome.strikes
    )
    for turn, times in complete.items():
        if times > 1 + anew:
            yield f"turn {turn} was answered {times} times"
    if _is_cut_off(outcome):
        return
    texts = [
        entry.text for _, entry in outcome.entries if isinstance(entry, CallerTurn | CallerSegment)
    ]
    taken = letters(" ".join(texts))
    for said in outcome.report.turns:
        ended = said.end_ms if said.end_ms is not None else outcome.report.duration_ms
        late = outcome.report.duration_ms - ended < LATE_MS
        if (
            asks(said)
            and not late
            and not only_listens(outcome, said)
            and not _was_not_waited_for(outcome, said)
            and (letters(said.said) not in taken)
        ):
            yield f"what the caller said was lost: {said.said[:40]!r}"


def _is_forgotten(outcome: Outcome, lost: float) -> bool:
    """Whether neither the disk nor Redis, if there is one, answered when a node was lost, or in the
    moment in which the next one asked them."""
    stores = {"disk"} | {"redis" for f in outcome.plan.faults if f.what.startswith("redis.")}
    out = {
        strike.fault.what.partition(".")[0]
        for strike in outcome.strikes
        if strike.at <= lost + BACK_SECONDS
        and strike.at + strike.fault.delay + strike.fault.seconds >= lost
    }
    return stores <= out


def _histories(outcome: Outcome) -> Iterator[str]:
    for record in outcome.requests:
        if record.outcome == "refused":
            yield f"request {record.number} was refused: {record.status} {record.error_code}"


def _history_heard(outcome: Outcome) -> Iterator[str]:
    """The agent has said, in what the model is told, what the caller has heard."""
    if is_untold(outcome):
        return
    heard = f"{heard_letters(outcome.report)}|{joined_letters(outcome)}"
    language = outcome.agent.language
    left_out = left_out_letters(outcome)
    for record in outcome.requests:
        messages = (record.body or {}).get("messages", [])
        until = _last_words(messages)
        for message in messages[:until]:
            if message["role"] != "assistant":
                continue
            for block in message["content"]:
                if block.get("text") == SILENCE:
                    # Stands for what a guardrail has stopped.
                    continue
                for sentence in _SENTENCE.split(block.get("text", "")):
                    text = _history_text(sentence, language)
                    if text not in heard and text not in left_out:
                        yield f"request {record.number} has what nobody heard: {sentence[:50]!r}"


def _last_words(messages: list[dict[str, Any]]) -> int:
    """Where the caller's newest words stand: what is said to them may be on its way still."""
    said = [
        index
        for index, message in enumerate(messages)
        if message["role"] == "user"
        and any(block.get("text", CONTINUE) not in _NOT_THEIRS for block in message["content"])
    ]
    return said[-1] if said else 0


@functools.lru_cache(maxsize=4096)
def _history_text(text: str, language: str) -> str:
    """A text of a history, to be found in what was heard: where it was cut, a word less."""
    if not text.endswith("…"):
        return letters(spoken(text, language))
    words = text.removesuffix("…").split()
    return letters(spoken(" ".join(words[:-1]), language))


def _intensity(outcome: Outcome) -> Iterator[str]:
    window: deque[float] = deque()
    struck = sum(strike.fault.kind.group == "process" for strike in outcome.strikes)
    for at in outcome.restarts:
        window.append(at)
        while at - window[0] > RESTARTS_SECONDS:
            window.popleft()
        if len(window) > RESTARTS + struck:
            yield f"{len(window)} restarts in {RESTARTS_SECONDS:g} s"
            return


def _costs(outcome: Outcome) -> Iterator[str]:
    entered, told = outcome.spent
    if entered != told:
        yield f"the ledger says {entered} micro-USD, {told} were told as charged"
    charged, owed = outcome.answers
    if charged != owed:
        yield f"{charged} micro-USD were charged for answers, the requests come to {owed}"
    told, spent = outcome.shared
    if told != spent:
        yield f"the nodes have spent {spent} micro-USD, Redis knows of {told}"
    spoken = outcome.report.frames_sent * FRAME_MS / 1000
    if outcome.charged_s > spoken + EXACT_SECONDS:
        yield f"{outcome.charged_s:.2f} s of audio were charged for, {spoken:.2f} s were sent"


def _prompt(outcome: Outcome) -> Iterator[str]:
    """Where nothing breaks an answer begins soon."""
    if outcome.plan.faults:
        return
    replies = [given[0] for given in outcome.plan.answers.values() if given]
    # A tool that is used without a word before it costs a second request.
    silent = any(not isinstance(reply, str) and not reply.get("say") for reply in replies)
    limit = PROMPT_MS + outcome.plan.thinks_ms * (1 + silent) + TOOL_MS * silent
    agent = outcome.agent
    texts = [entry.text for _, entry in outcome.entries if isinstance(entry, AgentSentence)]
    said = [turn.said for turn in outcome.report.turns]
    if any(overheard.asks_in_pieces(text, agent.language) for text in texts) or any(
        unfinished.wants_more(text, agent.language) for text in said
    ):
        limit += agent.patience_ms * PATIENCE_UNFINISHED
    yields = agent.greeting_yields and agent.barge_in and not agent.protected
    for turn in outcome.report.turns:
        heard_out = turn.barge_in and not yields
        slow = turn.response_ms is not None and turn.response_ms > limit
        if slow and not heard_out and asks(turn) and not only_listens(outcome, turn):
            yield f"{turn.said!r} was answered after {turn.response_ms:.0f} ms"


INVARIANTS: Final[list[Callable[[Outcome], Iterator[str]]]] = [
    _ends,
    _left,
    _crashes,
    silence,
    _connections,
    _split,
    _apart,
    once,
    _answered,
    _histories,
    _history_heard,
    writes,
    _intensity,
    _costs,
    put_through,
    _prompt,
]
"""In the order in which they are told."""


def _was_not_waited_for(outcome: Outcome, turn: Turn) -> bool:
    """Whether the caller hung up on a node that could not hear them, and had told them to wait, or
    the call had had its longest time by then.

    What the caller said is heard by the next recogniser that works. Where none came since these
    words began, or there was none until the end, and the call was over before the node would have
    said that it cannot hear them, its failure was spoken: something was heard after them.
    """
    ended = turn.end_ms if turn.end_ms is not None else turn.start_ms
    began = outcome.zero + turn.start_ms / 1000
    came = any(door in _HEAR and at > began for at, door, _ in outcome.opened)
    return (
        any(entry in (Ended("hangup"), Ended("duration")) for _, entry in outcome.entries)
        and outcome.report.duration_ms - ended < UNHEARD_MS
        and any(heard.until_ms > ended for heard in outcome.report.heard)
        and (came or _was_deaf(outcome, began))
        and not any(_is_words(entry) and at > began for at, entry in outcome.entries)
    )


def _was_deaf(outcome: Outcome, since: float) -> bool:
    """Whether every socket of a recogniser was gone by then, and no other has come."""
    doors = {f"door={door}" for door in _HEAR}
    told = [e for e in outcome.happened if e.kind == "door" and e.what in doors]
    opened, gone = (
        [event.at for event in told if event.who == who] for who in ("connected", "disconnected")
    )
    return bool(opened) and max(opened) <= since and sum(at <= since for at in gone) == len(opened)


def _is_words(entry: Entry) -> bool:
    """Whether the recogniser has heard words; keys come by the line itself."""
    return isinstance(entry, CallerSegment) and entry.text not in KEYS


def _is_cut_off(outcome: Outcome) -> bool:
    """Whether the line itself, or a recogniser that never came, has kept words from the node."""
    given_up = (Ended(FAULT), Closing(FAULT))
    if any(entry in given_up for _, entry in outcome.entries):
        return True
    kinds = {strike.fault.what for strike in outcome.strikes}
    broke = len(outcome.report.streams) > 1
    return broke or bool(kinds & {"line.mute", "line.drop"})
