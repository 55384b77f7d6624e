"""Hooks into a VM that runs: it becomes a `WatchedVM`, and later what it was.

    unhook = hook(vm, trace, injector, owner)

Processes, servers and the table of journals are given the classes that are watched, those that live
and those that are started meanwhile; no object is replaced. A VM without hooks runs its own code
only. The hooks go when `unhook` is called and, whatever happens, when the process `owner` ends.
Errors: `RuntimeError` for a VM that is hooked already.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aybiza.actors.memory.journals import Journals, journals
from aybiza.actors.runtime import VM, Pid, Process
from aybiza.actors.runtime.reasons import Crashed, Reason
from aybiza.faults.entries import ToldJournals
from aybiza.faults.injector import Injector
from aybiza.faults.trace import Trace, called
from aybiza.faults.watched import WatchedProcess, WatchedVM, watched

_REASON = 40


class HookedVM(WatchedVM):
    """A VM of a running node under a plan. Its trace tells no texts: they may have been said."""

    def _ended(self, process: Process, reason: Reason) -> None:
        self.trace.note("exit", called(process), reason_kind(reason))
        self.watcher.ended(process, reason)


def hook(
    vm: VM,
    trace: Trace,
    injector: Injector,
    owner: Pid,
    gone: Callable[[], None] = lambda: None,
) -> Callable[[], None]:
    """See the module; returns `unhook`, which may be called again. `gone` is called if `owner` ends
    before it."""
    if type(vm) is not VM:
        raise RuntimeError("the VM is watched already")
    table: Any = journals(vm)
    table.__class__ = ToldJournals
    table.last = {call_id: journal.last for call_id, journal in table.items()}
    table.entered = lambda call_id, entry: None
    hooked: Any = vm
    hooked.__class__ = HookedVM
    hooked.trace, hooked.watcher, hooked.replaced = trace, injector, []
    for process in _living(vm):
        process.__class__ = WatchedProcess
        if injector.callbacks:
            _watch(process.server)

    def unobserve() -> None:
        vm.observers.remove(ended)
        vm.restart_observers.remove(restarted)

    def ended(process: Process, reason: Reason) -> None:
        if isinstance(vm, HookedVM):
            vm._ended(process, reason)
            if process.pid == owner:
                injector.end()
                _unhook(vm)
                # Not now: somebody is going through the list.
                vm.loop.call_soon(unobserve)
                gone()

    def restarted(process: Process) -> None:
        if isinstance(vm, HookedVM):
            vm._restarted(process)

    def unhook() -> None:
        if isinstance(vm, HookedVM):
            _unhook(vm)
            unobserve()

    vm.observers.append(ended)
    vm.restart_observers.append(restarted)
    return unhook


def reason_kind(reason: Reason) -> str:
    """An exit reason without the texts that it may hold."""
    if isinstance(reason, Crashed):
        return f"crash {type(reason.exception).__name__}"
    return reason[:_REASON] if isinstance(reason, str) else type(reason).__name__


def _unhook(vm: VM) -> None:
    plain: Any = vm
    for process in _living(vm):
        process.__class__ = Process
        _unwatch(process.server)
    plain.__class__ = VM
    del plain.trace, plain.watcher, plain.replaced
    table: Any = journals(vm)
    if type(table) is ToldJournals:
        del table.last, table.entered
        _restore(table, Journals)


def _restore(thing: Any, kind: type) -> None:
    thing.__class__ = kind


def _living(vm: VM) -> list[Any]:
    return [process for pid in vm.processes() if (process := vm.find(pid)) is not None]


def _watch(server: Any) -> None:
    if server is not None and not hasattr(type(server), "watches"):
        kind: Any = type(server)
        server.__class__ = watched(kind)


def _unwatch(server: Any) -> None:
    # Found by a mark in the class itself: a server may have been started watched.
    if server is not None and "watches" in vars(type(server)):
        server.__class__ = type(server).watches
