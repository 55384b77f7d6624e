"""The VM: processes on one asyncio loop, as one BEAM node has them.

    async with VM("front") as vm:
        counter = await vm.start(Counter, 5, name="counter")
        await vm.call(counter, "increment", timeout=1.0)

Messages are passed by reference inside a VM and arrive in the order in which they were sent.
A crash is a process's own: it is reported, links and monitors hear of it, nothing else is
harmed. Time is the loop's (see `aybiza.actors.runtime.clock` for virtual time); every wait has a
limit. Leaving the block ends every process that is left.

`VM` is the list of what a node can do; its parts do it: `Directory`, `Relations`, `Messaging`,
`Timers`, `Endings`, `Closing`, `News`. They know each other as far as they must, and no VM.

Errors: `StartError` (a process did not start), `CallExit` (a call got no reply),
`NameTaken`, `VMClosed`.
"""

from __future__ import annotations

import asyncio
import contextvars
import itertools
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, overload

from aybiza.actors.runtime.closing import Closing
from aybiza.actors.runtime.crash_report import Reporter
from aybiza.actors.runtime.delegation import of
from aybiza.actors.runtime.directory import Directory
from aybiza.actors.runtime.endings import Endings
from aybiza.actors.runtime.errors import StartError, VMClosed
from aybiza.actors.runtime.messages import Call, Request, TimerElapsed
from aybiza.actors.runtime.messaging import CALL_TIMEOUT, Messaging
from aybiza.actors.runtime.news import News
from aybiza.actors.runtime.pid import Dest, Pid, Via
from aybiza.actors.runtime.process import Body, Process, current_process, link_both
from aybiza.actors.runtime.reasons import KILL, NOPROC, Reason
from aybiza.actors.runtime.relations import Relations
from aybiza.actors.runtime.remote import Remote
from aybiza.actors.runtime.starting import Startable, Starting, named, out_of_time
from aybiza.actors.runtime.teaching import (
    check_function,
    failed_start,
    not_a_server,
    not_open,
    note_plain,
)
from aybiza.actors.runtime.time_limit import NO_LOOP, TimeLimits
from aybiza.actors.runtime.timers import Timer, Timers
from aybiza.actors.runtime.watchdog import Watchdog
from aybiza.config.said import look_past, show_whole

if TYPE_CHECKING:
    from aybiza.actors.runtime.debug import Debug
    from aybiza.actors.runtime.ets import Table
    from aybiza.actors.runtime.registry import Registry

T = TypeVar("T")

INIT_TIMEOUT = 5.0


class VM:
    """One node's processes.

    `node` is the name in its pids, `creation` tells it from its predecessors of that name; `loop`
    is the event loop. `mailbox_alarm` is the mailbox length at which a process is named in a
    warning, at most every `ALARM_SECONDS`. `threads` bounds the pool for blocking functions.
    `block_warning_ms` is how long a callback may hold the loop before it is named; None switches
    the watchdog off. `registries` are the tables that `Via` names refer to. Each of `observers` is
    called on the loop with every process that ended and its reason, each of `restart_observers`
    with every process that a supervisor started in place of one that ended. `show_values`: whether
    crash reports and traces in the log hold what messages and states hold, which may have been said
    by somebody; otherwise they tell shapes. `tables` is for data that must outlive the actor which
    keeps it, `named_tables` are those of `ets`. `telemetry` tells who listens what happens.
    `debugged` has, by the serials of their pids, the processes that are traced or counted.
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
        self.node = node
        self.creation = creation
        self.mailbox_alarm = mailbox_alarm
        self.loop: asyncio.AbstractEventLoop = NO_LOOP
        self.tables: dict[str, Any] = {}
        self.named_tables: dict[str, Table] = {}
        self.registries: dict[str, Registry] = {}
        self.debugged: dict[int, Debug] = {}
        self._serials = itertools.count(1)
        self._refs = itertools.count(1)
        self._closing: Closing | None = None
        self._context = contextvars.Context()
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._reporter = self._new_reporter(values=show_values)
        self._limits = TimeLimits()
        self._news = News(self._reporter, self._limits)
        self._directory = Directory(node, self.registries)
        self._relations = Relations(self._directory, self._refs)
        self._messaging = Messaging(self._directory, self._limits, self.debugged)
        self.tied = Timers(self._directory, self._limits)
        self._endings = Endings(
            self._directory, self._relations, self._limits, self.tied, self._news, self.debugged
        )
        self.telemetry = self._news.telemetry
        self.observers = self._news.observers
        self.restart_observers = self._news.restart_observers
        self._watchdog = (
            Watchdog(block_warning_ms, self._news.loop_blocked) if block_warning_ms else None
        )

    def _new_reporter(self, *, values: bool) -> Reporter:
        return Reporter(values=values)

    async def __aenter__(self) -> Self:
        self.loop = loop = asyncio.get_running_loop()
        self._limits.open(loop)
        self._messaging.open()
        self._endings.open()
        self._context = contextvars.copy_context()
        self._reporter.start(loop)
        if self._watchdog:
            self._watchdog.start(loop)
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            self._closing = Closing(self._directory, self._limits, self._endings)
            await self._closing.run()
        finally:
            self._closing = None
            if self._watchdog:
                self._watchdog.stop()
            if self._pool:
                self._pool.shutdown(wait=False, cancel_futures=True)
            self._reporter.stop()
            self.tied.close()
            self._messaging.close()
            self._endings.close()
            self._limits.close()
            self.loop = NO_LOOP

    @property
    def remote(self) -> Remote | None:
        """What knows the processes of other nodes; None in a VM that is alone."""
        return self._directory.remote

    @remote.setter
    def remote(self, remote: Remote | None) -> None:
        self._directory.remote = remote

    def self(self) -> Pid | None:
        """The pid of the process that runs this code; None outside every process."""
        process = current_process.get()
        return process.pid if process else None

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
        if loop is NO_LOOP:
            raise VMClosed(not_open())
        if self._closing is not None:
            self._closing.admit()
        parent = current_process.get()
        pid = Pid(self.node, next(self._serials), self.creation)
        process = self.process_type(self, pid, label, parent.pid if link and parent else None)
        self._directory.enter(process)
        context = self._context.copy()
        context.run(current_process.set, process)
        # The loop's own create_task would make a name for each.
        process.task = asyncio.Task(process.run(body), loop=loop, name=label, context=context)
        self._news.started(process, parent.pid if parent else None)
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
        server: type[Startable],
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
        if not isinstance(server, type) or not issubclass(server, Startable):
            raise not_a_server("vm.start", server, Startable)
        if name is not None and (owner := self._directory.find(name)) is not None:
            taken = ("already_started", owner.pid)
            raise StartError(taken, partial(failed_start, server, taken))
        self._directory.check_name(name)
        limit = None if timeout is None else self._limits.of(timeout)
        future: asyncio.Future[Pid | None] = self.loop.create_future()
        body: Body = server.body(args, kwargs)
        remote = self._directory.remote
        shared = remote is not None and remote.shares(name)
        if remote is not None and shared:
            body = partial(named, partial(remote.claim, name), body)
        process = self.spawn_process(body, label=server.__name__, link=link)
        started = Starting(process, current_process.get() if link else None, future)
        try:
            if name is not None and not shared:
                self._directory.give(name, process)
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

    async def run_blocking(self, function: Callable[..., T], *args: Any) -> T:
        """Run a blocking function in the VM's thread pool.

        A thread cannot be ended from outside: a cancelled caller leaves it to finish by itself.
        """
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix=f"{self.node}-job")
        return await self.loop.run_in_executor(self._pool, function, *args)

    # Who is there

    processes = of("_directory", Directory.processes)
    statistics = of("_directory", Directory.statistics)
    count_processes = of("_directory", Directory.count_processes)
    alive = of("_directory", Directory.alive)
    find = of("_directory", Directory.find)
    whereis = of("_directory", Directory.whereis)
    register = of("_directory", Directory.register)
    unregister = of("_directory", Directory.unregister)
    own = of("_directory", Directory.own)
    names = of("_directory", Directory.names)
    name_of = of("_directory", Directory.name_of)
    advice_on = of("_directory", Directory.advice_on)
    refuse = of("_directory", Directory.refuse)
    nodes = of("_directory", Directory.nodes)
    monitor_nodes = of("_directory", Directory.monitor_nodes)

    # Links, monitors and exit signals

    link = of("_relations", Relations.link)
    unlink = of("_relations", Relations.unlink)
    monitor = of("_relations", Relations.monitor)
    demonitor = of("_relations", Relations.demonitor)
    exit = of("_relations", Relations.exit)

    # Messages

    send = of("_messaging", Messaging.send)
    cast = of("_messaging", Messaging.cast)
    request = of("_messaging", Messaging.request)
    join = of("_messaging", Messaging.join)
    stop = of("_messaging", Messaging.stop)

    @overload
    def call(
        self, dest: Dest, request: Request[T], timeout: float | None = CALL_TIMEOUT
    ) -> Coroutine[Any, Any, T]: ...

    # mypy lets what the reply is taken for choose T. Where that is not the request's own, this
    # one matches and makes it an error; the last one would let it pass.
    @overload
    def call(  # type: ignore[overload-cannot-match]
        self, dest: Dest, request: Request[object], timeout: float | None = CALL_TIMEOUT
    ) -> Coroutine[Any, Any, object]: ...

    @overload
    def call(
        self, dest: Dest, request: Any, timeout: float | None = CALL_TIMEOUT
    ) -> Coroutine[Any, Any, Any]: ...

    def call(
        self, dest: Dest, request: Any, timeout: float | None = CALL_TIMEOUT
    ) -> Coroutine[Any, Any, Any]:
        """`GenServer.call`: the reply of the server at `dest` within `timeout` seconds.

        Raises `CallExit` with the reason of a callee that ended, `NOPROC`, `CALLING_SELF` or
        `TIMEOUT`; a late reply is dropped. To a type checker the reply of a `Request[T]` is a `T`.
        """
        if self.debugged:
            self._messaging.tell_tracer("send_call", dest, request)
        return self._messaging.request(dest, request, Call, timeout)

    now = of("_limits", TimeLimits.now)
    limit = of("_limits", TimeLimits.of)

    def send_after(self, dest: Dest, message: Any, seconds: float) -> Timer:
        """Send `message` to `dest` in `seconds`; the timer can be read and cancelled."""
        return self.tied.after(seconds, dest, self._messaging.send_late, dest, message)

    def start_timer(self, dest: Dest, message: Any, seconds: float) -> Timer:
        """Like `send_after`; the message is `TimerElapsed(timer.ref, message)`."""
        ref = next(self._refs)
        timer = self.send_after(dest, TimerElapsed(ref, message), seconds)
        timer.ref = ref
        return timer

    def send_interval(self, dest: Dest, message: Any, seconds: float) -> Timer:
        """Send `message` to `dest` every `seconds`, until cancelled; see `timers` for its end."""
        return self.tied.every(seconds, dest, self._messaging.send_late, dest, message)

    def exit_after(self, dest: Dest, reason: Reason, seconds: float) -> Timer:
        """`exit(dest, reason)` in `seconds`, unless the timer is cancelled."""
        return self.tied.after(seconds, dest, self._relations.exit, dest, reason)

    def kill_after(self, dest: Dest, seconds: float) -> Timer:
        """`exit(dest, KILL)` in `seconds`, unless the timer is cancelled."""
        return self.exit_after(dest, KILL, seconds)

    def apply_after(
        self, seconds: float, function: Callable[..., Coroutine[Any, Any, Any]], *args: Any
    ) -> Timer:
        """Run `function(*args)` as a process of its own in `seconds`; see `spawn`."""
        return self.tied.after(seconds, None, self.spawn, function, *args)

    # Ends, and what people are told

    reap = of("_endings", Endings.reap)
    insist = of("_endings", Endings.insist)
    abandon = of("_endings", Endings.abandon)
    report_failed_observer = of("_reporter", Reporter.observer_failed)
    report_trace = of("_reporter", Reporter.trace)
    hide_values = of("_reporter", Reporter.hide_values)
    report_unexpected = of("_reporter", Reporter.unexpected)
    raise_mailbox_alarm = of("_news", News.mailbox_alarm)

    def restarted(self, pid: Pid) -> None:
        """For supervisors: `pid` is the successor of a child that ended."""
        process = self.find(pid)
        if process is not None:
            self._news.restarted(process)

    @property
    def shows_values(self) -> bool:
        """Whether logs may hold what messages and states hold."""
        return self._reporter.values

    def report(self, event: str, **fields: Any) -> None:
        """Log an error of a process, such as a supervisor's; its text is made off the loop."""
        self._reporter.error(event, fields)


look_past(VM, Directory, Process, asyncio.AbstractEventLoop, asyncio.Future)
show_whole(Pid)
