"""The VM: processes on one asyncio loop, as one BEAM node has them.

    async with VM("front") as vm:
        counter = await vm.start(Counter, 5, name="counter")
        await vm.call(counter, "increment", timeout=1.0)

Messages are passed by reference inside a VM and arrive in the order in which they were sent.
A crash is a process's own: it is reported, links and monitors hear of it, nothing else is
harmed. Time is the loop's (see `aybiza.actors.runtime.clock` for virtual time); every wait has a
limit. Leaving the block ends every process that is left.

Errors: `StartError` (a process did not start), `CallExit` (a call got no reply),
`NameTaken`, `VMClosed`.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from aybiza.actors.runtime import telemetry
from aybiza.actors.runtime.closing import Closing
from aybiza.actors.runtime.crash_report import Reporter
from aybiza.actors.runtime.directory import calling_process
from aybiza.actors.runtime.errors import (
    PROGRAM_ENDS,
    UNSET,
    CallExit,
    NameTaken,
    StartError,
    VMClosed,
)
from aybiza.actors.runtime.messages import System
from aybiza.actors.runtime.messaging import CALL_TIMEOUT, Messaging
from aybiza.actors.runtime.pid import Dest, Pid, Via
from aybiza.actors.runtime.process import (
    INSIST_SECONDS,
    INSIST_TIMES,
    Body,
    Process,
    current_process,
)
from aybiza.actors.runtime.reasons import (
    CALLING_SELF,
    KILL,
    KILLED,
    NOPROC,
    NORMAL,
    TIMEOUT,
    Reason,
    is_orderly,
    is_same,
)
from aybiza.actors.runtime.relations import link_both
from aybiza.actors.runtime.starting import Starting, out_of_time
from aybiza.actors.runtime.teaching import (
    check_function,
    failed_start,
    not_a_server,
    not_open,
    note_plain,
)
from aybiza.actors.runtime.time_limit import seconds_of
from aybiza.actors.runtime.timers import Timer, duration
from aybiza.actors.runtime.watchdog import Watchdog
from aybiza.config.said import look_past, show_whole

if TYPE_CHECKING:
    from aybiza.actors.runtime.gen_server import GenServer

T = TypeVar("T")

INIT_TIMEOUT = 5.0
ALARM_SECONDS = 10.0


look_past(Process, Messaging, asyncio.AbstractEventLoop, asyncio.Future)
show_whole(Pid)


class VM(Messaging):
    """One node's processes.

    `node` is the name in its pids, `creation` tells it from its predecessors of that name.
    `mailbox_alarm` is the mailbox length at which a process is named in a warning, at most every
    `ALARM_SECONDS`. `threads` bounds the pool for blocking functions. `block_warning_ms` is how
    long a callback may hold the loop before it is named; None switches the watchdog off.
    `registries` are the tables that `Via` names refer to. Each of `observers` is called on the loop
    with every process that ended and its reason, each of `restart_observers` with every process
    that a supervisor started in place of one that ended. `show_values`: whether crash reports and
    traces in the log hold what messages and states hold, which may have been said by somebody;
    otherwise they tell shapes. `tables` is for data that must outlive
    the actor which keeps it. `telemetry` tells who listens what happens.
    """

    process_type: ClassVar[type[Process]] = Process
    """What `spawn_process` makes; a VM that is watched makes its own."""

    def __init__(
        self,
        node: str = "nonode",
        *,
        creation: int = 0,
        mailbox_alarm: int = 10_000,
        threads: int = 32,
        block_warning_ms: float | None = 50.0,
        show_values: bool = False,
    ) -> None:
        super().__init__()
        self.node = node
        self.creation = creation
        self.mailbox_alarm = mailbox_alarm
        self.tables: dict[str, Any] = {}
        self.observers: list[Callable[[Process, Reason], None]] = []
        self.restart_observers: list[Callable[[Process], None]] = []
        self._serials = itertools.count(1)
        self._abandoned: set[asyncio.Task[None]] = set()
        self._closing: Closing | None = None
        self._alarms: dict[int, float] = {}
        self._context = contextvars.Context()
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._reporter = Reporter(values=show_values)
        self.telemetry = telemetry.Telemetry(self._reporter.handler_failed)
        self._starts = self.telemetry.heard(telemetry.PROCESS_START)
        self._stops = self.telemetry.heard(telemetry.PROCESS_STOP)
        self._watchdog = (
            Watchdog(block_warning_ms, self._tell_blocked) if block_warning_ms else None
        )

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._open(loop)
        self._context = contextvars.copy_context()
        self._reporter.start(loop)
        if self._watchdog:
            self._watchdog.start(loop)
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            self._closing = Closing(self, self._abandoned)
            await self._closing.run()
        finally:
            self._closing = None
            if self._watchdog:
                self._watchdog.stop()
            if self._pool:
                self._pool.shutdown(wait=False, cancel_futures=True)
            self._reporter.stop()
            self._close()

    def spawn(
        self, function: Callable[..., Coroutine[Any, Any, Any]], *args: Any, link: bool = False
    ) -> Pid:
        """Run `function(*args)` as a process of its own; its return ends it with `NORMAL`."""

        check_function("vm.spawn", function)

        async def body(_: Process) -> None:
            try:
                await function(*args)
            except TypeError as error:
                note_plain("vm.spawn", function, error)
                raise

        label = getattr(function, "__qualname__", str(function))
        return self.spawn_process(body, label=label, link=link).pid

    def spawn_process(self, body: Body, *, label: str, link: bool = False) -> Process:
        """Start a process with `body`; for servers and tasks, which are built on it."""
        loop = self.loop
        if self._limits is None:
            raise VMClosed(not_open())
        if self._closing is not None:
            self._closing.admit()
        parent = current_process.get()
        pid = Pid(self.node, next(self._serials), self.creation)
        process = self.process_type(self, pid, label, parent.pid if link and parent else None)
        self._processes[pid.serial] = process
        context = self._context.copy()
        context.run(current_process.set, process)
        # The loop's own create_task would make a name for each.
        process.task = asyncio.Task(process.run(body), loop=loop, name=label, context=context)
        if self._starts:
            told = {"pid": pid, "actor": label, "parent": parent.pid if parent else None}
            self.telemetry.execute(telemetry.PROCESS_START, metadata=told)
        if link and parent:
            if parent.alive:
                link_both(process, parent)
            else:
                process.end(NOPROC)
        if self._closing is not None:
            self._closing.spawned(process)
        return process

    async def start(
        self,
        server: type[GenServer],
        *args: Any,
        name: str | Via | None = None,
        link: bool = False,
        timeout: float | None = INIT_TIMEOUT,
        **kwargs: Any,
    ) -> Pid | None:
        """Start a `GenServer` and wait for its `init`: `start` and, with `link`, `start_link`.

        Returns its pid, or None when `init` returned `IGNORE`. Raises `StartError`; by then the
        process, and all that it had started linked, is gone and the names are free. `timeout` is
        the limit for `init` in seconds. A name that is unique in the cluster is taken before
        `init` begins, with the consent of all nodes that can be reached.

        A linked server whose starter ends, or stops waiting, before `init` has returned ends too.
        An unlinked one goes on.
        """
        if not isinstance(server, type) or not hasattr(server, "traps_exits"):
            from aybiza.actors.runtime.gen_server import GenServer

            raise not_a_server("vm.start", server, GenServer)
        if name is not None and (owner := self.find(name)) is not None:
            taken = ("already_started", owner.pid)
            raise StartError(taken, partial(failed_start, server, taken))
        self._check_name(name)
        limit = None if timeout is None else self.limit(timeout)
        future: asyncio.Future[Pid | None] = self.loop.create_future()
        body: Body = server.body(args, kwargs)
        shared = self.remote is not None and self.remote.shares(name)
        if self.remote is not None and shared:
            body = partial(_named, partial(self.remote.claim, name), body)
        process = self.spawn_process(body, label=server.__name__, link=link)
        started = Starting(process, current_process.get() if link else None, future)
        try:
            if name is not None and not shared:
                self._take(name, process)
        except BaseException:
            # A registry refuses the name, or nobody listens where it tells of it.
            future.cancel()
            await started.give_up()
            raise
        if limit is not None:
            started.limit = limit
            limit.add(started, out_of_time, None)
        try:
            return await future
        except asyncio.CancelledError:
            if link:
                await started.give_up()
            raise
        finally:
            # An error's traceback holds this frame, and the frame must not hold the error.
            del future, started

    async def stop(
        self, dest: Dest, reason: Reason = NORMAL, timeout: float | None = CALL_TIMEOUT
    ) -> None:
        """`GenServer.stop`: ask the server to end in order with `reason`, and wait until it has.

        Raises `CallExit` with `NOPROC`, `TIMEOUT`, or the reason it really ended with.
        """
        timeout = None if timeout is None else seconds_of(timeout)
        target = self.find(dest)
        if target is None:
            if self.remote is None or (place := self.remote.place(dest)) is None:
                raise CallExit(NOPROC, dest, advice=self.advice_on(dest))
            try:
                ended = await self.remote.stop(place, reason, timeout)
            except TimeoutError:
                ended = TIMEOUT
            if not is_same(ended, reason):
                raise CallExit(ended, dest)
            return
        if target is current_process.get():
            raise CallExit(CALLING_SELF, dest)
        target.deliver(System(None, None, "terminate", reason))
        try:
            ended = await self.join(target.pid, timeout)
        except TimeoutError:
            ended = TIMEOUT
        if not is_same(ended, reason):
            raise CallExit(ended, dest)

    def exit(self, dest: Dest, reason: Reason) -> None:
        """Send an exit signal, as `Process.exit/2`; `KILL` cannot be trapped."""
        target = self.find(dest)
        if target is not None:
            if isinstance(reason, str) and reason == KILL:
                target.end(KILLED)
            else:
                target.signal(self.self(), reason)
        elif self.remote is not None and (place := self.remote.place(dest)) is not None:
            self.remote.exit(place, reason)
        elif not isinstance(dest, str):
            self.refuse(dest)

    def exit_after(self, dest: Dest, reason: Reason, seconds: float) -> Timer:
        """`exit(dest, reason)` in `seconds`, unless the timer is cancelled."""
        return self._timer(duration(seconds), dest, self.exit, dest, reason)

    def kill_after(self, dest: Dest, seconds: float) -> Timer:
        """`exit(dest, KILL)` in `seconds`, unless the timer is cancelled."""
        return self.exit_after(dest, KILL, seconds)

    def apply_after(
        self, seconds: float, function: Callable[..., Coroutine[Any, Any, Any]], *args: Any
    ) -> Timer:
        """Run `function(*args)` as a process of its own in `seconds`; see `spawn`."""
        timer = Timer(self.loop, duration(seconds), self.spawn, function, *args)
        return self._tie(timer, None)

    def nodes(self) -> list[str]:
        """`Node.list`: the other nodes that can be reached now, none in a VM that is alone."""
        return [] if self.remote is None else self.remote.nodes()

    def monitor_nodes(self, on: bool = True) -> None:
        """Have the calling process told by `NodeUp` and `NodeDown` messages, or no longer."""
        process = calling_process("monitor_nodes")
        if self.remote is not None:
            self.remote.monitor_nodes(process, on)

    def reap(
        self,
        process: Process,
        reason: Reason,
        error: BaseException | None = None,
        *,
        by_itself: bool = False,
    ) -> None:
        """The process is over: free its names, answer its callers, tell links and monitors.

        An end `by_itself` that is not an orderly one is reported as a crash, with `error`.
        """
        if not process.alive:
            return
        process.alive = False
        pid = process.pid
        for release, failure in self._forget(process):
            self.report_failed_observer(release, failure)
        self._alarms.pop(pid.serial, None)
        self.debugged.pop(pid.serial, None)
        self.tied.ended(pid)
        if process.exiting is not UNSET and self._limits is not None:
            self._limits.of(INSIST_SECONDS).discard(process)
        if by_itself and not is_orderly(reason):
            self._reporter.report(process, reason, error)
            self._tell_crash(process, reason)
        if self._stops:
            told = {"pid": pid, "actor": process.label, "reason": reason}
            self.telemetry.execute(telemetry.PROCESS_STOP, metadata=told)
        for observer in self.observers:
            self._tell(observer, process, reason)
        callers, process.callers = process.callers, None
        for caller in callers or ():
            self._tell(caller.fail, CallExit(reason, pid))
        if process.starting is not None:
            self._tell(process.starting.failed, reason)
        self._bereave(process, reason)
        process.release()

    def restarted(self, pid: Pid) -> None:
        """For supervisors: `pid` is the successor of a child that ended."""
        process = self.find(pid)
        if process is not None:
            for observer in self.restart_observers:
                self._tell(observer, process)
            told = {"pid": pid, "actor": process.label}
            self.telemetry.execute(telemetry.SUPERVISOR_RESTART, metadata=told)

    def _tell_crash(self, process: Process, reason: Reason) -> None:
        told = {"pid": process.pid, "actor": process.label, "reason": reason}
        self.telemetry.execute(telemetry.PROCESS_CRASH, metadata=told)

    def _tell_blocked(self, seconds: float, culprit: dict[str, Any]) -> None:
        """From the watchdog's thread: told when the loop runs again."""

        def tell() -> None:
            self.telemetry.execute(telemetry.LOOP_BLOCKED, {"seconds": seconds}, culprit)

        with contextlib.suppress(RuntimeError):  # the loop is closed
            self.loop.call_soon_threadsafe(tell)

    def _tell(self, observer: Callable[..., None], *told: Any) -> None:
        # Whatever a third party raises: the others must be told.
        try:
            observer(*told)
        except PROGRAM_ENDS:
            raise
        except BaseException as failure:
            self.report_failed_observer(observer, failure)

    def report_failed_observer(self, observer: Callable[..., None], failure: BaseException) -> None:
        """Tell of an observer or tracer that raised `failure`."""
        self._reporter.observer_failed(observer, failure)

    @property
    def shows_values(self) -> bool:
        """Whether logs may hold what messages and states hold."""
        return self._reporter.values

    def report_trace(self, process: Process, text: str) -> None:
        """Log what happened to a traced process."""
        self._reporter.trace(process, text)

    def insist(self, process: Process, times: int = INSIST_TIMES) -> None:
        """Cancel a process again that has been told to end, until it does; at last give it up."""
        # The process that has closed the VM may outlive it.
        if self._limits is not None:
            self._limits.of(INSIST_SECONDS).add(process, self._cancel_again, times)

    def _cancel_again(self, process: Process, left: int) -> None:
        assert process.task is not None
        if left:
            process.task.cancel()
            self.insist(process, left - 1)
        else:
            self.abandon(process)

    def abandon(self, process: Process) -> None:
        """Declare a process dead whose code swallows every cancellation; its task is kept."""
        if process.task and process.alive:
            self._abandoned.add(process.task)
            process.task.add_done_callback(self._abandoned.discard)
            self._reporter.abandoned(process)
            self._tell_crash(process, process.exiting)
            self.reap(process, process.exiting)

    def report(self, event: str, **fields: Any) -> None:
        """Log an error of a process, such as a supervisor's; its text is made off the loop."""
        self._reporter.error(event, fields)

    def report_unexpected(self, process: Process, message: Any) -> None:
        """Tell of a message that `process` has no clause for."""
        self._reporter.unexpected(process, message)

    def raise_mailbox_alarm(self, process: Process) -> None:
        """Name a process whose mailbox has reached the alarm length."""
        now = self.now()
        if now >= self._alarms.get(process.pid.serial, now):
            self._alarms[process.pid.serial] = now + ALARM_SECONDS
            self._reporter.mailbox_alarm(process)
            self.telemetry.execute(
                telemetry.MAILBOX_ALARM,
                {"length": len(process.mailbox)},
                {"pid": process.pid, "actor": process.label},
            )

    async def run_blocking(self, function: Callable[..., T], *args: Any) -> T:
        """Run a blocking function in the VM's thread pool.

        A thread cannot be ended from outside: a cancelled caller leaves it to finish by itself.
        """
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix=f"{self.node}-job")
        return await self.loop.run_in_executor(self._pool, function, *args)


async def _named(
    claim: Callable[[Process], Awaitable[None]], body: Body, process: Process
) -> Body | None:
    """The body of a server with a name that is unique in the cluster."""
    try:
        await claim(process)
    except (NameTaken, TimeoutError) as refusal:
        taken = ("already_started", refusal.pid) if isinstance(refusal, NameTaken) else TIMEOUT
        if process.starting is not None:
            process.starting.refusal = taken
        return None
    return body
