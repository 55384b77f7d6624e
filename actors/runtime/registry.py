"""`Registry`: names for processes, with unique or duplicate keys, as Elixir's `Registry`.

    child(Registry, name="rooms", keys="unique")             under a supervisor, or
    await Registry.start_link(vm, name="rooms", keys="unique")

    rooms = vm.registries["rooms"]
    rooms.register(process, "blue", {"seats": 4})            also as Via("rooms", "blue")
    SEATS, ROOM = variables("seats room")
    rooms.select(Clause((ROOM, ANY, {"seats": SEATS}), SEATS > 3, give=ROOM))      ["blue"]

Such a table lives as long as its process (`aybiza.actors.runtime.registry_server`). One that is
made by hand and put into `vm.registries` belongs to the VM and outlives every actor.

Entries of a process go in the very moment it dies: its name can be taken again at once, and a
look-up never finds the dead. An entry comes and goes in constant time. Keys and values compare
strictly, as in Erlang: `1` and `1.0` differ, at every depth. Patterns and guards are those of
`aybiza.actors.runtime.patterns`.

Listeners are told of `register` by `Registered`, of `unregister` by `Unregistered` (whether or not
there was anything), of `unregister_match` if nothing is left under the key; of deaths and updates
they are not told.

Errors: `NameTaken` when a unique key belongs to a living process (the same one included),
`ValueError` for illegal options, for `update_value` and names on duplicate keys; `UnknownName` for
a listener's name that nobody has, when the work is done and the other listeners are told;
`TypeError` for a key that does not hash; `CallExit(NOPROC)` for a dead process.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from aybiza.actors.runtime import registry_server
from aybiza.actors.runtime.errors import PROGRAM_ENDS, CallExit, NameTaken, UnknownName
from aybiza.actors.runtime.holdings import Holding, hold, let_go
from aybiza.actors.runtime.patterns import NOTHING, Clause, counted, first
from aybiza.actors.runtime.pid import Dest, Pid
from aybiza.actors.runtime.process import Process
from aybiza.actors.runtime.reasons import NOPROC
from aybiza.actors.runtime.terms import strict

if TYPE_CHECKING:
    from aybiza.actors.runtime.vm import VM

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
    """To listeners: `pid` has given `key` up, and has nothing under it now."""

    registry: str
    key: Hashable
    pid: Pid


class _Row(NamedTuple):
    """One registration; `serial` says which of two is the older."""

    serial: int
    pid: Pid
    value: Any


class _Held(Holding):
    """What a process has under one key of a registry: never without a row."""

    __slots__ = ("bucket", "entry_key", "process", "rows", "table")

    def __init__(
        self, table: Registry, key: Hashable, entry_key: Hashable, bucket: _Bucket
    ) -> None:
        super().__init__(table.name, key)
        self.table = table
        self.entry_key = entry_key
        # The way out of the table asks no key what it equals: keys may be anybody's objects.
        self.bucket = bucket
        self.rows: list[_Row] = []

    def release(self, process: Process) -> None:
        self.table._strike(process, self)


class _Kept(Holding):
    """The registry that a process keeps."""

    __slots__ = ("table",)
    named = False

    def __init__(self, table: Registry) -> None:
        super().__init__()
        self.table = table

    def release(self, process: Process) -> None:
        registries = process.vm.registries
        if registries.get(self.table.name) is self.table:
            del registries[self.table.name]
        self.table.disband()


_Bucket: TypeAlias = dict[Process, _Held]


def _nothing(_: Process) -> None:
    pass


class Registry:
    """See the module. `name` is the first part of `Via(name, key)`."""

    def __init__(
        self,
        name: str,
        keys: Keys = "unique",
        listeners: Sequence[Dest] = (),
        *,
        meta: Mapping[Hashable, Any] | None = None,
        partitions: int = 1,
    ) -> None:
        """`meta` is metadata to begin with. `partitions` is there for what comes from Elixir: one
        loop has no use for more than one table. Raises `ValueError` for what cannot be."""
        _check(name, keys, listeners, meta, partitions)
        self.name = name
        self.keys: Keys = keys
        self.listeners = tuple(listeners)
        self._table: dict[Hashable, _Bucket] = {}
        self._owners: dict[Process, int] = {}
        self._meta: dict[Hashable, Any] = {
            strict(key): value for key, value in (meta or {}).items()
        }
        self._serials = itertools.count()
        self._entered: Callable[[Process], None] = _nothing
        self._left: Callable[[Process], None] = _nothing
        self._count = 0

    @staticmethod
    async def start_link(vm: VM, **options: Any) -> Pid:
        """Start a process with a registry of these options, linked to the caller; its pid.

        Raises `StartError(("already_started", pid))` if it is there, and what the class raises.
        """
        return await registry_server.start_link(vm, Registry(**options))

    # What a process does with its entries

    def register(self, process: Process, key: Hashable, value: Any = None) -> None:
        """Enter `process` under `key` with `value`."""
        if not process.alive:
            raise CallExit(NOPROC, process.pid)
        entry_key = strict(key)
        bucket = self._table.get(entry_key)
        if bucket is None:
            bucket = self._table[entry_key] = {}
        elif bucket and self.keys == "unique":
            raise NameTaken(key, next(iter(bucket)).pid)
        held = bucket.get(process)
        if held is None:
            held = bucket[process] = _Held(self, key, entry_key, bucket)
            hold(process, held)
            keys = self._owners[process] = self._owners.get(process, 0) + 1
            if keys == 1:
                self._entered(process)
        held.rows.append(_Row(next(self._serials), process.pid, value))
        self._count += 1
        self._tell(process, Registered(self.name, key, process.pid, value))

    def unregister(self, process: Process, key: Hashable) -> None:
        """Remove what `process` has under `key`; another's entries stay."""
        held = self._find(process, key)
        if held is not None:
            self._give_up(process, held)
        self._tell(process, Unregistered(self.name, key, process.pid))

    def unregister_match(self, process: Process, key: Hashable, pattern: Any, *guards: Any) -> None:
        """Remove the entries of `process` under `key` whose value fits `pattern` and `guards`."""
        clause = Clause(pattern, *guards)
        held = self._find(process, key)
        if held is not None:
            left = [row for row in held.rows if not clause.accepts(row.value)]
            if left:
                self._count -= len(held.rows) - len(left)
                held.rows[:] = left
                return
            self._give_up(process, held)
        self._tell(process, Unregistered(self.name, key, process.pid))

    def update_value(
        self, process: Process, key: Hashable, function: Callable[[Any], Any]
    ) -> tuple[Any, Any] | None:
        """Put `function(value)` in place of the owner's value; (new, old), or None to others.

        What `function` raises goes to the caller, and the value stays.
        """
        if self.keys == "duplicate":
            raise ValueError("update_value is for registries with unique keys")
        held = self._find(process, key)
        if held is None:
            return None
        row = held.rows[0]
        new = function(row.value)
        held.rows[0] = row._replace(value=new)
        return new, row.value

    def keys_of(self, process: Process) -> list[Hashable]:
        """The keys of `process`, one for each of its entries, oldest first."""
        found = [
            (row.serial, held.key)
            for held in process.held or ()
            if isinstance(held, _Held) and held.table is self
            for row in held.rows
        ]
        return [key for _, key in sorted(found, key=itemgetter(0))]

    def values(self, process: Process, key: Hashable) -> list[Any]:
        """The values of `process` under `key`, oldest first."""
        held = self._find(process, key)
        return [row.value for row in held.rows] if held else []

    # What anybody asks

    def find(self, key: Hashable) -> Process | None:
        """The process that has the unique `key`."""
        if self.keys != "unique":
            raise ValueError(f"{self.name!r} has duplicate keys: they name no single process")
        bucket = self._table.get(strict(key))
        return next(iter(bucket)) if bucket else None

    def lookup(self, key: Hashable) -> list[Entry]:
        """All entries under `key`, oldest first."""
        return [Entry(row.pid, row.value) for row in self._rows(strict(key))]

    def match(self, key: Hashable, pattern: Any, *guards: Any) -> list[Entry]:
        """The entries under `key` whose value fits `pattern` and `guards`, oldest first."""
        clause = Clause(pattern, *guards)
        rows = self._rows(strict(key))
        return [Entry(row.pid, row.value) for row in rows if clause.accepts(row.value)]

    def count_match(self, key: Hashable, pattern: Any, *guards: Any) -> int:
        """How many entries `match` finds."""
        return len(self.match(key, pattern, *guards))

    def select(self, *clauses: Clause) -> list[Any]:
        """What the first clause that fits gives for each entry `(key, pid, value)`."""
        _check_clauses(clauses)
        found = (first(clauses, entry) for entry in self._entries(clauses))
        return [given for given in found if given is not NOTHING]

    def count_select(self, *clauses: Clause) -> int:
        """How many entries fit a clause; where it has a `give`, only those for which that is
        True."""
        _check_clauses(clauses)
        return sum(counted(clauses, entry) for entry in self._entries(clauses))

    def dispatch(self, key: Hashable, act: Callable[[list[Entry]], None]) -> None:
        """Call `act` with the entries under `key`, unless there are none. It raises what `act`
        raises."""
        entries = self.lookup(key)
        if entries:
            act(entries)

    def some_keys(self, limit: int) -> list[Hashable]:
        """At most `limit` of the keys."""
        buckets = itertools.islice(self._table.values(), limit)
        return [held.key for bucket in buckets for held in itertools.islice(bucket.values(), 1)]

    def count(self) -> int:
        """The number of entries."""
        return self._count

    def statistics(self) -> RegistryStatistics:
        """How much it holds."""
        keys = sum(1 for bucket in self._table.values() if bucket)
        return RegistryStatistics(keys, self._count, len(self._owners), len(self.listeners))

    def put_meta(self, key: Hashable, value: Any) -> None:
        """Keep `value` with the registry itself."""
        self._meta[strict(key)] = value

    def meta(self, key: Hashable, default: Any = None) -> Any:
        """What `put_meta` kept."""
        return self._meta.get(strict(key), default)

    def delete_meta(self, key: Hashable) -> None:
        """Forget what `put_meta` kept, if anything."""
        self._meta.pop(strict(key), None)

    # Means

    def belong_to(
        self,
        owner: Process,
        entered: Callable[[Process], None] = _nothing,
        left: Callable[[Process], None] = _nothing,
    ) -> None:
        """Stand in the VM's registries until `owner` ends.

        `entered` is called with a process that has its first entry, `left` with a living one that
        has none any more.
        """
        self._entered, self._left = entered, left
        owner.vm.registries[self.name] = self
        hold(owner, _Kept(self))

    def disband(self) -> None:
        """Take the entries of all processes away; nobody is told."""
        for bucket in list(self._table.values()):
            for process, held in list(bucket.items()):
                self._strike(process, held)
                let_go(process, held)

    def _find(self, process: Process, key: Hashable) -> _Held | None:
        bucket = self._table.get(strict(key))
        return bucket.get(process) if bucket else None

    def _rows(self, entry_key: Hashable) -> list[_Row]:
        bucket = self._table.get(entry_key) or {}
        return sorted((row for held in bucket.values() for row in held.rows), key=itemgetter(0))

    def _entries(self, clauses: Sequence[Clause]) -> Iterator[tuple[Hashable, Pid, Any]]:
        """The entries that may fit: those of one key if every clause names it."""
        named = list(dict.fromkeys(clause.fixed(0) for clause in clauses))
        chosen = list(self._table) if None in named else named
        for entry_key in chosen:
            if bucket := self._table.get(entry_key):
                key = next(iter(bucket.values())).key
                for row in self._rows(entry_key):
                    yield key, row.pid, row.value

    def _give_up(self, process: Process, held: _Held) -> None:
        let_go(process, held)
        self._strike(process, held)
        if process not in self._owners:
            self._left(process)

    def _strike(self, process: Process, held: _Held) -> None:
        bucket, owners = held.bucket, self._owners
        bucket.pop(process, None)
        self._count -= len(held.rows)
        if owners[process] == 1:
            del owners[process]
        else:
            owners[process] -= 1
        if not bucket:
            try:
                if self._table.get(held.entry_key) is held.bucket:
                    del self._table[held.entry_key]
            except PROGRAM_ENDS:
                raise
            except BaseException:
                # A key that cannot be compared is found by nobody either.
                pass

    def _tell(self, process: Process, message: Registered | Unregistered) -> None:
        vm = process.vm
        unknown = None
        for listener in self.listeners:
            try:
                vm.send(listener, message)
            except UnknownName as nobody:
                unknown = unknown or nobody
            except PROGRAM_ENDS:
                raise
            except BaseException as failure:
                # A listener that cannot take it is no fault of who registers.
                vm.report("listener_not_told", listener=listener, exception=failure)
        if unknown:
            raise unknown


def _check(name: Any, keys: Any, listeners: Any, meta: Any, partitions: Any) -> None:
    if not isinstance(name, str):
        raise ValueError(f"a registry's name is a text, not {name!r}")
    if keys not in ("unique", "duplicate"):
        raise ValueError(f'keys are "unique" or "duplicate", not {keys!r}')
    if isinstance(listeners, str) or not isinstance(listeners, Sequence):
        raise ValueError(f"listeners are a list of destinations, not {listeners!r}")
    if meta is not None and not isinstance(meta, Mapping):
        raise ValueError(f"meta is a mapping, not {meta!r}")
    if type(partitions) is not int or partitions < 1:
        raise ValueError(f"partitions are at least 1, not {partitions!r}")


def _check_clauses(clauses: Sequence[Any]) -> None:
    for clause in clauses:
        if not isinstance(clause, Clause):
            raise ValueError(f"{clause!r} is no Clause: write Clause((key, pid, value), …)")
        if type(clause.pattern) is not tuple or len(clause.pattern) != 3:
            raise ValueError(f"an entry is (key, pid, value); {clause.pattern!r} fits none")
