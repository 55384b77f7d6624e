"""Addresses of processes: `Pid`, registered names and `Via` tuples.

Anything that takes a destination takes a `Dest`: a `Pid`, a name given to `VM.register`
(a `str`), a name on a node (`(name, node)`), or `Via(registry, key)` as in Elixir's
`{:via, Registry, {registry, key}}`; a third part is the value that a server started under this
name is registered with.
Addresses are plain values: they compare, hash and pickle.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final, NamedTuple, TypeAlias

DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
STARTS: Final = 36**4
"""Starts of a node that are told apart; two within so many milliseconds always are."""


class Pid(NamedTuple):
    """The identity of a process: its node's name and a serial never used twice in that node.

    `creation` tells a node from its predecessors of the same name; 0 in a VM that is alone. A pid
    prints as `<node.serial>`; its `repr`, which logs and the console show, names the start of the
    node, too: `<node.serial@k7fq>`.
    """

    node: str
    serial: int
    creation: int = 0

    @property
    def start(self) -> str:
        """A short sign of the creation, which tells a start of the node from others; "" for 0."""
        number, sign = self.creation % STARTS, ""
        while number:
            number, digit = divmod(number, len(DIGITS))
            sign = DIGITS[digit] + sign
        return sign.rjust(4, "0") if self.creation else ""

    def __str__(self) -> str:
        return f"<{self.node}.{self.serial}>"

    def __repr__(self) -> str:
        start = f"@{self.start}" if self.creation else ""
        return f"<{self.node}.{self.serial}{start}>"


class Via(NamedTuple):
    """A name kept by a registry: `key` under the unique registry called `registry`."""

    registry: str
    key: Hashable
    value: Any = None


Dest: TypeAlias = Pid | str | Via | tuple[str, str]
