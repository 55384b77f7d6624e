"""`Directory`: which processes live, under which names, and who lives elsewhere.

Everything that takes a `Dest` asks it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Mapping
from itertools import islice
from typing import Any, NamedTuple, Protocol

from aybiza.actors.runtime.errors import (
    PROGRAM_ENDS,
    UNSET,
    CallExit,
    ExitError,
    NameTaken,
    UnknownName,
)
from aybiza.actors.runtime.holdings import Holding, hold, let_go
from aybiza.actors.runtime.pid import Dest, Pid, Via
from aybiza.actors.runtime.process import Process, current_process
from aybiza.actors.runtime.reasons import NOPROC
from aybiza.actors.runtime.remote import Place, Remote
from aybiza.actors.runtime.teaching import at, callers_line, names_like, no_address, nobody_at


class Names(Protocol):
    """What keeps the names of a `Via`: a `Registry`."""

    def find(self, key: Hashable) -> Process | None:
        """Who is registered under `key`."""

    def register(self, process: Process, key: Hashable, value: Any) -> None:
        """Enter `process` under `key` with `value`."""


class Elsewhere(NamedTuple):
    """Where a process of another node is, and who carries things there."""

    remote: Remote
    place: Place


class Directory:
    """See the module. `node` is the name in its pids, `registries` are the tables that `Via` names
    refer to; `remote` knows the processes of other nodes."""

    def __init__(self, node: str, registries: Mapping[str, Names]) -> None:
        self.node = node
        self.registries = registries
        self.remote: Remote | None = None
        self._processes: dict[int, Process] = {}
        self._names: dict[Hashable, _Name] = {}

    def processes(self) -> list[Pid]:
        """All living processes, oldest first."""
        return [process.pid for process in self._processes.values()]

    def statistics(self) -> dict[str, int]:
        """`processes`: how many live; `mailbox_messages`: how many messages wait in all mailboxes;
        `mailbox_longest`: how many of them in the fullest."""
        lengths = [process.mailbox_length for process in self._processes.values()]
        return {
            "processes": len(lengths),
            "mailbox_messages": sum(lengths),
            "mailbox_longest": max(lengths, default=0),
        }

    def count_processes(self, label: str) -> int:
        """How many living processes are called `label`: as a rule the name of their class."""
        return sum(process.label == label for process in self._processes.values())

    def alive(self, dest: Dest) -> bool:
        """Whether a process lives at `dest`."""
        return self.find(dest) is not None

    def find(self, dest: Dest) -> Process | None:
        """The living process at `dest`."""
        kind = type(dest)
        if kind is Pid:
            process = self._processes.get(dest.serial)  # type: ignore[union-attr]
            # A pid that is handed around in a VM is mostly the process's own.
            if process is None or process.pid is dest or process.pid == dest:
                return process
            return None
        if kind is Via:
            registry = self.registries.get(dest.registry)  # type: ignore[union-attr]
            if registry is not None:
                return registry.find(dest.key)  # type: ignore[union-attr]
        elif kind is tuple and len(dest) == 2 and dest[1] == self.node:
            held = self._names.get(dest[0])
            return held.process if held is not None else None
        else:
            try:
                held = self._names.get(dest)
            except TypeError:
                raise TypeError(f"{no_address(dest)}{at(callers_line())}") from None
            if held is not None:
                return held.process
        return None if self.remote is None else self.remote.find(dest)

    def elsewhere(self, dest: Dest) -> Elsewhere | None:
        """Where on another node `dest` is; None for all that is of this node, or nowhere."""
        remote = self.remote
        if remote is None or (place := remote.place(dest)) is None:
            return None
        return Elsewhere(remote, place)

    def nodes(self) -> list[str]:
        """`Node.list`: the other nodes that can be reached now, none in a VM that is alone."""
        return [] if self.remote is None else self.remote.nodes()

    def monitor_nodes(self, on: bool = True) -> None:
        """Have the calling process told by `NodeUp` and `NodeDown` messages, or no longer."""
        process = calling_process("monitor_nodes")
        if self.remote is not None:
            self.remote.monitor_nodes(process, on)

    def enter(self, process: Process) -> None:
        """`process` has come into being."""
        self._processes[process.pid.serial] = process

    def names(self, limit: int) -> list[str]:
        """At most `limit` of the names that `register` has given."""
        return [str(name) for name in islice(self._names, limit)]

    def advice_on(self, dest: Any) -> Callable[[], str]:
        """Says who is meant where nobody lives at `dest`; it does not keep this VM alive."""
        here = weakref.ref(self)
        return lambda: nobody_at(here(), dest)

    def refuse(self, dest: Any) -> None:
        """Raise for what was sent to nobody, unless it may have been somebody: `UnknownName` for a
        name, `TypeError` for what is no destination."""
        if isinstance(dest, str):
            here = weakref.ref(self)
            raise UnknownName(dest, lambda: names_like(here(), dest))
        if not isinstance(dest, tuple):
            raise TypeError(f"{no_address(dest)}{at(callers_line())}")

    def register(self, name: str, dest: Dest | None = None) -> None:
        """Give the process at `dest` (the calling one) a name; it may have one.

        Raises `NameTaken`, `ValueError` if the process has a name already, `CallExit` if there is
        none, `TypeError` for a name that is no string.
        """
        _check_string(name)
        process = calling_process("register") if dest is None else self.find(dest)
        if process is None:
            raise CallExit(NOPROC, dest, advice=self.advice_on(dest))
        owner = self._names.get(name)
        if owner is not None:
            raise NameTaken(name, owner.process.pid)
        for other in process.held or ():
            if type(other) is _Name:
                raise ValueError(
                    f"{process.pid} is registered as {other.key!r}; a process has one such name, "
                    f"and in a Registry as many as it likes"
                )
        self._names[name] = held = _Name(self._names, name, process)
        hold(process, held)

    def check_name(self, name: str | Via | None) -> None:
        """Raise `LookupError` for a name that nobody keeps, `TypeError` for what is none."""
        shared = self.remote is not None and self.remote.shares(name)
        if isinstance(name, Via) and not shared and name.registry not in self.registries:
            raise LookupError(f"no registry is called {name.registry!r}")
        if name is not None and not shared and not isinstance(name, Via):
            _check_string(name)

    def give(self, name: str | Via, process: Process) -> None:
        """Give a process that is being started its name."""
        if isinstance(name, Via):
            self.registries[name.registry].register(process, name.key, name.value)
        else:
            self.register(name, process.pid)

    def own(self, process: Process, registry: str | None, key: Hashable) -> None:
        """Remember that `process` has a name, which is shown as one of `registry`."""
        hold(process, Holding(registry, key))

    def unregister(self, name: str) -> None:
        """Free a name given by `register`; raises `UnknownName`."""
        held = self._names.pop(name, None)
        if held is None:
            raise UnknownName(name)
        let_go(held.process, held)

    def whereis(self, dest: Dest) -> Pid | None:
        """The pid that a name stands for now; of a name of the cluster, on whichever node."""
        process = self.find(dest)
        if process is not None:
            return process.pid
        remote = self.remote
        if type(dest) is Via and remote is not None and remote.shares(dest):
            return remote.whereis(dest.key)
        return None

    def name_of(self, process: Process) -> str | None:
        """The name that a process has had longest, for people."""
        for _, key in process.names:
            try:
                return ":".join(map(str, key)) if isinstance(key, tuple) else str(key)
            except PROGRAM_ENDS:
                raise
            except BaseException as failure:
                return f"<not shown: its text raises {type(failure).__name__}>"
        return None

    def forget(self, process: Process) -> list[tuple[Callable[..., None], BaseException]]:
        """`process` is dead: strike it and what it holds out. What failed on the way, and how."""
        del self._processes[process.pid.serial]
        if process.held is None:
            return []
        failed: list[tuple[Callable[..., None], BaseException]] = []
        for holding in tuple(process.held):
            try:
                holding.release(process)
            except PROGRAM_ENDS:
                raise
            except BaseException as failure:
                failed.append((type(holding).release, failure))
        return failed


class _Name(Holding):
    """A name given by `register`, and who has it."""

    __slots__ = ("process", "taken")

    def __init__(self, taken: dict[Hashable, _Name], name: str, process: Process) -> None:
        super().__init__(None, name)
        self.taken = taken
        self.process = process

    def release(self, process: Process) -> None:
        self.taken.pop(self.key, None)


def _check_string(name: Any) -> None:
    if not isinstance(name, str):
        raise TypeError(f"a process is registered under a string, not {name!r}")


def calling_process(action: str) -> Process:
    """The process that runs this code; `RuntimeError` if it is none, so that it cannot `action`."""
    process = current_process.get()
    if process is None:
        raise RuntimeError(
            f"{action} is for processes: call it in a callback, or in a function that vm.spawn or "
            f"a Task runs{at(callers_line())}"
        )
    if not process.alive:
        raise ExitError(NOPROC if process.exiting is UNSET else process.exiting)
    return process
