"""`NameTable`: names that are unique in the cluster, as Erlang's `global`. Pure.

Each node keeps the names of its own processes and a copy of everybody else's, so a look-up asks
nobody. A registration is granted when every node that can be reached has it, and refused when one
of them has the name already. Of claims at the same time the older wins, by the time of the
registration and then by the node's name. When a partition heals and both sides have given a name
away, the older registration wins, too: the loser is told by an exit signal, the winner by a
message, both with a `NameConflict`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from aybiza.actors.runtime.pid import Pid


class Entry(NamedTuple):
    """A name's owner, and when it was registered (nanoseconds since 1970)."""

    pid: Pid
    stamp: int

    @property
    def rank(self) -> tuple[int, str, int]:
        """The lower one wins."""
        return (self.stamp, self.pid.node, self.pid.serial)


class Claim(NamedTuple):
    """To all: this process of mine wants the name; answer with `Claimed`."""

    name: Hashable
    entry: Entry


class Claimed(NamedTuple):
    """The answer: noted, unless the name has this `owner`."""

    name: Hashable
    entry: Entry
    owner: Entry | None


class Release(NamedTuple):
    """To all: this entry of mine is gone."""

    name: Hashable
    entry: Entry


class Holdings(NamedTuple):
    """To a node that has come up: the names that my processes have."""

    entries: tuple[tuple[Hashable, Entry], ...]


Message: TypeAlias = Claim | Claimed | Release | Holdings


@dataclass(frozen=True, slots=True)
class NameConflict:
    """Two processes had `name` when a partition healed; `winner` keeps it.

    The reason of the loser's exit signal, and a message to the winner.
    """

    name: Hashable
    winner: Pid
    loser: Pid


class Tell(NamedTuple):
    """Send a message to a node."""

    node: str
    message: Message


class Granted(NamedTuple):
    """The registration is complete."""

    name: Hashable
    pid: Pid


class Refused(NamedTuple):
    """The registration has failed: the name belongs to `owner`."""

    name: Hashable
    pid: Pid
    owner: Pid


class Settled(NamedTuple):
    """A conflict that a process of this node was part of is decided."""

    conflict: NameConflict


Command: TypeAlias = Tell | Granted | Refused | Settled


class NameTable:
    """See the module. `node` is this one; it is told who comes up and goes down."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._up: set[str] = set()
        self._rows: dict[Hashable, dict[str, Entry]] = {}
        self._waiting: dict[Hashable, set[str]] = {}
        self._held: dict[Pid, dict[Hashable, None]] = {}

    def find(self, name: Hashable) -> Pid | None:
        """The owner of a name."""
        owner = self._owner(name)
        return owner.pid if owner else None

    def names(self) -> dict[Hashable, Pid]:
        """All names with their owners."""
        return {name: min(row.values(), key=_rank).pid for name, row in self._rows.items()}

    def held(self, pid: Pid) -> list[Hashable]:
        """The names that a process of this node has or has claimed."""
        return list(self._held.get(pid, ()))

    def register(self, name: Hashable, pid: Pid, stamp: int) -> Iterator[Command]:
        """A process of this node wants the name."""
        owner = self._owner(name)
        if owner is not None:
            yield Refused(name, pid, owner.pid)
            return
        entry = Entry(pid, stamp)
        self._rows[name] = {self._node: entry}
        self._held.setdefault(pid, {})[name] = None
        self._waiting[name] = set(self._up)
        for node in self._up:
            yield Tell(node, Claim(name, entry))
        yield from self._grant(name)

    def release(self, name: Hashable, pid: Pid) -> Iterator[Command]:
        """A process of this node gives the name up, or has ended."""
        own = self._own(name)
        if own is not None and own.pid == pid:
            yield from self._drop(name, own)

    def node_up(self, node: str) -> Iterator[Command]:
        """A node can be reached: it gets what we have."""
        self._up.add(node)
        held = [(name, own) for name in self._rows if (own := self._own(name)) is not None]
        granted = tuple((name, own) for name, own in held if name not in self._waiting)
        yield Tell(node, Holdings(granted))
        for name, own in held:
            if name in self._waiting:
                self._waiting[name].add(node)
                yield Tell(node, Claim(name, own))

    def node_down(self, node: str) -> Iterator[Command]:
        """A node cannot be reached: its names are gone."""
        self._up.discard(node)
        for name in [name for name, row in self._rows.items() if node in row]:
            self._remove(name, node)
        for waiting in self._waiting.values():
            waiting.discard(node)
        for name in list(self._waiting):
            yield from self._grant(name)

    def receive(self, node: str, message: Message) -> Iterator[Command]:
        """A message of another node."""
        match message:
            case Claim(name, entry):
                yield from self._claimed_by(node, name, entry)
            case Claimed(name, entry, owner):
                yield from self._answered(node, name, entry, owner)
            case Release(name, entry):
                if self._rows.get(name, {}).get(node) == entry:
                    self._remove(name, node)
            case Holdings(entries):
                for name, entry in entries:
                    yield from self._held_by(node, name, entry)

    def _claimed_by(self, node: str, name: Hashable, entry: Entry) -> Iterator[Command]:
        own = self._own(name)
        if own is not None and (name not in self._waiting or own.rank < entry.rank):
            yield Tell(node, Claimed(name, entry, own))
            return
        if own is not None:
            yield from self._drop(name, own)
            yield Refused(name, own.pid, entry.pid)
        self._rows.setdefault(name, {})[node] = entry
        yield Tell(node, Claimed(name, entry, None))

    def _answered(
        self, node: str, name: Hashable, entry: Entry, owner: Entry | None
    ) -> Iterator[Command]:
        if self._own(name) != entry or name not in self._waiting:
            return
        if owner is None:
            self._waiting[name].discard(node)
            yield from self._grant(name)
        else:
            yield from self._drop(name, entry)
            yield Refused(name, entry.pid, owner.pid)

    def _held_by(self, node: str, name: Hashable, entry: Entry) -> Iterator[Command]:
        own = self._own(name)
        self._rows.setdefault(name, {})[node] = entry
        if own is None:
            return
        if name in self._waiting:
            yield from self._drop(name, own)
            yield Refused(name, own.pid, entry.pid)
        elif entry.rank < own.rank:
            yield from self._drop(name, own)
            yield Settled(NameConflict(name, entry.pid, own.pid))
        else:
            yield Settled(NameConflict(name, own.pid, entry.pid))

    def _grant(self, name: Hashable) -> Iterator[Command]:
        if not self._waiting.get(name, {name}):
            del self._waiting[name]
            own = self._own(name)
            assert own is not None
            yield Granted(name, own.pid)

    def _drop(self, name: Hashable, own: Entry) -> Iterator[Command]:
        self._waiting.pop(name, None)
        self._remove(name, self._node)
        held = self._held[own.pid]
        del held[name]
        if not held:
            del self._held[own.pid]
        for node in self._up:
            yield Tell(node, Release(name, own))

    def _remove(self, name: Hashable, node: str) -> None:
        row = self._rows[name]
        del row[node]
        if not row:
            del self._rows[name]

    def _own(self, name: Hashable) -> Entry | None:
        return self._rows.get(name, {}).get(self._node)

    def _owner(self, name: Hashable) -> Entry | None:
        row = self._rows.get(name)
        return min(row.values(), key=_rank) if row else None


def _rank(entry: Entry) -> tuple[int, str, int]:
    return entry.rank
