"""`Directory`: which processes live, and under which names.

The part of the VM that finds people: everything that takes a `Dest` asks it.
"""

from __future__ import annotations

from collections.abc import Hashable

from aybiza.actors.runtime.errors import CallExit, ExitError, NameTaken, UnknownName
from aybiza.actors.runtime.pid import Dest, Pid, Via
from aybiza.actors.runtime.process import Process, current_process
from aybiza.actors.runtime.reasons import NOPROC
from aybiza.actors.runtime.registry import Registry, strict
from aybiza.actors.runtime.remote import Place, Remote


class Directory:
    """See the module. `registries` are the tables that `Via` names refer to; `remote` knows the
    processes of other nodes."""

    def __init__(self) -> None:
        self.registries: dict[str, Registry] = {}
        self.remote: Remote | None = None
        self._processes: dict[int, Process] = {}
        self._names: dict[Hashable, Process] = {}

    def processes(self) -> list[Pid]:
        """All living processes, oldest first."""
        return [process.pid for process in self._processes.values()]

    def statistics(self) -> dict[str, int]:
        """`processes`: how many live; `mailbox_messages`: how many messages wait in all mailboxes;
        `mailbox_longest`: how many of them in the fullest."""
        lengths = [len(process.mailbox) for process in self._processes.values()]
        return {
            "processes": len(lengths),
            "mailbox_messages": sum(lengths),
            "mailbox_longest": max(lengths, default=0),
        }

    def alive(self, dest: Dest) -> bool:
        """Whether a process lives at `dest`."""
        return self.find(dest) is not None

    def find(self, dest: Dest) -> Process | None:
        """The living process at `dest`."""
        kind = type(dest)
        if kind is Pid:
            process = self._processes.get(dest.serial)  # type: ignore[union-attr]
            return process if process is not None and process.pid == dest else None
        if kind is Via:
            registry = self.registries.get(dest.registry)  # type: ignore[union-attr]
            if registry is not None:
                return registry.find(dest.key)  # type: ignore[union-attr]
        elif (process := self._names.get(dest)) is not None:
            return process
        return None if self.remote is None else self.remote.find(dest)

    def _place(self, dest: Dest) -> Place | None:
        return None if self.remote is None else self.remote.place(dest)

    def register(self, name: str, dest: Dest | None = None) -> None:
        """Give the process at `dest` (the calling one) a name; it may have one.

        Raises `NameTaken`, `ValueError` if the process has a name already, `CallExit` if there is
        none, `TypeError` for a name that is no string.
        """
        if not isinstance(name, str):
            raise TypeError(f"a process is registered under a string, not {name!r}")
        process = calling_process("register") if dest is None else self.find(dest)
        if process is None:
            raise CallExit(NOPROC, dest)
        owner = self._names.get(name)
        if owner is not None:
            raise NameTaken(name, owner.pid)
        for registry, other in process.names or ():
            if registry is None:
                raise ValueError(
                    f"{process.pid} is registered as {other!r}; a process has one such name, "
                    f"and in a Registry as many as it likes"
                )
        self._names[name] = process
        self.own(process, None, name)

    def _check_name(self, name: str | Via | None) -> None:
        """Raise `LookupError` for a name that nobody keeps."""
        shared = self.remote is not None and self.remote.shares(name)
        if isinstance(name, Via) and not shared and name.registry not in self.registries:
            raise LookupError(f"no registry is called {name.registry!r}")

    def _take(self, name: str | Via, process: Process) -> None:
        if isinstance(name, Via):
            self.registries[name.registry].register(process, name.key, name.value)
        else:
            self.register(name, process.pid)

    def own(self, process: Process, registry: str | None, key: Hashable) -> None:
        """Remember that `process` has a name, so that the name goes when the process goes."""
        if process.names is None:
            process.names = []
        process.names.append((registry, key))

    def disown(self, process: Process, registry: str | None, key: Hashable) -> None:
        """Undo one `own`."""
        names = process.names or []
        for index, (held_by, held) in enumerate(names):
            if held_by == registry and strict(held) == strict(key):
                del names[index]
                return

    def unregister(self, name: str) -> None:
        """Free a name given by `register`; raises `UnknownName`."""
        process = self._names.pop(name, None)
        if process is None:
            raise UnknownName(name)
        self.disown(process, None, name)

    def whereis(self, dest: Dest) -> Pid | None:
        """The pid that a name stands for now."""
        process = self.find(dest)
        return process.pid if process else None

    def name_of(self, process: Process) -> str | None:
        """The registered name of a process, for people."""
        if not process.names:
            return None
        _, key = process.names[0]
        return ":".join(map(str, key)) if isinstance(key, tuple) else str(key)

    def _forget(self, process: Process) -> None:
        """`process` is dead: strike it and its names out."""
        del self._processes[process.pid.serial]
        for registry, key in process.names or ():
            if registry is None:
                self._names.pop(key, None)
            elif registry in self.registries:
                self.registries[registry].forget(key, process)


def calling_process(action: str) -> Process:
    """The process that runs this code; `RuntimeError` if it is none, so that it cannot `action`."""
    process = current_process.get()
    if process is None:
        raise RuntimeError(f"{action} is for processes: call it inside one")
    if not process.alive:
        raise ExitError(process.exiting)
    return process
