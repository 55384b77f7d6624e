"""A process: a mailbox and the task that reads it.

Made by `VM.spawn` and `VM.start`; everybody else knows it by its `Pid`. The body of a process
is a coroutine function that is given the process; it reads messages with `receive`, in the
order of their arrival. Its return ends the process with `NORMAL`, what it raises with the
reason of that error; an error that it returns counts as raised.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Hashable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeAlias

from aybiza.actors.runtime.errors import CRASHES, UNSET, own_traceback, reason_of
from aybiza.actors.runtime.messages import Exit, From
from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.reasons import NORMAL, SHUTDOWN, Reason

if TYPE_CHECKING:
    from aybiza.actors.runtime.holdings import Holding
    from aybiza.actors.runtime.starting import Starting
    from aybiza.actors.runtime.vm import VM

Body: TypeAlias = Callable[["Process"], Coroutine[Any, Any, BaseException | None]]

current_process: ContextVar[Process | None] = ContextVar("current_process", default=None)

# A process whose mailbox never empties hands the loop back after this many messages, so that
# its neighbours run: the runtime's reductions.
MESSAGES_A_SLICE = 64

# An ended process whose code swallows the cancellation is cancelled again at this interval,
# this many times, and then left behind.
INSIST_SECONDS = 0.1
INSIST_TIMES = 10


class Process:
    """See the module. All fields belong to the runtime; actors use `GenServer`'s methods."""

    __slots__ = (
        "alive",
        "callers",
        "exiting",
        "held",
        "insisting",
        "label",
        "last_message",
        "links",
        "mailbox",
        "monitoring",
        "monitors",
        "parent",
        "pid",
        "reductions",
        "server",
        "starting",
        "suspended",
        "task",
        "trap_exit",
        "vm",
        "waiter",
    )

    def __init__(self, vm: VM, pid: Pid, label: str, parent: Pid | None) -> None:
        self.vm = vm
        self.pid = pid
        self.label = label
        self.parent = parent
        self.mailbox: deque[Any] = deque()
        self.waiter: asyncio.Future[None] | None = None
        self.task: asyncio.Task[None] | None = None
        self.alive = True
        self.trap_exit = False
        self.suspended = False
        self.exiting: Reason = UNSET
        self.insisting: asyncio.TimerHandle | None = None
        self.reductions = 0
        self.server: Any = None
        self.starting: Starting | None = None
        self.last_message: Any = None
        self.links: dict[Process, None] | None = None
        self.monitors: dict[int, Process] | None = None
        self.monitoring: dict[int, Process] | None = None
        self.callers: dict[From, None] | None = None
        self.held: dict[Holding, None] | None = None

    def __repr__(self) -> str:
        return f"<Process {self.pid} {self.label}>"

    @property
    def names(self) -> list[tuple[str | None, Hashable]]:
        """Its names, oldest first, each with the registry that it stands in."""
        return [(each.registry, each.key) for each in self.held or () if each.named]

    def deliver(self, message: Any) -> None:
        """Put `message` into the mailbox and wake the process."""
        mailbox = self.mailbox
        mailbox.append(message)
        waiter = self.waiter
        if waiter is not None:
            self.waiter = None
            if not waiter.done():
                waiter.set_result(None)
        elif len(mailbox) == self.vm.mailbox_alarm:
            self.vm.raise_mailbox_alarm(self)

    async def receive(self) -> Any:
        """The next message; waits for one."""
        if not self.mailbox:
            await self.wait()
        self.reductions += 1
        return self.mailbox.popleft()

    async def wait(self) -> None:
        """Return when the mailbox holds a message."""
        while not self.mailbox:
            self.waiter = waiter = self.vm.loop.create_future()
            await waiter

    def discard(self, unwanted: Callable[[Any], bool]) -> None:
        """Remove the messages for which `unwanted` says True: Erlang's flush."""
        if self.mailbox:
            kept = [message for message in self.mailbox if not unwanted(message)]
            if len(kept) != len(self.mailbox):
                self.mailbox.clear()
                self.mailbox.extend(kept)

    def add_caller(self, caller: From) -> None:
        """Have `caller` fail when this process ends, unless it is taken out of `callers`."""
        if self.callers is None:
            self.callers = {}
        self.callers[caller] = None

    def take(self, wanted: Callable[[Any], bool]) -> Any:
        """Remove the first message for which `wanted` says True, and return it; None if none is."""
        for index, message in enumerate(self.mailbox):
            if wanted(message):
                del self.mailbox[index]
                return message
        return None

    def signal(self, source: Pid | None, reason: Reason) -> None:
        """An exit signal from `source` reaches this process.

        One that is still being started ends with its starter, though it traps exits or the reason
        is `NORMAL`: nobody is left to take it.
        """
        if self.starting is not None and source is not None and source == self.parent:
            self.end(SHUTDOWN if isinstance(reason, str) and reason == NORMAL else reason)
        elif self.trap_exit:
            self.deliver(Exit(source, reason))
        elif not (isinstance(reason, str) and reason == NORMAL) or source == self.pid:
            self.end(reason)

    def end(self, reason: Reason) -> None:
        """End this process, wherever it is, with `reason`; the first reason stands."""
        if self.exiting is not UNSET or not self.alive:
            return
        self.exiting = reason
        if self.task is not None:
            self.task.cancel()
            self.insisting = self.vm.loop.call_later(INSIST_SECONDS, self._insist, INSIST_TIMES)

    def _insist(self, left: int) -> None:
        assert self.task is not None
        if left:
            self.task.cancel()
            self.insisting = self.vm.loop.call_later(INSIST_SECONDS, self._insist, left - 1)
        else:
            self.vm.abandon(self)

    async def run(self, body: Body) -> None:
        """The task of the process: its body, and what its end means."""
        try:
            error = await body(self)
        except CRASHES as raised:
            error = raised
        own_traceback(error)
        if self.exiting is not UNSET:
            self.vm.reap(self, self.exiting)
        else:
            self.vm.reap(self, reason_of(error), error, by_itself=True)
        # The frames of the traceback lead back to this one, which must not lead to the error.
        error = None

    def release(self) -> None:
        """Let go of everything a dead process still holds, so that its memory is free at once."""
        self.mailbox.clear()
        self.links = self.monitors = self.monitoring = None
        self.callers = self.held = None
        self.starting = self.server = self.last_message = self.waiter = None

    def finished(self, task: asyncio.Task[None]) -> None:
        """The task is over; a process that ended before its first step is reaped here."""
        self.task = None
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if self.alive:
            self.vm.reap(self, reason_of(error) if self.exiting is UNSET else self.exiting)
