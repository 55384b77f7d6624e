"""`Holding`: what a process has in the VM, and what goes in the moment the process ends.

Names, entries of registries, tables: the process keeps them in `Process.held`, oldest first, and
the VM calls `release` of each when the process is dead and before anyone hears of it.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aybiza.actors.runtime.process import Process


class Holding:
    """One such thing. `key` under `registry` is a name of the process, for people; a holding that
    is no name has neither (`named` is False)."""

    __slots__ = ("key", "registry")
    named = True

    def __init__(self, registry: str | None = None, key: Hashable = None) -> None:
        self.registry = registry
        self.key = key

    def release(self, process: Process) -> None:
        """`process` is dead. Whatever this raises is reported and stops nothing."""


def hold(process: Process, holding: Holding) -> None:
    """Have `holding` go when `process` goes."""
    if process.held is None:
        process.held = {}
    process.held[holding] = None


def let_go(process: Process, holding: Holding) -> None:
    """Undo `hold`."""
    if process.held:
        process.held.pop(holding, None)
