"""The requests of each call to a model that came to nothing: a table of the VM.

It belongs to the VM, for a call outlives its lines: a caller who is back from one that broke has no
fresh ones. A call that ends takes its own along; of those that have not been seen to end the oldest
are forgotten.

Errors: none.
"""

from __future__ import annotations

from collections import OrderedDict

from aybiza.actors.runtime import VM
from aybiza.claude.attempts import Attempts

TABLE = "attempts"
CALLS = 5_000


def attempts_of(vm: VM, call_id: str) -> Attempts:
    """Those of this call."""
    calls: OrderedDict[str, Attempts] = vm.tables.setdefault(TABLE, OrderedDict())
    found = calls.setdefault(call_id, Attempts())
    calls.move_to_end(call_id)
    if len(calls) > CALLS:
        calls.popitem(last=False)
    return found


def forget(vm: VM, call_id: str) -> None:
    """The call is over."""
    vm.tables.get(TABLE, {}).pop(call_id, None)
