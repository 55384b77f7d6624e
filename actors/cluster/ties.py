"""`Ties`: the links and monitors between processes of this node and of others.

Each end of a link knows of it; a monitor is known where the watcher and where the watched is.
An exit signal that belongs to a link is taken only while the link stands, so that one which was
under way when it was undone has no effect, as in OTP.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aybiza.actors.cluster import signals
from aybiza.actors.runtime.messages import Down
from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.process import Process
from aybiza.actors.runtime.reasons import NOCONNECTION, NOPROC, Reason

Say = Callable[[str, Any], bool]
"""Sends a signal to a node; False if the node cannot be reached."""


class Ties:
    """See the module. `find` finds local processes."""

    def __init__(self, say: Say, find: Callable[[Any], Process | None]) -> None:
        self._say = say
        self._find = find
        self._links: dict[int, dict[Pid, Process]] = {}
        self._watching: dict[int, tuple[Process, str, Any]] = {}
        self._refs_of: dict[int, set[int]] = {}
        self._watched: dict[int, set[tuple[str, int]]] = {}
        self._watchers: dict[tuple[str, int], int] = {}

    def link(self, process: Process, peer: Pid) -> None:
        """A local process links itself."""
        self._links.setdefault(process.pid.serial, {})[peer] = process
        if not self._say(peer.node, signals.LinkTo(process.pid, peer)):
            self._unlink(process.pid, peer)
            process.signal(peer, NOCONNECTION)

    def unlink(self, process: Process, peer: Pid) -> None:
        """A local process undoes a link."""
        if self._unlink(process.pid, peer):
            self._say(peer.node, signals.Unlink(process.pid, peer))

    def linked_by(self, node: str, source: Pid, target: Pid) -> None:
        """A process of another node links itself to a local one."""
        process = self._find(target)
        if process is None:
            self._say(node, signals.ExitSignal(target, source, NOPROC, True))
        else:
            self._links.setdefault(target.serial, {})[source] = process

    def unlinked_by(self, source: Pid, target: Pid) -> None:
        """A process of another node undoes its link to a local one."""
        self._unlink(target, source)

    def exited(self, source: Pid, target: Pid, reason: Reason) -> None:
        """A linked process of another node has ended."""
        process = self._unlink(target, source)
        if process is not None and process.alive:
            process.signal(source, reason)

    def monitor(self, watcher: Process, ref: int, node: str, dest: Any, shown: Any) -> None:
        """A local process monitors one of another node; `shown` is what it called it."""
        self._watching[ref] = (watcher, node, shown)
        self._refs_of.setdefault(watcher.pid.serial, set()).add(ref)
        if not self._say(node, signals.Monitor(ref, dest)):
            self.died(ref, NOCONNECTION)

    def demonitor(self, ref: int) -> None:
        """A local process ends a monitor; without effect on unknown ones."""
        watching = self._unwatch(ref)
        if watching is not None:
            self._say(watching[1], signals.Demonitor(ref))

    def died(self, ref: int, reason: Reason) -> None:
        """What a local process monitors has ended."""
        watching = self._unwatch(ref)
        if watching is not None and watching[0].alive:
            watching[0].deliver(Down(ref, watching[2], reason))

    def monitored_by(self, node: str, ref: int, dest: Any) -> None:
        """A process of another node monitors a local one."""
        process = self._find(dest)
        if process is None:
            self._say(node, signals.Died(ref, NOPROC))
        else:
            serial = self._watchers[node, ref] = process.pid.serial
            self._watched.setdefault(serial, set()).add((node, ref))

    def demonitored_by(self, node: str, ref: int) -> None:
        """A process of another node ends a monitor."""
        serial = self._watchers.pop((node, ref), None)
        if serial is not None:
            self._watched[serial].discard((node, ref))
            if not self._watched[serial]:
                del self._watched[serial]

    def ended(self, process: Process, reason: Reason) -> None:
        """A local process has ended: tell those of other nodes."""
        serial = process.pid.serial
        links, watchers = self._links.pop(serial, {}), self._watched.pop(serial, set())
        if links or watchers:
            reason = signals.portable(reason)
        for peer in links:
            self._say(peer.node, signals.ExitSignal(process.pid, peer, reason, True))
        for node, ref in watchers:
            del self._watchers[node, ref]
            self._say(node, signals.Died(ref, reason))
        for ref in list(self._refs_of.get(serial, ())):
            self.demonitor(ref)

    def node_down(self, node: str) -> None:
        """A node cannot be reached: its processes are as good as dead."""
        for where, ref in [key for key in self._watchers if key[0] == node]:
            self.demonitored_by(where, ref)
        for ref in [ref for ref, (_, where, _) in self._watching.items() if where == node]:
            self.died(ref, NOCONNECTION)
        lost = [
            (process.pid, peer)
            for links in self._links.values()
            for peer, process in links.items()
            if peer.node == node
        ]
        for pid, peer in lost:
            self.exited(peer, pid, NOCONNECTION)

    def _unwatch(self, ref: int) -> tuple[Process, str, Any] | None:
        watching = self._watching.pop(ref, None)
        if watching is not None:
            serial = watching[0].pid.serial
            self._refs_of[serial].discard(ref)
            if not self._refs_of[serial]:
                del self._refs_of[serial]
        return watching

    def _unlink(self, local: Pid, peer: Pid) -> Process | None:
        links = self._links.get(local.serial, {})
        process = links.pop(peer, None)
        if not links:
            self._links.pop(local.serial, None)
        return process
