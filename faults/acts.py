"""What a fault of a process does to the one that it strikes: one row a kind.

    ended = ACTS[fault.what](fault, process)

gives the numbers of the processes whose crash is the fault's own doing. What has to happen in a
callback is brought there by a `Poison`, which the hooked callback takes for its order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

from aybiza.actors.runtime import KILL, Process
from aybiza.actors.runtime.reasons import Crashed
from aybiza.faults.fault import Fault
from aybiza.faults.watched import WatchedProcess

FILLER: Final = "means nothing"


class Planned:
    """A callback of the loop that is a plan's: its timer is none that a call has left."""

    __slots__ = ("_act", "_given")

    def __init__(self, act: Callable[..., object], *given: Any) -> None:
        self._act, self._given = act, given

    def __call__(self) -> None:
        self._act(*self._given)


class Poison:
    """A message on which a callback does what its fault says."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault


def arrive(to: Process, message: Any) -> None:
    """Put a message into a mailbox without asking anybody, unless the process is over."""
    if isinstance(to, WatchedProcess):
        to.arrive(message)
    elif to.alive:
        to.deliver(message)


def _exit(fault: Fault, process: Process) -> Collection[int]:
    serial = process.pid.serial
    process.vm.exit(process.pid, fault.reason)
    return (serial,)


def _kill(fault: Fault, process: Process) -> Collection[int]:
    serial = process.pid.serial
    process.vm.exit(process.pid, KILL)
    return (serial,)


def _poison(fault: Fault, process: Process) -> Collection[int]:
    if process.server is not None:
        arrive(process, Poison(fault))
        return ()
    # What is no server has no callback to do it in.
    process.end(Crashed(RuntimeError(fault.reason)))
    return (process.pid.serial,)


def _fill(fault: Fault, process: Process) -> Collection[int]:
    for _ in range(fault.count - 1):
        Process.deliver(process, FILLER)
    arrive(process, FILLER)
    return ()


ACTS: Final[dict[str, Callable[[Fault, Process], Collection[int]]]] = {
    "crash": _poison,
    "raise": _poison,
    "hang": _poison,
    "block": _poison,
    "exit": _exit,
    "kill": _kill,
    "fill": _fill,
}
