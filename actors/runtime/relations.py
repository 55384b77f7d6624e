"""`Relations`: links, monitors and exit signals: who hears of whose end, and who causes it.

Who has been told to end may still run its `finally` blocks. For whoever links or monitors it now it
is nobody already: the reason is `NOPROC`, as in OTP. They hear of it when it is over.
"""

from __future__ import annotations

from collections.abc import Iterator

from aybiza.actors.runtime.directory import Directory, calling_process
from aybiza.actors.runtime.errors import UNSET, ExitError
from aybiza.actors.runtime.messages import Down
from aybiza.actors.runtime.pid import Dest, Pid
from aybiza.actors.runtime.process import Process, current_process, link_both, unlink_both
from aybiza.actors.runtime.reasons import KILL, KILLED, NOPROC, Reason


class Relations:
    """See the module. Whom a `dest` means the `directory` says; `refs` numbers the monitors."""

    def __init__(self, directory: Directory, refs: Iterator[int]) -> None:
        self._directory = directory
        self._refs = refs
        # Monitors that were made by a name, which their `Down` tells.
        self._monitored_names: dict[int, Dest] = {}
        # Those of processes that had been told to end.
        self._too_late: set[int] = set()

    def link(self, dest: Dest) -> None:
        """Link the calling process with `dest`.

        With a dead one: `Exit(dest, NOPROC)` to a caller that traps exits, else `ExitError(NOPROC)`
        is raised in it.
        """
        process = calling_process("link")
        target = self._directory.find(dest)
        if target is None and (there := self._directory.elsewhere(dest)) is not None:
            there.remote.link(process, there.place)
        elif target is None:
            if not process.trap_exit:
                raise ExitError(NOPROC)
            process.signal(dest if isinstance(dest, Pid) else None, NOPROC)
        elif target is not process and not (process.links and target in process.links):
            link_both(process, target)
            if target.exiting is not UNSET and target.links is not None:
                target.links[process] = NOPROC

    def unlink(self, dest: Dest) -> None:
        """Undo `link`; an `Exit` that has arrived already stays in the mailbox."""
        process = calling_process("unlink")
        target = self._directory.find(dest)
        if target is not None:
            unlink_both(process, target)
        elif (there := self._directory.elsewhere(dest)) is not None:
            there.remote.unlink(process, there.place)

    def monitor(self, dest: Dest) -> int:
        """Have the calling process told by `Down(ref, …)` when `dest` ends; returns `ref`.

        A `Down` of a name says `(name, node)`, one of a `Via` that. Nobody hears of the own end.
        """
        watcher = calling_process("monitor")
        ref = next(self._refs)
        target = self._directory.find(dest)
        if target is None and (there := self._directory.elsewhere(dest)) is not None:
            there.remote.monitor(watcher, ref, dest, there.place)
            return ref
        shown = (dest, watcher.pid.node) if isinstance(dest, str) else dest
        if target is None:
            watcher.deliver(Down(ref, shown, NOPROC))
            return ref
        if target is watcher:
            return ref
        if type(dest) is not Pid:
            self._monitored_names[ref] = shown
        if target.exiting is not UNSET:
            self._too_late.add(ref)
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
            self._too_late.discard(ref)
            return True
        if self._directory.remote is not None:
            self._directory.remote.demonitor(ref)
        if flush:
            watcher.take(lambda message: type(message) is Down and message.ref == ref)
        return False

    def exit(self, dest: Dest, reason: Reason) -> None:
        """Send an exit signal, as `Process.exit/2`; `KILL` cannot be trapped."""
        target = self._directory.find(dest)
        if target is not None:
            if isinstance(reason, str) and reason == KILL:
                target.end(KILLED)
            else:
                sender = current_process.get()
                target.signal(sender.pid if sender else None, reason)
        elif (there := self._directory.elsewhere(dest)) is not None:
            there.remote.exit(there.place, reason)
        elif not isinstance(dest, str):
            self._directory.refuse(dest)

    def bereave(self, process: Process, reason: Reason) -> None:
        """`process` is dead: tell its links and monitors, and end its own monitors."""
        pid = process.pid
        for linked, told in (process.links or {}).items():
            if linked.links:
                linked.links.pop(process, None)
            linked.signal(pid, reason if told is None else told)
        if process.monitors is None and process.monitoring is None:
            return
        for ref, watcher in (process.monitors or {}).items():
            if watcher.monitoring and watcher.monitoring.pop(ref, None):
                told = reason
                if ref in self._too_late:
                    self._too_late.remove(ref)
                    told = NOPROC
                watcher.deliver(Down(ref, self._monitored_names.pop(ref, pid), told))
        for ref, watched in (process.monitoring or {}).items():
            if watched.monitors:
                watched.monitors.pop(ref, None)
            self._monitored_names.pop(ref, None)
            self._too_late.discard(ref)
