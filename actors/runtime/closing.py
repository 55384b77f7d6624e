"""`Closing`: how all processes of a VM end when it is left.

Those that nobody has started linked, the roots, are told to end; they end the rest. A supervisor
has the time that the specs of its children give it, if it begins with that within
`OVERDUE_SECONDS`. What stands below no supervisor has `CLOSE_SECONDS`, and so has what a supervisor
is starting; then it is killed, and so is what is left when all supervisors are gone. Who comes
into being meanwhile is told to end too, and cannot start others once it is; at the last nobody
comes into being any more.
"""

from __future__ import annotations

import asyncio

from aybiza.actors.runtime.directory import Directory
from aybiza.actors.runtime.endings import Endings
from aybiza.actors.runtime.errors import UNSET, VMClosed
from aybiza.actors.runtime.messages import Exit, System
from aybiza.actors.runtime.process import Process, current_process
from aybiza.actors.runtime.reasons import KILLED, SHUTDOWN, is_same
from aybiza.actors.runtime.time_limit import TimeLimits

CLOSE_SECONDS = 5.0
OVERDUE_SECONDS = 60.0


class Closing:
    """See the module. `directory` says who lives, `limits` is the clock."""

    def __init__(self, directory: Directory, limits: TimeLimits, endings: Endings) -> None:
        self._directory = directory
        self._limits = limits
        self._endings = endings
        self._caller = current_process.get()
        self._born: set[Process] = set()
        self._told: set[Process] = set()
        self._final = False

    async def run(self) -> None:
        """End all processes but the calling one; when this is cancelled, without waiting."""
        try:
            await self._run()
        finally:
            for process in self._left():
                process.end(KILLED)

    async def _run(self) -> None:
        for process in self._left():
            self._order(process)
        await self._gone()
        for process in self._left():
            if not self._has_supervisor(process):
                process.end(KILLED)
        patience = self._limits.now() + OVERDUE_SECONDS
        while supervisors := [p.task for p in self._left() if _is_supervisor(p) and p.task]:
            self._hurry(overdue=self._limits.now() >= patience)
            await asyncio.wait(supervisors, timeout=CLOSE_SECONDS)
        self._final = True
        for process in self._left():
            process.end(KILLED)
        for task in self._endings.abandoned:
            task.cancel()
        await self._gone()

    def admit(self) -> None:
        """Raise `VMClosed` when the running process may start none any more."""
        parent = current_process.get()
        late = (
            parent is not None
            and parent in self._born
            and (parent in self._told or parent.exiting is not UNSET)
        )
        if self._final or late:
            raise VMClosed("the VM is being closed; no process can be started any more")

    def spawned(self, process: Process) -> None:
        """`process` has come into being."""
        self._born.add(process)
        self._limits.loop.call_soon(self._order, process)

    def _left(self) -> list[Process]:
        found = map(self._directory.find, self._directory.processes())
        return [process for process in found if process and process is not self._caller]

    def _order(self, process: Process) -> None:
        """Give a root the chance that a supervisor's shutdown would give it."""
        if process.parent is not None and self._directory.alive(process.parent):
            return
        self._told.add(process)
        if process.starting is not None:
            process.end(SHUTDOWN)
        elif process.server is not None:
            process.deliver(System(None, None, "terminate", SHUTDOWN))
        else:
            process.signal(process.parent, SHUTDOWN)

    async def _gone(self) -> None:
        """Wait until all are over, at most `CLOSE_SECONDS`."""
        limit = self._limits.now() + CLOSE_SECONDS
        while True:
            tasks = set(self._endings.abandoned)
            for process in self._left():
                if process.task is None or process.task.done():
                    # Somebody has cancelled its task before its first step.
                    self._endings.reap(process, KILLED)
                else:
                    tasks.add(process.task)
            left = limit - self._limits.now()
            if not tasks or left <= 0:
                return
            await asyncio.wait(tasks, timeout=left)

    def _hurry(self, *, overdue: bool) -> None:
        """End those whose start holds up a supervisor, and, when it is `overdue`, the supervisors
        that have not even taken their order to end."""
        for process in self._left():
            if process.starting is not None:
                process.end(SHUTDOWN)
            elif overdue and _is_supervisor(process) and any(map(_is_order, process.mailbox)):
                process.end(KILLED)

    def _has_supervisor(self, process: Process) -> bool:
        above: Process | None = process
        while above is not None:
            if _is_supervisor(above):
                return True
            above = self._directory.find(above.parent) if above.parent else None
        return False


def _is_order(message: object) -> bool:
    if type(message) is System:
        return message.name == "terminate"
    return type(message) is Exit and is_same(message.reason, SHUTDOWN)


def _is_supervisor(process: Process) -> bool:
    return getattr(process.server, "child_type", "worker") == "supervisor"
