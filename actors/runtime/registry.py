"""`Registry`: names for processes, with unique or duplicate keys, as Elixir's `Registry`.

The table belongs to the VM, not to a process, so it outlives the actor that offers it. Entries
of a process go in the very moment it dies: its name can be taken again at once, and a look-up
never finds the dead. Keys compare strictly, as in Erlang: `1` and `1.0` are different keys.

Errors: `NameTaken` when a unique key belongs to a living process (the same one included),
`ValueError` for `update_value` on duplicate keys.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Literal, NamedTuple

from actors.runtime.errors import NameTaken
from actors.runtime.pid import Pid
from actors.runtime.process import Process

Keys = Literal["unique", "duplicate"]


class Entry(NamedTuple):
    """One registration: the process and the value it registered with."""

    pid: Pid
    value: Any


class Registry:
    """See the module. `name` is the first part of `Via(name, key)`."""

    def __init__(self, name: str, keys: Keys = "unique") -> None:
        self.name = name
        self.keys: Keys = keys
        self._table: dict[Hashable, list[tuple[Process, Any]]] = {}
        self._meta: dict[Hashable, Any] = {}

    def register(self, process: Process, key: Hashable, value: Any) -> None:
        """Enter `process` under `key` with `value`."""
        strict = _strict(key)
        entries = self._table.get(strict)
        if entries and self.keys == "unique":
            raise NameTaken(key, entries[0][0].pid)
        if entries is None:
            self._table[strict] = [(process, value)]
        else:
            entries.append((process, value))
        process.vm.own(process, self.name, key)

    def unregister(self, process: Process, key: Hashable) -> None:
        """Remove what `process` has under `key`; another's entries stay."""
        self._remove(process, key, lambda _value: True)

    def unregister_match(self, process: Process, key: Hashable, value: Any) -> None:
        """Remove the entries of `process` under `key` whose value is `value`."""
        self._remove(process, key, lambda held: _same(held, value))

    def forget(self, key: Hashable, process: Process) -> None:
        """Remove a dead process's entries under `key`; for the VM."""
        strict = _strict(key)
        left = [entry for entry in self._table.get(strict, ()) if entry[0] is not process]
        if left:
            self._table[strict] = left
        else:
            self._table.pop(strict, None)

    def _remove(
        self, process: Process, key: Hashable, unwanted: Callable[[Any], bool]
    ) -> None:
        strict = _strict(key)
        left = []
        for owner, value in self._table.get(strict, ()):
            if owner is process and unwanted(value):
                if process.names:
                    process.names.remove((self.name, key))
            else:
                left.append((owner, value))
        if left:
            self._table[strict] = left
        else:
            self._table.pop(strict, None)

    def find(self, key: Hashable) -> Process | None:
        """The process that has the unique `key`."""
        entries = self._table.get(_strict(key))
        return entries[0][0] if entries and self.keys == "unique" else None

    def lookup(self, key: Hashable) -> list[Entry]:
        """All entries under `key`, oldest first."""
        return [Entry(process.pid, value) for process, value in self._table.get(_strict(key), ())]

    def match(self, key: Hashable, value: Any) -> list[Entry]:
        """The entries under `key` whose value is `value`."""
        return [entry for entry in self.lookup(key) if _same(entry.value, value)]

    def update_value(
        self, process: Process, key: Hashable, function: Callable[[Any], Any]
    ) -> tuple[Any, Any] | None:
        """Put `function(value)` in place of the owner's value; returns (new, old), None to others."""
        if self.keys == "duplicate":
            raise ValueError("update_value is for registries with unique keys")
        entries = self._table.get(_strict(key))
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
        return [value for owner, value in self._table.get(_strict(key), ()) if owner is process]

    def count(self) -> int:
        """The number of entries."""
        return sum(len(entries) for entries in self._table.values())

    def put_meta(self, key: Hashable, value: Any) -> None:
        """Keep `value` with the registry itself."""
        self._meta[key] = value

    def meta(self, key: Hashable, default: Any = None) -> Any:
        """What `put_meta` kept."""
        return self._meta.get(key, default)


def _strict(key: Hashable) -> Hashable:
    if isinstance(key, str):
        return key
    if isinstance(key, tuple):
        return tuple(map(_strict, key))
    return (type(key), key)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other
