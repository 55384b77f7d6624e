"""What is written into a call's journal by others than its CallActor, when the call has left.

    await note(vm, call_id, journal, entries)     behind `journal`, as `Load` has just given it

A store has it then, or has had its time; the node's copy goes again.

Errors: none; a memory that does not answer is logged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aybiza.actors import names
from aybiza.actors.memory.journals import append
from aybiza.actors.memory.memory_actor import Forget, kept
from aybiza.actors.runtime import VM
from aybiza.dialogue.journal import Entry, encode


async def note(
    vm: VM, call_id: str, journal: Sequence[tuple[int, dict[str, Any]]], entries: Sequence[Entry]
) -> None:
    """See the module."""
    event = max((event for event, _ in journal), default=0)
    append(vm, call_id, len(journal) + 1, event, [encode(one) for one in entries])
    await kept(vm, call_id)
    # No stream holds it now; one that takes the call up loads it again.
    vm.cast(names.MEMORY, Forget(call_id))
