"""What of each call outlives its lines, a table of the VM.

That is what it has tried at its providers (requests to a model that came to nothing, and when its
sockets were opened), and since when its caller hears nothing. It belongs to the VM, for a call
outlives its lines and its actors: a caller who is back from a line that broke has no fresh
attempts, and has waited since before they came back. A call that ends takes its own along; of those
that have not been seen to end the oldest are forgotten.

Errors: none.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from aybiza.actors.runtime import VM
from aybiza.claude.attempts import Attempts
from aybiza.dialogue.journal import FAULT, TRANSFER

TABLE = "across_lines"
CALLS = 5_000
_MAY_BE_BACK = frozenset((FAULT, TRANSFER))
"""The carrier goes on with a caller whose stream has ended so, and may bring them back."""


@dataclass(slots=True)
class _Kept:
    """Of one call."""

    attempts: Attempts = field(default_factory=Attempts)
    openings: dict[str, deque[float]] = field(default_factory=dict)
    silent_since: float | None = None


def attempts_of(vm: VM, call_id: str) -> Attempts:
    """The requests of this call."""
    return _kept(vm, call_id).attempts


def openings_of(vm: VM, call_id: str, socket: str, most: int) -> deque[float]:
    """When the newest sockets of this name were opened for a call, `most` of them; whoever opens
    one enters it."""
    return _kept(vm, call_id).openings.setdefault(socket, deque(maxlen=most))


def leave_silent(vm: VM, call_id: str, since: float | None) -> None:
    """The call's line is gone; since when its caller hears nothing and waits, None: they do not."""
    _kept(vm, call_id).silent_since = since


def silent_since(vm: VM, call_id: str) -> float | None:
    """Since when the caller, whose line was lost, has heard nothing; None: they waited for nothing,
    or have heard something meanwhile."""
    return _kept(vm, call_id).silent_since


def _kept(vm: VM, call_id: str) -> _Kept:
    calls: OrderedDict[str, _Kept] = vm.tables.setdefault(TABLE, OrderedDict())
    found = calls.setdefault(call_id, _Kept())
    calls.move_to_end(call_id)
    if len(calls) > CALLS:
        calls.popitem(last=False)
    return found


def over(vm: VM, call_id: str, reason: str) -> None:
    """The call has ended, for this reason of `aybiza.dialogue.journal.Ended`."""
    if reason not in _MAY_BE_BACK:
        vm.tables.get(TABLE, {}).pop(call_id, None)
