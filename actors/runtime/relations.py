"""`Relations`: links and monitors, who hears of whose end."""

from __future__ import annotations

import itertools

from aybiza.actors.runtime.directory import Directory, calling_process
from aybiza.actors.runtime.errors import ExitError
from aybiza.actors.runtime.messages import Down
from aybiza.actors.runtime.pid import Dest, Pid
from aybiza.actors.runtime.process import Process
from aybiza.actors.runtime.reasons import NOPROC, Reason


class Relations(Directory):
    """The part of the VM that relates processes to each other; see the module."""

    def __init__(self) -> None:
        super().__init__()
        self._refs = itertools.count(1)
        # Monitors that were made by a name, which their `Down` tells.
        self._monitored_names: dict[int, Dest] = {}

    def link(self, dest: Dest) -> None:
        """Link the calling process with `dest`.

        With a dead one: `Exit(dest, NOPROC)` to a caller that traps exits, else `ExitError(NOPROC)`
        is raised in it.
        """
        process = calling_process("link")
        target = self.find(dest)
        if target is None and (place := self._place(dest)) is not None:
            self.remote.link(process, place)  # type: ignore[union-attr]
        elif target is None:
            if not process.trap_exit:
                raise ExitError(NOPROC)
            process.signal(dest if isinstance(dest, Pid) else None, NOPROC)
        elif target is not process:
            link_both(process, target)

    def unlink(self, dest: Dest) -> None:
        """Undo `link`; an `Exit` that has arrived already stays in the mailbox."""
        process = calling_process("unlink")
        target = self.find(dest)
        if target is not None:
            unlink_both(process, target)
        elif (place := self._place(dest)) is not None:
            self.remote.unlink(process, place)  # type: ignore[union-attr]

    def monitor(self, dest: Dest) -> int:
        """Have the calling process told by `Down(ref, …)` when `dest` ends; returns `ref`.

        A `Down` of a name says `(name, node)`, one of a `Via` that. Nobody hears of the own end.
        """
        watcher = calling_process("monitor")
        ref = next(self._refs)
        target = self.find(dest)
        if target is None and (place := self._place(dest)) is not None:
            self.remote.monitor(watcher, ref, dest, place)  # type: ignore[union-attr]
            return ref
        shown = (dest, watcher.pid.node) if isinstance(dest, str) else dest
        if target is None:
            watcher.deliver(Down(ref, shown, NOPROC))
            return ref
        if target is watcher:
            return ref
        if type(dest) is not Pid:
            self._monitored_names[ref] = shown
        if target.monitors is None:
            target.monitors = {}
        if watcher.monitoring is None:
            watcher.monitoring = {}
        target.monitors[ref] = watcher
        watcher.monitoring[ref] = target
        return ref

    def demonitor(self, ref: int, *, flush: bool = True) -> bool:
        """Undo `monitor`, and with `flush` drop a `Down` of it which has arrived already.

        Returns whether there was something to undo; of a process of another node that is unknown,
        and False.
        """
        watcher = calling_process("demonitor")
        target = watcher.monitoring.pop(ref, None) if watcher.monitoring else None
        if target is not None:
            if target.monitors:
                target.monitors.pop(ref, None)
            self._monitored_names.pop(ref, None)
            return True
        if self.remote is not None:
            self.remote.demonitor(ref)
        if flush:
            watcher.take(lambda message: type(message) is Down and message.ref == ref)
        return False

    def _bereave(self, process: Process, reason: Reason) -> None:
        """`process` is dead: tell its links and monitors, and end its own monitors."""
        pid = process.pid
        for linked in process.links or ():
            if linked.links:
                linked.links.pop(process, None)
            linked.signal(pid, reason)
        for ref, watcher in (process.monitors or {}).items():
            if watcher.monitoring and watcher.monitoring.pop(ref, None):
                watcher.deliver(Down(ref, self._monitored_names.pop(ref, pid), reason))
        for ref, watched in (process.monitoring or {}).items():
            if watched.monitors:
                watched.monitors.pop(ref, None)
            self._monitored_names.pop(ref, None)


def link_both(one: Process, other: Process) -> None:
    """Link two processes."""
    for process, peer in ((one, other), (other, one)):
        if process.links is None:
            process.links = {}
        process.links[peer] = None


def unlink_both(one: Process, other: Process) -> None:
    """Undo `link_both`, silently."""
    for process, peer in ((one, other), (other, one)):
        if process.links:
            process.links.pop(peer, None)
