"""`observe`: all about one process, as Erlang's `process_info`.

It looks from outside and asks the process nothing, so it also tells of one that hangs.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from dataclasses import dataclass
from itertools import islice
from types import FrameType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any, Literal

from aybiza.actors.runtime.errors import UNSET, CallExit
from aybiza.actors.runtime.frames import frames_of, line_of
from aybiza.actors.runtime.pid import Dest, Pid, Via
from aybiza.actors.runtime.process import Process, current_process
from aybiza.actors.runtime.reasons import NOPROC
from aybiza.config.said import parts

if TYPE_CHECKING:
    from aybiza.actors.runtime.vm import VM

MEMORY_OBJECTS = 1000

# Whose frames say nothing of what a process does.
_PLUMBING = (os.path.dirname(__file__) + os.sep, os.path.dirname(asyncio.__file__) + os.sep)


@dataclass(frozen=True, slots=True)
class Observation:
    """A process at one moment.

    `label`: its class or function. `parent`: who started it linked. `names`: under which it is
    found, topics it subscribes to included. `status`: `running` when it has something to do,
    `waiting` for a message, `suspended`, or `exiting`. `callback`, if one is under way, and `at`
    the line it has come to. `monitors`: whom it watches, once for each monitor. `mailbox_length`
    in messages; `reductions` are the messages that it has taken. `memory`: the bytes that its task,
    mailbox and state take, things shared with others included, counted over at most
    `MEMORY_OBJECTS` objects.
    """

    pid: Pid
    label: str
    parent: Pid | None
    names: tuple[str | Via, ...]
    status: Literal["running", "waiting", "suspended", "exiting"]
    callback: str | None
    at: str | None
    traps_exits: bool
    links: tuple[Pid, ...]
    monitors: tuple[Pid, ...]
    monitored_by: tuple[Pid, ...]
    mailbox_length: int
    reductions: int
    memory: int


def observe(vm: VM, dest: Dest) -> Observation:
    """The process at `dest` now; raises `CallExit` with `NOPROC` if there is none."""
    process = vm.find(dest)
    if process is None:
        raise CallExit(NOPROC, dest)
    frames = list(frames_of(process.task))
    own = [frame for frame in frames if not frame.f_code.co_filename.startswith(_PLUMBING)]
    return Observation(
        pid=process.pid,
        label=process.label,
        parent=process.parent,
        names=tuple(
            str(key) if registry is None else Via(registry, key) for registry, key in process.names
        ),
        status=_status(process, own),
        callback=own[0].f_code.co_qualname if own else None,
        at=line_of(own[-1]) if own else None,
        traps_exits=process.trap_exit,
        links=tuple(linked.pid for linked in process.links or ()),
        monitors=tuple(watched.pid for watched in (process.monitoring or {}).values()),
        monitored_by=tuple(watcher.pid for watcher in (process.monitors or {}).values()),
        mailbox_length=process.mailbox_length,
        reductions=process.reductions,
        memory=_memory(process),
    )


def _status(
    process: Process, own: list[FrameType]
) -> Literal["running", "waiting", "suspended", "exiting"]:
    if process.exiting is not UNSET:
        return "exiting"
    if process.suspended:
        return "suspended"
    ready = process.mailbox_length and not process.idle
    return "running" if own or ready or process is current_process.get() else "waiting"


def _memory(process: Process) -> int:
    size = sys.getsizeof(process) + sys.getsizeof(process.task)
    waiting: Any = process.task.get_coro() if process.task else None
    while waiting is not None:
        size += sys.getsizeof(waiting, 0)
        waiting = getattr(waiting, "cr_await", None)
    seen = {id(process), id(process.vm)}
    # A name leads to the table of all names.
    held = [holding for holding in process.held or () if not holding.named]
    found: deque[Any] = deque((process.mailbox, process.server, process.links, held))
    for _ in range(MEMORY_OBJECTS):
        if not found:
            break
        thing = found.popleft()
        if thing is None or id(thing) in seen or isinstance(thing, _NOT_ITS_OWN):
            continue
        seen.add(id(thing))
        size += sys.getsizeof(thing, 0)
        found.extend(islice(parts(thing), MEMORY_OBJECTS - len(found)))
    return size


# What is the program's or another process's, although a process refers to it.
_NOT_ITS_OWN = (
    type,
    ModuleType,
    FunctionType,
    MethodType,
    Process,
    asyncio.AbstractEventLoop,
    asyncio.Future,
)
