"""`GroupTable`: process groups, as Erlang's `pg`. Pure.

A process may join a group several times and is in it as often. Each node keeps the memberships of
its own processes and a copy of everybody else's, so asking for the members asks nobody.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import islice
from typing import NamedTuple, TypeAlias

from aybiza.actors.runtime.pid import Pid

PIECE = 250
"""Memberships in one message: what a loop takes in within a millisecond."""


class Joined(NamedTuple):
    """To all: a process of mine is in the group."""

    group: Hashable
    pid: Pid


class Left(NamedTuple):
    """To all: a process of mine is in the group once less."""

    group: Hashable
    pid: Pid


class Members(NamedTuple):
    """To a node that has come up: where my processes are, at most `PIECE` memberships at once."""

    memberships: tuple[tuple[Hashable, Pid], ...]


Message: TypeAlias = Joined | Left | Members


class GroupTable:
    """See the module. What it yields goes to the named node."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._up: dict[str, None] = {}
        # How often each process of a node is in a group.
        self._groups: dict[Hashable, dict[str, dict[Pid, int]]] = {}
        self._joined: dict[Pid, dict[Hashable, None]] = {}
        # The same for this node alone, in a form that is copied in a millisecond.
        self._own: dict[tuple[Hashable, Pid], int] = {}

    def members(self, group: Hashable) -> list[Pid]:
        """All members; those of this node first."""
        nodes = self._groups.get(group, {})
        others = [pid for node, pids in nodes.items() if node != self._node for pid in _all(pids)]
        return [*_all(nodes.get(self._node, {})), *others]

    def local_members(self, group: Hashable) -> list[Pid]:
        """The members on this node."""
        return _all(self._groups.get(group, {}).get(self._node, {}))

    def groups(self) -> list[Hashable]:
        """The groups that have members."""
        return list(self._groups)

    def join(self, group: Hashable, pid: Pid) -> Iterator[tuple[str, Message]]:
        """A process of this node joins."""
        self._add(self._node, group, pid)
        self._joined.setdefault(pid, {})[group] = None
        for node in self._up:
            yield node, Joined(group, pid)

    def leave(self, group: Hashable, pid: Pid) -> Iterator[tuple[str, Message]]:
        """A process of this node leaves once; without effect if it is not in the group."""
        if self._remove(self._node, group, pid):
            if pid not in self._groups.get(group, {}).get(self._node, {}):
                self._joined[pid].pop(group)
                if not self._joined[pid]:
                    del self._joined[pid]
            for node in self._up:
                yield node, Left(group, pid)

    def ended(self, pid: Pid) -> Iterator[tuple[str, Message]]:
        """A process of this node has ended."""
        for group in self._joined.pop(pid, {}):
            for _ in range(self._groups[group][self._node].get(pid, 0)):
                self._remove(self._node, group, pid)
                for node in self._up:
                    yield node, Left(group, pid)

    def node_up(self, node: str) -> Iterator[tuple[str, Members]]:
        """A node can be reached: it gets what we have now, piece by piece."""
        self._up[node] = None
        return _pieces(node, self._own.copy())

    def node_down(self, node: str) -> None:
        """A node cannot be reached: its members are gone."""
        self._up.pop(node, None)
        for group in list(self._groups):
            self._groups[group].pop(node, None)
            self._tidy(group)

    def receive(self, node: str, message: Message) -> None:
        """A message of another node."""
        match message:
            case Joined(group, pid):
                self._add(node, group, pid)
            case Left(group, pid):
                self._remove(node, group, pid)
            case Members(memberships):
                for group, pid in memberships:
                    self._add(node, group, pid)

    def _add(self, node: str, group: Hashable, pid: Pid) -> None:
        pids = self._groups.setdefault(group, {}).setdefault(node, {})
        pids[pid] = pids.get(pid, 0) + 1
        if node == self._node:
            self._own[group, pid] = pids[pid]

    def _remove(self, node: str, group: Hashable, pid: Pid) -> bool:
        pids = self._groups.get(group, {}).get(node, {})
        if pid not in pids:
            return False
        pids[pid] -= 1
        if node == self._node:
            self._own[group, pid] = pids[pid]
        if not pids[pid]:
            del pids[pid]
            self._own.pop((group, pid), None)
        if not pids:
            del self._groups[group][node]
        self._tidy(group)
        return True

    def _tidy(self, group: Hashable) -> None:
        if not self._groups[group]:
            del self._groups[group]


def _all(pids: dict[Pid, int]) -> list[Pid]:
    return [pid for pid, times in pids.items() for _ in range(times)]


def _pieces(node: str, held: dict[tuple[Hashable, Pid], int]) -> Iterator[tuple[str, Members]]:
    left = (each for each, times in held.items() for _ in range(times))
    while piece := tuple(islice(left, PIECE)):
        yield node, Members(piece)
