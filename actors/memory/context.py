"""What a journal adds up to: the conversation, and the last turns of it as a model is told them.

    fold(journal)                            the conversation
    await get_context(vm, call_id, last_n)   Converse messages of the last turns

Source: specification 001, "Memory Implementation", `get_context`.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

from aybiza.actors import names
from aybiza.actors.memory.memory_actor import Load
from aybiza.actors.runtime import VM
from aybiza.dialogue.conversation import Conversation
from aybiza.dialogue.journal import decode

SECONDS: Final = 1.0


def fold(journal: Iterable[tuple[int, dict[str, Any]]]) -> Conversation:
    """The conversation that a journal, as `Load` gives it, makes.

    >>> fold([(1, {"type": "caller_turn", "turn": 1, "text": "Hello."})]).transcript()
    [('caller', 'Hello.')]
    """
    conversation = Conversation()
    for _, body in journal:
        entry = decode(body)
        if entry is not None:
            conversation.apply(entry)
    return conversation


async def get_context(vm: VM, call_id: str, last_n: int = 10) -> list[dict[str, Any]]:
    """The last `last_n` turns of a call, of whichever node, the oldest first; whole turns, so that
    a model may be asked with them. Empty where nobody knows the call.

    Raises `CallExit` when the memory does not answer within `SECONDS`.
    """
    load = Load(call_id)
    return messages(fold(await names.call_patiently(vm, names.MEMORY, load, SECONDS)), last_n)


def messages(conversation: Conversation, last_n: int) -> list[dict[str, Any]]:
    """See `get_context`. A model is asked with the caller's words first."""
    told = (conversation.told(turn) for turn in reversed(conversation.turns.values()))
    turns = list(islice(filter(None, told), last_n))
    turns.reverse()
    while turns and turns[0][0]["role"] != "user":
        turns.pop(0)
    return [message for turn in turns for message in turn]
