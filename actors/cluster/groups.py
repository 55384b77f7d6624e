"""`GroupTable`: process groups, as Erlang's `pg`. Pure.

A process may join a group several times and is in it as often. Each node keeps the memberships of
its own processes and a copy of everybody else's, so asking for the members asks nobody.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import NamedTuple, TypeAlias

from aybiza.actors.runtime.pid import Pid


class Joined(NamedTuple):
    """To all: a process of mine is in the group."""

    group: Hashable
    pid: Pid


class Left(NamedTuple):
    """To all: a process of mine is in the group once less."""

    group: Hashable
    pid: Pid


class Members(NamedTuple):
    """To a node that has come up: where my processes are."""

    memberships: tuple[tuple[Hashable, Pid], ...]


Message: TypeAlias = Joined | Left | Members


class GroupTable:
    """See the module. What it yields goes to the named node."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._up: dict[str, None] = {}
        self._groups: dict[Hashable, dict[str, list[Pid]]] = {}
        self._joined: dict[Pid, list[Hashable]] = {}

    def members(self, group: Hashable) -> list[Pid]:
        """All members; those of this node first."""
        nodes = self._groups.get(group, {})
        others = [pid for node, pids in nodes.items() if node != self._node for pid in pids]
        return [*nodes.get(self._node, ()), *others]

    def local_members(self, group: Hashable) -> list[Pid]:
        """The members on this node."""
        return list(self._groups.get(group, {}).get(self._node, ()))

    def groups(self) -> list[Hashable]:
        """The groups that have members."""
        return list(self._groups)

    def join(self, group: Hashable, pid: Pid) -> Iterator[tuple[str, Message]]:
        """A process of this node joins."""
        self._add(self._node, group, pid)
        self._joined.setdefault(pid, []).append(group)
        for node in self._up:
            yield node, Joined(group, pid)

    def leave(self, group: Hashable, pid: Pid) -> Iterator[tuple[str, Message]]:
        """A process of this node leaves once; without effect if it is not in the group."""
        if self._remove(self._node, group, pid):
            if pid in self._joined:
                self._joined[pid].remove(group)
                if not self._joined[pid]:
                    del self._joined[pid]
            for node in self._up:
                yield node, Left(group, pid)

    def ended(self, pid: Pid) -> Iterator[tuple[str, Message]]:
        """A process of this node has ended."""
        for group in self._joined.pop(pid, []):
            yield from self.leave(group, pid)

    def node_up(self, node: str) -> Iterator[tuple[str, Message]]:
        """A node can be reached: it gets what we have."""
        self._up[node] = None
        held = [(group, pid) for group in self._groups for pid in self.local_members(group)]
        yield node, Members(tuple(held))

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
        self._groups.setdefault(group, {}).setdefault(node, []).append(pid)

    def _remove(self, node: str, group: Hashable, pid: Pid) -> bool:
        pids = self._groups.get(group, {}).get(node, [])
        if pid not in pids:
            return False
        pids.remove(pid)
        if not pids:
            del self._groups[group][node]
        self._tidy(group)
        return True

    def _tidy(self, group: Hashable) -> None:
        if not self._groups[group]:
            del self._groups[group]
