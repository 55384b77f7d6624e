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
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from aybiza.actors.runtime.pid import Pid

PIECE = 250
"""Names in one message: what a loop takes in within a millisecond."""
TIDIED = 2000
"""Names of lost nodes that are freed at once."""


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


class Releases(NamedTuple):
    """To all: these entries of mine are gone."""

    entries: tuple[tuple[Hashable, Entry], ...]


class Holdings(NamedTuple):
    """To a node that has come up: names that my processes have, at most `PIECE` at once."""

    entries: tuple[tuple[Hashable, Entry], ...]

    def __reduce__(self) -> tuple[Any, ...]:
        # Plain tuples take a third of the time, and a node hands over a hundred thousand.
        plain = [(name, *pid, stamp) for name, (pid, stamp) in self.entries]
        return _holdings, (plain,)


def _holdings(plain: list[tuple[Hashable, str, int, int, int]]) -> Holdings:
    return Holdings(
        tuple(
            (name, Entry(Pid(node, serial, creation), stamp))
            for name, node, serial, creation, stamp in plain
        )
    )


Message: TypeAlias = Claim | Claimed | Release | Releases | Holdings


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
        # The names of each node that is up; one that goes down takes all of its own at once.
        self._own: dict[Hashable, Entry] = {}
        self._by_node: dict[str, dict[Hashable, Entry]] = {node: self._own}
        self._lost: list[dict[Hashable, Entry]] = []
        self._waiting: dict[Hashable, set[str]] = {}
        self._held: dict[Pid, dict[Hashable, None]] = {}

    @property
    def _up(self) -> list[str]:
        return [node for node in self._by_node if node != self._node]

    def find(self, name: Hashable) -> Pid | None:
        """The owner of a name."""
        owner = self._owner(name)
        return owner.pid if owner else None

    def names(self) -> dict[Hashable, Pid]:
        """All names with their owners."""
        found: dict[Hashable, Entry] = {}
        for entries in self._by_node.values():
            for name, entry in entries.items():
                other = found.get(name)
                if other is None or entry.rank < other.rank:
                    found[name] = entry
        return {name: entry.pid for name, entry in found.items()}

    def counts(self) -> dict[str, int]:
        """How many names each node has."""
        return {node: len(entries) for node, entries in self._by_node.items()}

    def held(self, pid: Pid) -> list[Hashable]:
        """The names that a process of this node has or has claimed."""
        return list(self._held.get(pid, ()))

    def register(self, name: Hashable, pid: Pid, stamp: int) -> Iterator[Command]:
        """A process of this node wants the name."""
        owner = self._owner(name)
        if owner is not None:
            yield Refused(name, pid, owner.pid)
            return
        entry = self._own[name] = Entry(pid, stamp)
        self._held.setdefault(pid, {})[name] = None
        self._waiting[name] = set(self._up)
        for node in self._up:
            yield Tell(node, Claim(name, entry))
        yield from self._grant(name)

    def release(self, name: Hashable, pid: Pid) -> Iterator[Command]:
        """A process of this node gives the name up, or has ended."""
        own = self._own.get(name)
        if own is not None and own.pid == pid:
            yield from self._drop(name, own)

    def ended(self, pid: Pid) -> Iterator[Command]:
        """A process of this node has ended: it has no names any more."""
        gone = [(name, self._own[name]) for name in self.held(pid)]
        for name, own in gone:
            self._forget(name, own)
        for node in self._up:
            for start in range(0, len(gone), PIECE):
                yield Tell(node, Releases(tuple(gone[start : start + PIECE])))

    def node_up(self, node: str) -> Iterator[Tell]:
        """A node can be reached: it gets what we have now, piece by piece."""
        self._by_node[node] = {}
        held = self._own.copy()
        claimed = {name: held.pop(name) for name in self._waiting}
        for waited in self._waiting.values():
            waited.add(node)
        return _pieces(node, held, claimed)

    def node_down(self, node: str) -> Iterator[Command]:
        """A node cannot be reached: its names are gone."""
        lost = self._by_node.pop(node, None)
        if lost:
            self._lost.append(lost)
        for waiting in self._waiting.values():
            waiting.discard(node)
        for name in list(self._waiting):
            yield from self._grant(name)

    def tidy(self) -> None:
        """Let go of some of what lost nodes had; to free all at once would hold the loop."""
        for _ in range(TIDIED if self._lost else 0):
            self._lost[-1].popitem()
            if not self._lost[-1]:
                self._lost.pop()
                break

    def receive(self, node: str, message: Message) -> Iterator[Command]:
        """A message of another node."""
        if node not in self._by_node:
            return
        match message:
            case Claim(name, entry):
                yield from self._claimed_by(node, name, entry)
            case Claimed(name, entry, owner):
                yield from self._answered(node, name, entry, owner)
            case Release(name, entry):
                self._released(node, name, entry)
            case Releases(entries):
                for name, entry in entries:
                    self._released(node, name, entry)
            case Holdings(entries):
                for name, entry in entries:
                    yield from self._held_by(node, name, entry)

    def _released(self, node: str, name: Hashable, entry: Entry) -> None:
        theirs = self._by_node[node]
        if theirs.get(name) == entry:
            del theirs[name]

    def _claimed_by(self, node: str, name: Hashable, entry: Entry) -> Iterator[Command]:
        own = self._own.get(name)
        if own is not None and (name not in self._waiting or own.rank < entry.rank):
            yield Tell(node, Claimed(name, entry, own))
            return
        if own is not None:
            yield from self._drop(name, own)
            yield Refused(name, own.pid, entry.pid)
        self._by_node[node][name] = entry
        yield Tell(node, Claimed(name, entry, None))

    def _answered(
        self, node: str, name: Hashable, entry: Entry, owner: Entry | None
    ) -> Iterator[Command]:
        if self._own.get(name) != entry or name not in self._waiting:
            return
        if owner is None:
            self._waiting[name].discard(node)
            yield from self._grant(name)
        else:
            yield from self._drop(name, entry)
            yield Refused(name, entry.pid, owner.pid)

    def _held_by(self, node: str, name: Hashable, entry: Entry) -> Iterator[Command]:
        own = self._own.get(name)
        self._by_node[node][name] = entry
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
            own = self._own.get(name)
            assert own is not None
            yield Granted(name, own.pid)

    def _drop(self, name: Hashable, own: Entry) -> Iterator[Command]:
        self._forget(name, own)
        for node in self._up:
            yield Tell(node, Release(name, own))

    def _forget(self, name: Hashable, own: Entry) -> None:
        self._waiting.pop(name, None)
        del self._own[name]
        held = self._held[own.pid]
        del held[name]
        if not held:
            del self._held[own.pid]

    def _owner(self, name: Hashable) -> Entry | None:
        found = [entry for names in self._by_node.values() if (entry := names.get(name))]
        return min(found, key=_rank) if len(found) > 1 else found[0] if found else None


def _pieces(
    node: str, held: dict[Hashable, Entry], claimed: dict[Hashable, Entry]
) -> Iterator[Tell]:
    left = iter(held.items())
    for _ in range(0, max(1, len(held)), PIECE):
        yield Tell(node, Holdings(tuple(islice(left, PIECE))))
    for name, own in claimed.items():
        yield Tell(node, Claim(name, own))


def _rank(entry: Entry) -> tuple[int, str, int]:
    return entry.rank
