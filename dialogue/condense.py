"""A long conversation made shorter for the model, at a turn's boundary and in large steps.

`condensed(conversation, tokens)` is the journal's entry for it, or None while what the model is
told has no more than `tokens`. The entry names the last turn that is told as a digest only, and the
digest: what the caller said, word for word, and what the agent answered and which tools it used, in
short. It is made once for many turns, so that what follows keeps the same beginning and the model's
cache its worth. What stays is about half of `tokens`; the digest has at most a quarter of it, and
of an even longer call the beginning and the end, since names, numbers and wishes are told at the
beginning.

Contract: pure; the same conversation gives the same entry. Errors: none.
"""

from __future__ import annotations

import json
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


def condensed(conversation: Conversation, tokens: int) -> Condensed | None:
    """See the module."""
    turns = [
        turn
        for number, turn in conversation.turns.items()
        if number != GREETING_TURN and number > conversation.condensed.turn
    ]
    sizes = [_tokens(conversation.told(turn)) for turn in turns]
    before = len(conversation.condensed.text) // CHARACTERS_A_TOKEN
    if before + sum(sizes) <= tokens or len(turns) <= _KEPT_TURNS:
        return None
    kept = 0
    cut = len(turns)
    while cut > 0:
        fits = kept + sizes[cut - 1] <= tokens * KEPT_SHARE
        if not fits and len(turns) - cut >= _KEPT_TURNS:
            break
        cut -= 1
        kept += sizes[cut]
    if cut == 0:
        return None
    lines = conversation.condensed.text.splitlines()
    for turn in turns[:cut]:
        lines += _lines(turn)
    room = int(tokens * DIGEST_SHARE * CHARACTERS_A_TOKEN)
    return Condensed(turns[cut - 1].number, "\n".join(_within(lines, room)))


def _lines(turn: Turn) -> list[str]:
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
    said = turn.spoken(1, turn.last_seq)
    if len(said) > ANSWER_CHARACTERS:
        said = said[:ANSWER_CHARACTERS].rsplit(" ", 1)[0] + " …"
    return [*lines, f"You: {said}"] if said else lines


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
