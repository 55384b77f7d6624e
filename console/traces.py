"""What a process gets and does, by its types: into the node's log, or for whoever looks.

    {"op": "trace", "process": P, "on": True}       -> {"traced": pid, "on": True}: into the log,
                                                       `LOG_EVENTS` events at most; False ends
                                                       whichever trace there is
    {"op": "traced", "process": P, "after": N}      -> {"traced": pid, "last": number, "rows":
                                                       [[number, unix time, event, what, whom], …],
                                                       "lost": how many nobody fetched in time,
                                                       "begun": whether it has begun by this}

The first `traced` begins a trace; it ends when nobody has asked for `FORSAKEN_SECONDS`, or with the
process. Events are those of `aybiza.actors.runtime.debug`; of messages their shapes are told, never
what they hold. A process has one trace at a time: several who look share it.

Errors: `ValueError`, for people, where a process does not let itself be traced.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any, Final

from aybiza.actors.runtime import VM, CallExit, Pid, Process, sys
from aybiza.actors.runtime.debug import Traced, debug_of
from aybiza.config.said import shape

LOG_EVENTS: Final = 200
LIVE_EVENTS: Final = 1_000_000
LOOK_SECONDS: Final = 0.5
FORSAKEN_SECONDS: Final = 5.0
KEPT: Final = 500
MOST_LIVE: Final = 32
TABLE: Final = "traces"
_WHAT: Final = 120

Row = list[Any]


class Live:
    """The newest events of a traced process, kept for those who ask."""

    def __init__(self, vm: VM, process: Process) -> None:
        self._vm = vm
        self._process = process
        self._rows: deque[Row] = deque(maxlen=KEPT)
        self._asked_at = vm.now()
        self.last = 0

    def __call__(self, told: Traced) -> None:
        """Take in an event; end the trace that nobody looks at any more."""
        if self.forsaken:
            debug_of(self._process).trace(False, 0)
            return
        if told.event == "state":
            return
        if told.event == "end":
            self._asked_at = -FORSAKEN_SECONDS
        self.last += 1
        whom = "" if told.peer is None else self._name(told.peer)
        what = shape(told.message)[:_WHAT]
        self._rows.append([self.last, time.time(), told.event, what, whom])

    @property
    def forsaken(self) -> bool:
        """Whether nobody has asked for long."""
        return self._vm.now() - self._asked_at > FORSAKEN_SECONDS

    def rows(self, after: int) -> tuple[list[Row], int]:
        """Those behind number `after`, and how many of them are gone."""
        self._asked_at = self._vm.now()
        found = [row for row in self._rows if row[0] > after]
        first = found[0][0] if found else self.last + 1
        return found, max(0, first - after - 1)

    def _name(self, peer: Any) -> str:
        process = self._vm.find(peer) if isinstance(peer, Pid) else None
        name = self._vm.name_of(process) if process is not None else None
        return name or (peer if isinstance(peer, str) else repr(peer))


async def trace(vm: VM, process: Process, on: bool) -> dict[str, Any]:
    """Have what a server gets and does told in the log, or no longer."""
    _lives(vm).pop(process.pid, None)
    await _begin(vm, process, on, LOG_EVENTS)
    return {"traced": repr(process.pid), "on": on}


async def traced(vm: VM, process: Process, after: Any) -> dict[str, Any]:
    """What a server got and did behind event number `after`; begins to look where nobody does."""
    lives = _lives(vm)
    for pid in [pid for pid, live in lives.items() if live.forsaken or vm.find(pid) is None]:
        del lives[pid]
    live = lives.get(process.pid)
    begun = live is None
    if live is None:
        if len(lives) >= MOST_LIVE:
            raise ValueError(f"{MOST_LIVE} processes are traced already; end one of them")
        live = Live(vm, process)
        await _begin(vm, process, live, LIVE_EVENTS)
        lives[process.pid] = live
    number = int(after) if str(after).isascii() and str(after).isdecimal() else 0
    rows, lost = live.rows(min(number, live.last))
    about = {"traced": repr(process.pid), "last": live.last, "begun": begun}
    return {**about, "rows": rows, "lost": lost}


async def _begin(vm: VM, process: Process, to: bool | Live, limit: int) -> None:
    try:
        await sys.trace(vm, process.pid, to, limit=limit, timeout=LOOK_SECONDS)
    except CallExit as failure:
        which = vm.name_of(process) or repr(process.pid)
        raise ValueError(f"{which} is not to be traced: {failure.reason}") from None


def _lives(vm: VM) -> dict[Pid, Live]:
    lives: dict[Pid, Live] = vm.tables.setdefault(TABLE, {})
    return lives
