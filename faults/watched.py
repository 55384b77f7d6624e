"""A VM whose every message, start, exit and callback can be seen, and interfered with.

`WatchedVM` is a VM to those in it. It tells its `Watcher`, and asks it before a message reaches a
mailbox and before a callback runs. It starts no thread, and writes its crash reports into the
trace. Nothing of this is in `VM` itself, so a node without a plan pays nothing for it.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any

from aybiza.actors.runtime.crash_report import Reporter
from aybiza.actors.runtime.gen_server import GenServer
from aybiza.actors.runtime.pid import Pid, Via
from aybiza.actors.runtime.process import Process, current_process
from aybiza.actors.runtime.reasons import Reason
from aybiza.actors.runtime.starting import Startable
from aybiza.actors.runtime.vm import INIT_TIMEOUT, VM
from aybiza.faults.trace import Trace, called, reason_text


class Watcher:
    """Sees everything and changes nothing; plans override what they need.

    `callbacks`: whether `entering` and `left` are wanted.
    """

    callbacks = False

    def delivering(self, sender: Process | None, to: Process, message: Any) -> bool:
        """A message is about to reach the mailbox of `to`; False keeps it from there."""
        return True

    def entering(self, process: Process, callback: str, message: Any) -> Awaitable[None] | None:
        """A callback is about to run: raise to have it crash, return what is awaited first."""
        return None

    def left(self, process: Process, callback: str) -> None:
        """A callback has returned."""

    def started(self, process: Process) -> None:
        """A process has been made."""

    def ended(self, process: Process, reason: Reason) -> None:
        """A process is over."""


class WatchedProcess(Process):
    """A process that asks the watcher of its VM."""

    __slots__ = ()

    def deliver(self, message: Any) -> None:
        """As `Process.deliver`, if the watcher lets it."""
        vm = self.vm
        assert isinstance(vm, WatchedVM)
        if vm.held is not None:
            vm.held.append((self, message))
            return
        sender = current_process.get()
        if vm.watcher.delivering(sender, self, message):
            vm.trace.sent(sender, self, message)
            super().deliver(message)

    def arrive(self, message: Any) -> None:
        """As `deliver`, without asking: what was kept back comes now."""
        vm = self.vm
        assert isinstance(vm, WatchedVM)
        if self.alive:
            vm.trace.sent(None, self, message)
            super().deliver(message)


class WatchedVM(VM):
    """See the module."""

    process_type = WatchedProcess
    prefix = ""
    """What the names of its processes begin with in the trace."""
    held: list[tuple[WatchedProcess, Any]] | None = None
    """While the node is frozen: what comes to its mailboxes."""

    def __init__(self, node: str, trace: Trace, watcher: Watcher | None = None, **more: Any):
        self.trace = trace
        super().__init__(node, block_warning_ms=None, **more)
        self.watcher = watcher or Watcher()
        self.replaced: list[tuple[float, Pid]] = []
        """When a supervisor started a successor, and its pid."""
        self.observers.append(self._ended)
        self.restart_observers.append(self._restarted)

    def _new_reporter(self, *, values: bool) -> Reporter:
        return _TraceReporter(self.trace)

    def spawn_process(self, body: Any, *, label: str, link: bool = False) -> Process:
        process = super().spawn_process(body, label=label, link=link)
        self.trace.note("start", called(process))
        self.watcher.started(process)
        return process

    async def start(
        self,
        server: type[Startable],
        *args: Any,
        name: str | Via | None = None,
        link: bool = False,
        timeout: float | None = INIT_TIMEOUT,
        **kwargs: Any,
    ) -> Pid | None:
        asked: Any = server
        kind = watched(asked) if self.watcher.callbacks else server
        return await super().start(kind, *args, name=name, link=link, timeout=timeout, **kwargs)

    def _ended(self, process: Process, reason: Reason) -> None:
        self.trace.note("exit", called(process), reason_text(reason))
        self.watcher.ended(process, reason)

    def _restarted(self, process: Process) -> None:
        self.replaced.append((self.now(), process.pid))
        self.trace.note("restart", called(process))


class _TraceReporter(Reporter):
    """Crash reports and warnings of the runtime, in the trace."""

    def __init__(self, trace: Trace) -> None:
        super().__init__()
        self._trace = trace

    def start(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """There is no thread."""

    def stop(self) -> None:
        """There is no thread."""

    def _put(self, level: str, event: str, fields: dict[str, Any]) -> None:
        if event != "process_crashed":
            self._trace.note("report", str(fields.get("server", "world")), event)


@functools.cache
def watched(server: type[GenServer]) -> type[GenServer]:
    """`server` with callbacks that ask the watcher, under the same name; `watches` leads back."""
    names = ("handle_call", "handle_cast", "handle_info", "handle_continue")
    members: dict[str, Any] = {name: _asking(name, getattr(server, name)) for name in names}
    members |= {"__module__": server.__module__, "__qualname__": server.__qualname__}
    members |= {"__doc__": server.__doc__, "watches": server}
    return type(server.__name__, (server,), members)


def _asking(name: str, callback: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def asking(self: GenServer, message: Any, *more: Any) -> Any:
        process = self._process
        vm = process.vm
        assert isinstance(vm, WatchedVM)
        watcher = vm.watcher
        first = watcher.entering(process, name, message)
        if first is not None:
            await first
        result = await callback(self, message, *more)
        watcher.left(process, name)
        return result

    asking.__name__ = name
    return asking
