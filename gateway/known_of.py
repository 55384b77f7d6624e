"""What is known of a call on whichever node: behind a load balancer a webhook comes to any of them.

    await known_of(vm, call_id, node)   the conversation; `node` is the one that had it last
    fold(journal)                       the conversation that a journal, as `Load` gives it, makes

The named node is asked first, then all others and this one at once; the longest journal is taken.
Nothing is moved: the call stays where it is. Each step takes `ASK_SECONDS` at most.

Errors: none. Who does not answer knows nothing, and a call of which nobody knows has an empty
conversation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

import structlog

from aybiza.actors import names
from aybiza.actors.memory.memory_actor import Load
from aybiza.actors.runtime import VM, CallExit, RemoteBusy
from aybiza.dialogue.conversation import Conversation
from aybiza.dialogue.journal import decode

ASK_SECONDS: Final = 1.0

Journal = list[tuple[int, dict[str, Any]]]

log = structlog.get_logger(__name__)


async def known_of(vm: VM, call_id: str, node: str) -> Conversation:
    """See the module."""
    nodes = {vm.node, *vm.nodes()}
    journal = await _asked(vm, node, call_id) if node in nodes else []
    if not journal:
        others = sorted(nodes - {node})
        journals = await asyncio.gather(*(_asked(vm, other, call_id) for other in others))
        journal = max(journals, key=len, default=[])
    if not journal:
        log.warning("call_unknown", call_id=call_id, node=node)
    return fold(journal)


def fold(journal: Iterable[tuple[int, dict[str, Any]]]) -> Conversation:
    """See the module."""
    conversation = Conversation()
    for _, body in journal:
        entry = decode(body)
        if entry is not None:
            conversation.apply(entry)
    return conversation


async def _asked(vm: VM, node: str, call_id: str) -> Journal:
    where = names.MEMORY if node == vm.node else (names.MEMORY, node)
    try:
        journal: Journal = await names.call_patiently(vm, where, Load(call_id), ASK_SECONDS)
    except (CallExit, RemoteBusy) as error:
        log.warning("journal_not_read", call_id=call_id, node=node, reason=str(error))
        return []
    return journal
