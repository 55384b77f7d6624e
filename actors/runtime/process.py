"""A process: a mailbox and the task that reads it.

Made by `VM.spawn` and `VM.start`; everybody else knows it by its `Pid`. The body of a process
is a coroutine function that is given the process; it reads messages with `receive`, in the
order of their arrival. Its return ends the process with `NORMAL`, what it raises with the
reason of that error; an error that it returns counts as raised, and a body that it returns runs
next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Hashable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeAlias

from aybiza.actors.runtime.errors import UNSET, own_traceback, reason_of
from aybiza.actors.runtime.messages import Exit, From, TimedOut
from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.reasons import NORMAL, SHUTDOWN, Reason
from aybiza.actors.runtime.time_limit import seconds_of

if TYPE_CHECKING:
    from aybiza.actors.runtime.holdings import Holding
    from aybiza.actors.runtime.starting import Starting
    from aybiza.actors.runtime.vm import VM

Body: TypeAlias = "Callable[[Process], Coroutine[Any, Any, Body | BaseException | None]]"

current_process: ContextVar[Process | None] = ContextVar("current_process", default=None)

# A process whose mailbox never empties hands the loop back after this many messages, so that
# its neighbours run: the runtime's reductions.
MESSAGES_A_SLICE = 64

# An ended process whose code swallows the cancellation is cancelled again at this interval,
# this many times, and then left behind.
INSIST_SECONDS = 0.1
INSIST_TIMES = 10


class Process:
    """See the module. All fields belong to the runtime; actors use `GenServer`'s methods.

    The oldest message waits in `_first`, the others in `_others`, which is made when there are
    any: most mailboxes never hold two messages.
    """

    __slots__ = (
        "_first",
        "_others",
        "_pause_at",
        "_seen",
        "alive",
        "callers",
        "exiting",
        "held",
        "label",
        "last_message",
        "links",
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
        self._first: Any = UNSET
        self._others: deque[Any] | None = None
        self.waiter: asyncio.Future[bool] | None = None
        # 0 until the first step.
        self._pause_at = 0
        self._seen = 0
        self.task: asyncio.Task[None] | None = None
        self.alive = True
        self.trap_exit = False
        self.suspended = False
        self.exiting: Reason = UNSET
        self.reductions = 0
        self.server: Any = None
        self.starting: Starting | None = None
        self.last_message: Any = None
        # With the reason that is told there in place of the real one, if any.
        self.links: dict[Process, Reason | None] | None = None
        self.monitors: dict[int, Process] | None = None
        self.monitoring: dict[int, Process] | None = None
        self.callers: dict[From, Reason | None] | None = None
        self.held: dict[Holding, None] | None = None

    def __repr__(self) -> str:
        return f"<Process {self.pid} {self.label}>"

    @property
    def names(self) -> list[tuple[str | None, Hashable]]:
        """Its names, oldest first, each with the registry that it stands in."""
        return [(each.registry, each.key) for each in self.held or () if each.named]

    # The mailbox

    def deliver(self, message: Any) -> None:
        """Put `message` into the mailbox and wake the process."""
        if self._first is UNSET and self._others is None:
            self._first = message
        else:
            others = self._others
            if others is None:
                self._others = others = deque()
            others.append(message)
            if len(others) + (self._first is not UNSET) == self.vm.mailbox_alarm:
                self.vm.raise_mailbox_alarm(self)
        waiter = self.waiter
        if waiter is not None:
            self.waiter = None
            # It is done when its reader was cancelled.
            if not waiter.done():
                waiter.set_result(False)

    @property
    def mailbox(self) -> list[Any]:
        """The messages that wait, oldest first."""
        first = [] if self._first is UNSET else [self._first]
        return first + list(self._others or ())

    @property
    def mailbox_length(self) -> int:
        """How many messages wait."""
        return (self._first is not UNSET) + (0 if self._others is None else len(self._others))

    @property
    def idle(self) -> bool:
        """Whether it waits for a message and has none."""
        return self.waiter is not None and (self.suspended or not self.mailbox_length)

    async def receive(
        self, seconds: float | None = None, wanted: Callable[[Any], bool] | None = None
    ) -> Any:
        """The oldest message, of those that are `wanted`; waits for one.

        `TimedOut()` if none comes within `seconds`, whatever else comes.
        """
        self._seen = 0
        until = None if seconds is None else self.vm.loop.time() + seconds_of(seconds)
        while (message := self.next_message(seconds, wanted)) is UNSET:
            if await self.waiter:  # type: ignore[misc]
                return TimedOut()
            if until is not None:
                seconds = until - self.vm.loop.time()
        return message

    def next_message(
        self, seconds: float | None = None, wanted: Callable[[Any], bool] | None = None
    ) -> Any:
        """The oldest message, of those that are `wanted`, taken out of the mailbox.

        `UNSET` when there is none, and when it is the turn of others: then await `waiter`, and ask
        again unless its result is True, which means that the `seconds` are over. Everybody who
        reads a mailbox reads it so: a process that has been told to end gets no more, one that
        never waits gives way, and one that waits holds nothing of before.
        """
        if self.exiting is not UNSET:
            raise asyncio.CancelledError
        if self.reductions >= self._pause_at:
            self.give_way()
            return UNSET
        message = self._first
        if wanted is not None:
            message = self._select(wanted, self._seen)
        elif message is not UNSET:
            self._first = UNSET
        elif self._others is not None:
            message = self._take()
        if message is not UNSET:
            self.reductions += 1
            return message
        if seconds is not None and seconds <= 0:
            self.reductions += 1
            return TimedOut()
        if seconds is not None:
            seconds = seconds_of(seconds)
        self.last_message = None
        self.waiter = waiter = self.vm.loop.create_future()
        self._pause_at = self.reductions + MESSAGES_A_SLICE
        if seconds is not None:
            limit = self.vm.loop.call_later(seconds, self._wake, waiter, True)
            waiter.add_done_callback(lambda _: limit.cancel())
        return UNSET

    def give_way(self) -> None:
        """Let `waiter` be done when the others have run."""
        self._pause_at = self.reductions + MESSAGES_A_SLICE
        self.waiter = waiter = self.vm.loop.create_future()
        self.vm.loop.call_soon(self._wake, waiter, False)

    def count_step(self) -> bool:
        """Count a step that no message asks for; False when `waiter` is to be awaited before."""
        if self.exiting is not UNSET:
            raise asyncio.CancelledError
        if self.reductions >= self._pause_at:
            self.give_way()
            return False
        self.reductions += 1
        return True

    def _wake(self, waiter: asyncio.Future[bool], out_of_time: bool) -> None:
        if self.waiter is waiter:
            self.waiter = None
        if not waiter.done():
            waiter.set_result(out_of_time)

    def _take(self) -> Any:
        """The oldest message, taken out; `UNSET` if there is none."""
        message = self._first
        if message is not UNSET:
            self._first = UNSET
        elif (others := self._others) is not None:
            message = others.popleft()
            if not others:
                self._others = None
        return message

    def _select(self, wanted: Callable[[Any], bool], begin: int) -> Any:
        """The oldest message from the place `begin` on that is wanted, taken out, or `UNSET`."""
        first, others = self._first, self._others
        before = 0 if first is UNSET else 1
        if begin < before and wanted(first):
            self._first, self._seen = UNSET, 0
            return first
        if others is not None:
            start = max(0, begin - before)
            # What has arrived since the last look is near the end, where a deque is quick.
            waiting = others if not start else (others[at] for at in range(start, len(others)))
            for place, message in enumerate(waiting, start):
                if wanted(message):
                    del others[place]
                    self._others, self._seen = others or None, 0
                    return message
            before += len(others)
        self._seen = before
        return UNSET

    def discard(self, unwanted: Callable[[Any], bool]) -> None:
        """Remove the messages for which `unwanted` says True: Erlang's flush."""
        self._seen = 0
        if self._first is not UNSET and unwanted(self._first):
            self._first = UNSET
        if self._others is not None:
            others = deque(message for message in self._others if not unwanted(message))
            self._others = others or None

    def add_caller(self, caller: From) -> None:
        """Have `caller` fail when this process ends, unless it is taken out of `callers`."""
        if self.callers is None:
            self.callers = {}
        self.callers[caller] = None

    def take(self, wanted: Callable[[Any], bool]) -> Any:
        """Remove the first message for which `wanted` says True, and return it; None if none is."""
        message = self._select(wanted, 0)
        self._seen = 0
        return None if message is UNSET else message

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
        # One that has not begun finds out when it does.
        if self.task is not None and self._pause_at:
            self.task.cancel()
            self.vm.insist(self)

    async def run(self, body: Any) -> None:
        """The task of the process: its body, what that goes on with, and what its end means."""
        self._pause_at = MESSAGES_A_SLICE
        error: BaseException | None = None
        running = None
        try:
            while self.exiting is UNSET and callable(body):
                # What a body was given is let go of when it has returned the next.
                running = body(self)
                body = None
                body = await running
            if not callable(body):
                error = body
        except BaseException as raised:
            if isinstance(raised, GeneratorExit) and asyncio._get_running_loop() is None:
                # Python clears away what a loop has left behind.
                raise
            error = raised
        body = running = None
        if self.exiting is not UNSET:
            self.vm.reap(self, self.exiting)
        else:
            own_traceback(error)
            self.vm.reap(self, reason_of(error), error, by_itself=True)
        if isinstance(error, KeyboardInterrupt):
            raise error
        # The frames of the traceback lead back to this one, which must not lead to the error.
        error = None

    def release(self) -> None:
        """Let go of everything a dead process still holds, so that its memory is free at once."""
        self._first = UNSET
        self._others = self.waiter = None
        self.links = self.monitors = self.monitoring = None
        self.callers = self.held = None
        if self.server is not None and self.server.lets_go:
            # Who still calls one of its methods finds out from its process.
            vars(self.server).clear()
            self.server._process = self
        self.starting = self.server = self.last_message = self.task = None


def link_both(one: Process, other: Process) -> None:
    """Link two processes."""
    for process, peer in ((one, other), (other, one)):
        if process.links is None:
            process.links = {}
        process.links[peer] = None


def unlink_both(one: Process, other: Process) -> None:
    """Undo `link_both`, silently."""
    for process, peer in ((one, other), (other, one)):
        if process.links:
            process.links.pop(peer, None)
