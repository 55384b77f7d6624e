"""`Ties`: the links and monitors between processes of this node and of others.

Each end of a link knows of it; a monitor is known where the watcher and where the watched is.
An exit signal that belongs to a link is taken only while the link stands, so that one which was
under way when it was undone has no effect, as in OTP. Undoing a link is acknowledged, as in OTP
since 23: until the answer is here, a link that the other end asks for was asked for before it
heard of the undoing, and is passed over. So a link stands at both ends or at none, whatever
crosses on the wire.
"""

from __future__ import annotations

import itertools
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
    """See the module. `find` finds local processes, and raises for nothing. What is undone or
    ended twice has no effect."""

    def __init__(self, say: Say, find: Callable[[Any], Process | None]) -> None:
        self._say = say
        self._find = find
        self._numbers = itertools.count(1)
        self._links: dict[int, dict[Pid, Process]] = {}
        self._unlinking: dict[int, dict[Pid, int]] = {}
        self._watching: dict[int, tuple[Process, str, Any]] = {}
        self._refs_of: dict[int, set[int]] = {}
        self._watched: dict[int, set[tuple[str, int]]] = {}
        self._watchers: dict[tuple[str, int], int] = {}

    def links(self, pid: Pid) -> list[Pid]:
        """To whom of other nodes a local process is linked."""
        return list(self._links.get(pid.serial, ()))

    def statistics(self) -> dict[str, int]:
        """How many ties there are: `links` and `monitors` of local processes, `monitored` by other
        nodes, and links whose undoing is not acknowledged."""
        return {
            "links": sum(map(len, self._links.values())),
            "unlinking": sum(map(len, self._unlinking.values())),
            "monitors": len(self._watching),
            "monitored": len(self._watchers),
        }

    def link(self, process: Process, peer: Pid) -> None:
        """A local process links itself."""
        links = self._links.setdefault(process.pid.serial, {})
        if peer in links:
            return
        links[peer] = process
        _strike(self._unlinking, process.pid, peer)
        if not self._say(peer.node, signals.LinkTo(process.pid, peer)):
            _strike(self._links, process.pid, peer)
            process.signal(peer, NOCONNECTION)

    def unlink(self, process: Process, peer: Pid) -> None:
        """A local process undoes a link."""
        if _strike(self._links, process.pid, peer) is None:
            return
        number = next(self._numbers)
        if self._say(peer.node, signals.Unlink(process.pid, peer, number)):
            self._unlinking.setdefault(process.pid.serial, {})[peer] = number

    def linked_by(self, node: str, source: Pid, target: Pid) -> None:
        """A process of another node links itself to a local one."""
        process = self._find(target)
        if process is None:
            self._say(node, signals.ExitSignal(target, source, NOPROC, True))
        elif source not in self._unlinking.get(target.serial, ()):
            self._links.setdefault(target.serial, {})[source] = process

    def unlinked_by(self, source: Pid, target: Pid, number: int = 0) -> None:
        """A process of another node undoes its link to a local one."""
        _strike(self._links, target, source)
        self._say(source.node, signals.Unlinked(target, source, number))

    def unlink_acknowledged(self, source: Pid, target: Pid, number: int) -> None:
        """A process of another node has no link to a local one any more."""
        if self._unlinking.get(target.serial, {}).get(source) == number:
            _strike(self._unlinking, target, source)

    def exited(self, source: Pid, target: Pid, reason: Reason) -> None:
        """A linked process of another node has ended."""
        process = _strike(self._links, target, source)
        if process is not None and process.alive:
            process.signal(source, reason)

    def monitor(self, watcher: Process, ref: int, node: str, dest: Any, shown: Any) -> None:
        """A local process monitors one of another node; `shown` is what it called it."""
        self._watching[ref] = (watcher, node, shown)
        self._refs_of.setdefault(watcher.pid.serial, set()).add(ref)
        try:
            said = self._say(node, signals.Monitor(ref, dest))
        except BaseException:  # an address that does not travel
            self._unwatch(ref)
            raise
        if not said:
            self.died(ref, NOCONNECTION)

    def demonitor(self, ref: int) -> None:
        """A local process ends a monitor."""
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
            _discard(self._watched, serial, (node, ref))

    def ended(self, process: Process, reason: Reason) -> None:
        """A local process has ended: tell those of other nodes."""
        serial = process.pid.serial
        links, watchers = self._links.pop(serial, {}), self._watched.pop(serial, set())
        self._unlinking.pop(serial, None)
        if links or watchers:
            reason = signals.portable(reason)
        for peer in links:
            self._say(peer.node, signals.ExitSignal(process.pid, peer, reason, True))
        for node, ref in sorted(watchers):
            self._watchers.pop((node, ref), None)
            self._say(node, signals.Died(ref, reason))
        for ref in sorted(self._refs_of.get(serial, ())):
            self.demonitor(ref)

    def node_down(self, node: str) -> None:
        """A node cannot be reached: its processes are as good as dead."""
        for where, ref in [key for key in self._watchers if key[0] == node]:
            self.demonitored_by(where, ref)
        for ref in [ref for ref, (_, where, _) in self._watching.items() if where == node]:
            self.died(ref, NOCONNECTION)
        for serial, peer in _lost(self._unlinking, node):
            _strike_at(self._unlinking, serial, peer)
        for serial, peer in _lost(self._links, node):
            process = _strike_at(self._links, serial, peer)
            if process is not None and process.alive:
                process.signal(peer, NOCONNECTION)

    def _unwatch(self, ref: int) -> tuple[Process, str, Any] | None:
        watching = self._watching.pop(ref, None)
        if watching is not None:
            _discard(self._refs_of, watching[0].pid.serial, ref)
        return watching


def _strike(rows: dict[int, dict[Pid, Any]], local: Pid, peer: Pid) -> Any:
    return _strike_at(rows, local.serial, peer)


def _strike_at(rows: dict[int, dict[Pid, Any]], serial: int, peer: Pid) -> Any:
    row = rows.get(serial)
    if row is None:
        return None
    struck = row.pop(peer, None)
    if not row:
        del rows[serial]
    return struck


def _discard(rows: dict[int, set[Any]], serial: int, item: Any) -> None:
    row = rows.get(serial)
    if row is not None:
        row.discard(item)
        if not row:
            del rows[serial]


def _lost(rows: dict[int, dict[Pid, Any]], node: str) -> list[tuple[int, Pid]]:
    return [(serial, peer) for serial, row in rows.items() for peer in row if peer.node == node]
