"""`Registry`: names for processes, with unique or duplicate keys, as Elixir's `Registry`.

The table belongs to the VM, not to a process, so it outlives the actor that offers it. Entries
of a process go in the very moment it dies: its name can be taken again at once, and a look-up
never finds the dead. Keys and values compare strictly, as in Erlang: `1` and `1.0` differ.
Listeners are told by `Registered` and `Unregistered` messages.

Errors: `NameTaken` when a unique key belongs to a living process (the same one included),
`ValueError` for `update_value` and names on duplicate keys, `TypeError` for a key that does not
hash.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from aybiza.actors.runtime.errors import NameTaken, UnknownName
from aybiza.actors.runtime.pid import Dest, Pid
from aybiza.actors.runtime.process import Process

Keys = Literal["unique", "duplicate"]


class Entry(NamedTuple):
    """One registration: the process and the value it registered with."""

    pid: Pid
    value: Any


class RegistryStatistics(NamedTuple):
    """How many different `keys`, `entries` under them, `processes` that have them, `listeners`."""

    keys: int
    entries: int
    processes: int
    listeners: int


@dataclass(frozen=True, slots=True)
class Registered:
    """To listeners: `pid` has entered itself under `key` with `value`."""

    registry: str
    key: Hashable
    pid: Pid
    value: Any


@dataclass(frozen=True, slots=True)
class Unregistered:
    """To listeners: an entry of `pid` under `key` is gone, by its will or by its death."""

    registry: str
    key: Hashable
    pid: Pid


class Registry:
    """See the module. `name` is the first part of `Via(name, key)`."""

    def __init__(self, name: str, keys: Keys = "unique", listeners: Sequence[Dest] = ()) -> None:
        if keys not in ("unique", "duplicate"):
            raise ValueError(f'keys are "unique" or "duplicate", not {keys!r}')
        self.name = name
        self.keys: Keys = keys
        self.listeners = tuple(listeners)
        self._table: dict[Hashable, list[tuple[Process, Any]]] = {}
        self._meta: dict[Hashable, Any] = {}

    def register(self, process: Process, key: Hashable, value: Any = None) -> None:
        """Enter `process` under `key` with `value`."""
        entries = self._table.setdefault(strict(key), [])
        if entries and self.keys == "unique":
            raise NameTaken(key, entries[0][0].pid)
        entries.append((process, value))
        process.vm.own(process, self.name, key)
        self._tell(process, Registered(self.name, key, process.pid, value))

    def unregister(self, process: Process, key: Hashable) -> None:
        """Remove what `process` has under `key`; another's entries stay."""
        self._remove(process, key, lambda _value: True)

    def unregister_match(self, process: Process, key: Hashable, value: Any) -> None:
        """Remove the entries of `process` under `key` whose value is `value`."""
        wanted = strict(value)
        self._remove(process, key, lambda held: strict(held) == wanted)

    def forget(self, key: Hashable, process: Process) -> None:
        """Remove a dead process's entries under `key`; for the VM."""
        entry_key = strict(key)
        left = [entry for entry in self._table.get(entry_key, ()) if entry[0] is not process]
        self._put(entry_key, left)
        self._tell(process, Unregistered(self.name, key, process.pid))

    def find(self, key: Hashable) -> Process | None:
        """The process that has the unique `key`."""
        if self.keys != "unique":
            raise ValueError(f"{self.name!r} has duplicate keys: they name no single process")
        entries = self._table.get(strict(key))
        return entries[0][0] if entries else None

    def lookup(self, key: Hashable) -> list[Entry]:
        """All entries under `key`, oldest first."""
        return [Entry(process.pid, value) for process, value in self._table.get(strict(key), ())]

    def match(self, key: Hashable, value: Any) -> list[Entry]:
        """The entries under `key` whose value is `value`."""
        wanted = strict(value)
        return [entry for entry in self.lookup(key) if strict(entry.value) == wanted]

    def update_value(
        self, process: Process, key: Hashable, function: Callable[[Any], Any]
    ) -> tuple[Any, Any] | None:
        """Put `function(value)` in place of the owner's value; (new, old), or None to others."""
        if self.keys == "duplicate":
            raise ValueError("update_value is for registries with unique keys")
        entries = self._table.get(strict(key))
        if not entries or entries[0][0] is not process:
            return None
        old = entries[0][1]
        new = function(old)
        entries[0] = (process, new)
        return new, old

    def dispatch(self, key: Hashable, act: Callable[[list[Entry]], None]) -> None:
        """Call `act` with the entries under `key`, unless there are none."""
        entries = self.lookup(key)
        if entries:
            act(entries)

    def keys_of(self, process: Process) -> list[Hashable]:
        """The keys of `process`, one for each of its entries."""
        return [key for registry, key in process.names or () if registry == self.name]

    def values(self, process: Process, key: Hashable) -> list[Any]:
        """The values of `process` under `key`."""
        return [value for owner, value in self._table.get(strict(key), ()) if owner is process]

    def count(self) -> int:
        """The number of entries."""
        return sum(len(entries) for entries in self._table.values())

    def statistics(self) -> RegistryStatistics:
        """How much it holds."""
        owners = {process for entries in self._table.values() for process, _ in entries}
        return RegistryStatistics(len(self._table), self.count(), len(owners), len(self.listeners))

    def put_meta(self, key: Hashable, value: Any) -> None:
        """Keep `value` with the registry itself."""
        self._meta[strict(key)] = value

    def meta(self, key: Hashable, default: Any = None) -> Any:
        """What `put_meta` kept."""
        return self._meta.get(strict(key), default)

    def _remove(self, process: Process, key: Hashable, unwanted: Callable[[Any], bool]) -> None:
        entry_key = strict(key)
        left = []
        removed = 0
        for owner, value in self._table.get(entry_key, ()):
            if owner is process and unwanted(value):
                process.vm.disown(process, self.name, key)
                removed += 1
            else:
                left.append((owner, value))
        if removed:
            self._put(entry_key, left)
            self._tell(process, Unregistered(self.name, key, process.pid))

    def _put(self, entry_key: Hashable, entries: list[tuple[Process, Any]]) -> None:
        if entries:
            self._table[entry_key] = entries
        else:
            self._table.pop(entry_key, None)

    def _tell(self, process: Process, message: Registered | Unregistered) -> None:
        for listener in self.listeners:
            with contextlib.suppress(UnknownName):
                process.vm.send(listener, message)


def strict(value: Any) -> Any:
    """`value` in a form that is equal only where Erlang's `=:=` holds."""
    if type(value) is str:
        return value
    if type(value) in (tuple, list):
        return (type(value), *map(strict, value))
    return (type(value), value)
