"""What is known of a call, for the doors: read from its journal, and written into it.

    await remembered(vm, call_id)       the conversation and its journal, as this node has them
    await known_of(vm, call_id, node)   the conversation, whichever node has it: behind a load
                                        balancer a webhook comes to any; `node` had it last
    await note(vm, call_id, journal, entries)   add what has come of the call

For `known_of` the named node is asked first, then all others and this one at once; the longest
journal is taken. Nothing is moved: the call stays where it is. Each step takes `ASK_SECONDS` at
most.

Errors: none. Who does not answer knows nothing, and a call of which nobody knows has an empty
conversation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import structlog

from aybiza.actors import names
from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.memory import notes
from aybiza.actors.memory.context import fold
from aybiza.actors.memory.memory_actor import Load
from aybiza.actors.runtime import VM, CallExit, RemoteBusy
from aybiza.dialogue.conversation import Conversation
from aybiza.dialogue.journal import Entry, Transferred

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


async def remembered(vm: VM, call_id: str) -> tuple[Conversation, Journal]:
    """See the module."""
    journal = await _asked(vm, vm.node, call_id)
    return fold(journal), journal


async def note(vm: VM, call_id: str, journal: Journal, entries: Sequence[Entry]) -> None:
    """See the module. `journal`: as it was read."""
    await notes.note(vm, call_id, journal, entries)
    for one in entries:
        if isinstance(one, Transferred):
            log.info("call_transferred", call_id=call_id, to=one.to, outcome=one.outcome)
            emit(vm, events.CALL_TRANSFERRED, call_id=call_id, outcome=one.outcome)


async def _asked(vm: VM, node: str, call_id: str) -> Journal:
    where = names.MEMORY if node == vm.node else (names.MEMORY, node)
    try:
        journal: Journal = await names.call_patiently(vm, where, Load(call_id), ASK_SECONDS)
    except (CallExit, RemoteBusy) as error:
        log.warning("journal_not_read", call_id=call_id, node=node, reason=str(error))
        return []
    return journal
