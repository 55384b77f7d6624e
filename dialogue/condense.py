"""A long conversation made shorter for the model, at a turn's boundary and in large steps.

    draft = to_shorten(conversation, tokens)   when most of `tokens` is used: what a model is asked
                                               to sum up, while the call goes on
    summed_up(draft, text)                     the journal's entry with what that model has said
    condensed(conversation, tokens)            the entry by rules, where `tokens` are used up and
                                               no summary has come
    record(conversation)                       all of it in lines, when it is over

The entry names the last turn that is told as a digest only, and the digest. It is made once for
many turns, so that what follows keeps the same beginning and the model's cache its worth. What
stays is about half of `tokens`; the digest has at most a quarter of it.

By rules a digest is what the caller said, word for word, and what the agent answered and which
tools it used, in short; of an even longer call the beginning and the end. A summary stands behind
the caller's own first words, since names, numbers and wishes are told at the beginning and no model
is to forget them.

Contract: pure; the same conversation gives the same entry. Errors: none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from aybiza.dialogue.conversation import GREETING_TURN, Conversation, Told, Turn
from aybiza.dialogue.journal import Condensed

CHARACTERS_A_TOKEN: Final = 4
KEPT_SHARE: Final = 0.5
DIGEST_SHARE: Final = 0.25
ANSWER_CHARACTERS: Final = 120
"""What stays of an answer of the agent in a digest."""
BEGINNING_SHARE: Final = 0.6
"""Of a digest that is too long, so much is of the beginning."""
LEFT_OUT: Final = "(…)"
_KEPT_TURNS: Final = 2

SOFT_SHARE: Final = 0.8
"""Of the tokens, so much is used when a summary is asked for."""
FIRST_CHARACTERS: Final = 1_200
"""So much of what the caller said first stays word for word in front of a summary."""
DRAFT_CHARACTERS: Final = 200_000
RESULT_CHARACTERS: Final = 500
SUMMARY_TOKENS: Final = 800


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be summed up: the call up to `turn`. `first`: what the caller said first, which
    stays; `room`: the most characters of the digest."""

    turn: int
    text: str
    first: str
    room: int

    @property
    def tokens(self) -> int:
        """The most tokens that a summary may have."""
        return min(SUMMARY_TOKENS, (self.room - len(self.first)) // CHARACTERS_A_TOKEN)


def to_shorten(conversation: Conversation, tokens: int) -> Draft | None:
    """See the module."""
    turns = _cut(conversation, tokens, SOFT_SHARE)
    if not turns:
        return None
    lines = conversation.condensed.text.splitlines()
    for turn in turns:
        lines += _lines(turn, None)
    text = "\n".join(_within(lines, DRAFT_CHARACTERS))
    room = int(tokens * DIGEST_SHARE * CHARACTERS_A_TOKEN)
    return Draft(turns[-1].number, text, _first(conversation, room // 2), room)


def summed_up(draft: Draft, text: str) -> Condensed | None:
    """See the module. None for a text that says nothing."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    said = "\n".join(line for line in lines if line)
    said = said[: draft.room - len(draft.first) - len(LEFT_OUT) - 2]
    if not said:
        return None
    return Condensed(draft.turn, "\n".join(filter(None, (draft.first, LEFT_OUT, said))))


def record(conversation: Conversation) -> str:
    """The whole call in lines, for who reads it when it is over; of a very long one the beginning
    and the end."""
    lines = [line for turn in conversation.turns.values() for line in _lines(turn, None)]
    return "\n".join(_within(lines, DRAFT_CHARACTERS))


def condensed(conversation: Conversation, tokens: int) -> Condensed | None:
    """See the module."""
    turns = _cut(conversation, tokens, 1.0)
    if not turns:
        return None
    lines = conversation.condensed.text.splitlines()
    for turn in turns:
        lines += _lines(turn, ANSWER_CHARACTERS)
    room = int(tokens * DIGEST_SHARE * CHARACTERS_A_TOKEN)
    return Condensed(turns[-1].number, "\n".join(_within(lines, room)))


def _cut(conversation: Conversation, tokens: int, share: float) -> list[Turn]:
    """The turns that are to be told in short, once that `share` of the tokens is used."""
    turns = [
        turn
        for number, turn in conversation.turns.items()
        if number != GREETING_TURN and number > conversation.condensed.turn
    ]
    sizes = [_tokens(conversation.told(turn)) for turn in turns]
    before = len(conversation.condensed.text) // CHARACTERS_A_TOKEN
    if before + sum(sizes) <= tokens * share or len(turns) <= _KEPT_TURNS:
        return []
    kept = 0
    cut = len(turns)
    while cut > 0:
        fits = kept + sizes[cut - 1] <= tokens * KEPT_SHARE
        if not fits and len(turns) - cut >= _KEPT_TURNS:
            break
        cut -= 1
        kept += sizes[cut]
    return turns[:cut]


def _first(conversation: Conversation, room: int) -> str:
    """What the caller said first, word for word."""
    said: list[str] = []
    left = min(room, FIRST_CHARACTERS)
    for turn in conversation.turns.values():
        if not turn.caller or turn.withheld or turn.joined:
            continue
        line = f"Caller: {turn.caller}"
        left -= len(line) + 1
        if left < 0:
            break
        said.append(line)
    return "\n".join(said)


def _lines(turn: Turn, longest: int | None) -> list[str]:
    """The turn in lines; of the agent's words so many characters, None: all, and of its tools the
    results too."""
    if turn.withheld or turn.joined:
        return []
    lines = [f"Caller: {turn.caller}"] if turn.caller else []
    for exchange in turn.exchanges:
        names = [block["toolUse"]["name"] for block in exchange.uses if "toolUse" in block]
        failed = any(
            block["toolResult"].get("status") == "error"
            for block in exchange.results
            if "toolResult" in block
        )
        if names:
            lines.append(f"You used {', '.join(names)}{' without success' if failed else ''}.")
        if longest is None:
            lines += [f"It gave: {_short(block)}" for block in exchange.results]
    said = turn.spoken(1, turn.last_seq)
    if longest is not None and len(said) > longest:
        said = said[:longest].rsplit(" ", 1)[0] + " …"
    return [*lines, f"You: {said}"] if said else lines


def _short(block: dict[str, Any]) -> str:
    """A tool's result, as far as a summary needs it."""
    found = block.get("toolResult", {}).get("content", [])
    return json.dumps(found, ensure_ascii=False, default=str)[:RESULT_CHARACTERS]


def _within(lines: list[str], room: int) -> list[str]:
    """The lines, or those of the beginning and the end; first without the agent's own words."""
    if _length(lines) <= room:
        return lines
    lines = [line for line in lines if not line.startswith("You: ")]
    if _length(lines) <= room:
        return lines
    first: list[str] = []
    while lines and _length(first) + len(lines[0]) < room * BEGINNING_SHARE:
        first.append(lines.pop(0))
    rest = room - _length(first) - len(LEFT_OUT) - 2
    last: list[str] = []
    while lines and _length(last) + len(lines[-1]) < rest:
        last.insert(0, lines.pop())
    return [*first, LEFT_OUT, *(line for line in last if line != LEFT_OUT)]


def _length(lines: list[str]) -> int:
    return sum(map(len, lines)) + len(lines)


def _tokens(messages: list[dict[str, Any]]) -> int:
    return sum(map(_size, messages)) // CHARACTERS_A_TOKEN


def _size(message: dict[str, Any]) -> int:
    if not isinstance(message, Told):
        return _characters(message["content"])
    if message.characters is None:
        message.characters = _characters(message["content"])
    return message.characters


def _characters(blocks: list[dict[str, Any]]) -> int:
    return sum(
        len(block["text"]) if "text" in block else len(json.dumps(block, default=str))
        for block in blocks
    )
