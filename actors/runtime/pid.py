"""Addresses of processes: `Pid`, registered names and `Via` tuples.

Anything that takes a destination takes a `Dest`: a `Pid`, a name given to `VM.register`
(a `str`), a name on a node (`(name, node)`), or `Via(registry, key)` as in Elixir's
`{:via, Registry, {registry, key}}`; a third part is the value that a server started under this
name is registered with.
Addresses are plain values: they compare, hash and pickle.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple, TypeAlias


class Pid(NamedTuple):
    """The identity of a process: its node's name and a serial never used twice in that node.

    `creation` tells a node from its predecessors of the same name; 0 in a VM that is alone.
    """

    node: str
    serial: int
    creation: int = 0

    def __str__(self) -> str:
        return f"<{self.node}.{self.serial}>"

    def __repr__(self) -> str:
        return f"<{self.node}.{self.serial}>"


class Via(NamedTuple):
    """A name kept by a registry: `key` under the unique registry called `registry`."""

    registry: str
    key: Hashable
    value: Any = None


Dest: TypeAlias = Pid | str | Via | tuple[str, str]
