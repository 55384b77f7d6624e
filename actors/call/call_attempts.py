"""What each call has tried at its providers: requests to a model that came to nothing, and when its
sockets were opened. A table of the VM.

It belongs to the VM, for a call outlives its lines and its actors: a caller who is back from one
that broke has no fresh ones. A call that ends takes its own along; of those that have not been seen
to end the oldest are forgotten.

Errors: none.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from aybiza.actors.runtime import VM
from aybiza.claude.attempts import Attempts

TABLE = "attempts"
CALLS = 5_000


@dataclass(slots=True)
class _Tried:
    """Of one call."""

    attempts: Attempts = field(default_factory=Attempts)
    openings: dict[str, deque[float]] = field(default_factory=dict)


def attempts_of(vm: VM, call_id: str) -> Attempts:
    """The requests of this call."""
    return _tried(vm, call_id).attempts


def openings_of(vm: VM, call_id: str, socket: str, most: int) -> deque[float]:
    """When the newest sockets of this name were opened for a call, `most` of them; whoever opens
    one enters it."""
    return _tried(vm, call_id).openings.setdefault(socket, deque(maxlen=most))


def _tried(vm: VM, call_id: str) -> _Tried:
    calls: OrderedDict[str, _Tried] = vm.tables.setdefault(TABLE, OrderedDict())
    found = calls.setdefault(call_id, _Tried())
    calls.move_to_end(call_id)
    if len(calls) > CALLS:
        calls.popitem(last=False)
    return found


def forget(vm: VM, call_id: str) -> None:
    """The call is over."""
    vm.tables.get(TABLE, {}).pop(call_id, None)
