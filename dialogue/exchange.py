"""What a caller's newest words answer, and what they had said before, read off Converse messages.

Contract: pure. Errors: none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from aybiza.dialogue.conversation import CONTINUE

# As if the agent was cut off at once: nothing was put to the caller.
NOTHING_PUT: Final = "…"
TURNS_BEFORE: Final = 8


def last_heard(messages: Sequence[dict[str, Any]], silence_prompt: str = "") -> str:
    """What the caller has heard of the agent's newest message; `NOTHING_PUT` where that is nothing,
    or the question whether they are still there: a yes to that agrees to nothing else."""
    for message in reversed(messages):
        if message["role"] == "assistant":
            heard = " ".join(_texts(message))
            return heard if heard and heard != silence_prompt else NOTHING_PUT
    return NOTHING_PUT


def said_before(messages: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """The caller's words in the turns before the newest, whose words come last."""
    said = [
        text
        for message in messages
        if message["role"] == "user"
        for text in _texts(message)
        if text != CONTINUE
    ]
    return tuple(said[:-1][-TURNS_BEFORE:])


def _texts(message: dict[str, Any]) -> Iterator[str]:
    return (block["text"] for block in message["content"] if "text" in block)
