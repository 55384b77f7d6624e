"""`Addresses`: where what a destination means is, for the VM of a node in a cluster.

A pid says its node, `(name, node)` does; who has a cluster-wide name the names of the cluster tell;
what else the carrier knows is a Thespian actor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from aybiza.actors.cluster.carrier import Carrier
from aybiza.actors.cluster.membership import Membership
from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.process import Process
from aybiza.actors.runtime.vm import VM


class Place(NamedTuple):
    """A process on another node, or (without a node) a Thespian actor."""

    node: str | None
    dest: Any


class Addresses:
    """See the module. `owner` says who has the name that a cluster-wide address stands for."""

    def __init__(
        self,
        vm: VM,
        carrier: Carrier,
        members: Membership,
        owner: Callable[[Any], Pid | None],
    ) -> None:
        self._vm = vm
        self._carrier = carrier
        self._members = members
        self._owner = owner

    def find(self, dest: Any) -> Process | None:
        """The local process that a cluster-wide address stands for."""
        if type(dest) is tuple:
            return self._vm.find(dest[0]) if self._names_here(dest) else None
        pid = self._owner(dest)
        return self._vm.find(pid) if pid is not None and pid.node == self._vm.node else None

    def place(self, dest: Any) -> Place | None:
        """Where `dest` is, if it is not here."""
        kind = type(dest)
        if kind is Pid:
            return Place(dest.node, dest) if dest.node != self._vm.node else None
        if kind is tuple:
            here = len(dest) != 2 or self._names_here(dest)
            return None if here else Place(dest[1], dest[0])
        pid = self._owner(dest)
        if pid is not None:
            return Place(pid.node, pid) if pid.node != self._vm.node else None
        return Place(None, dest) if self._carrier.is_actor(dest) else None

    def reaches(self, place: Place) -> bool:
        """Whether something can be sent there."""
        return place.node is None or self._members.peer(place.node) is not None

    def _names_here(self, dest: tuple[Any, ...]) -> bool:
        return len(dest) == 2 and dest[1] == self._vm.node


def node_of(place: Place) -> str:
    """The node there; `TypeError` for a Thespian actor."""
    if place.node is None:
        raise TypeError(f"{place.dest} is a Thespian actor: it can be sent messages only")
    return place.node


def pid_of(place: Place) -> Pid:
    """The pid there; `TypeError` for a name."""
    if type(place.dest) is not Pid:
        raise TypeError(f"a link to another node needs a pid, not {place.dest!r}")
    return place.dest
