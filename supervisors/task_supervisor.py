"""`TaskSupervisor`: tasks that come and go, as Elixir's `Task.Supervisor`.

    child(TaskSupervisor, max_children=500, name="tools")

    task = await TaskSupervisor.async_nolink(vm, "tools", run, call)
    value = await task.result(timeout=2.0)

    async for outcome in TaskSupervisor.async_stream(vm, "tools", urls, fetch, timeout=3.0):
        ...

A `DynamicSupervisor` whose children are tasks. They are temporary unless `start_child` says
otherwise, and end with the supervisor. A plain, blocking function runs as
`(vm.run_blocking, function, *arguments)`.

Errors: `SupervisorError("max_children")` when it has all the tasks that it may have, `CallExit`
like `VM.call`.
"""

from __future__ import annotations

import math
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from aybiza.actors.runtime import KILL, TIMEOUT, VM, CallExit, Dest, Pid, Task
from aybiza.actors.runtime.task import first_ended
from aybiza.supervisors.base import OPERATION_SECONDS, ask
from aybiza.supervisors.child_spec import WORKER_SHUTDOWN, ChildSpec, Restart, Shutdown
from aybiza.supervisors.dynamic_supervisor import DynamicSupervisor

T = TypeVar("T")
Item = TypeVar("Item")

TASK_SECONDS = 5.0

Function = Callable[..., Coroutine[Any, Any, Any]]


class TaskOutcome(NamedTuple):
    """What came of one item of a stream: `("ok", value)` or `("exit", reason)`."""

    status: Literal["ok", "exit"]
    value: Any


class TaskSupervisor(DynamicSupervisor):
    """See the module. Takes the options of `DynamicSupervisor`."""

    @staticmethod
    async def start_child(  # type: ignore[override]
        vm: VM,
        supervisor: Dest,
        function: Function,
        *arguments: Any,
        restart: Restart = "temporary",
        shutdown: Shutdown = WORKER_SHUTDOWN,
    ) -> Pid:
        """Run `function(*arguments)` for its effect; nobody gets its value."""
        start = _Start(function, arguments, owner=None)
        pid, _ = await _start(vm, supervisor, start, restart, shutdown)
        return pid

    @staticmethod
    async def async_(
        vm: VM,
        supervisor: Dest,
        function: Callable[..., Coroutine[Any, Any, T]],
        *arguments: Any,
        shutdown: Shutdown = WORKER_SHUTDOWN,
    ) -> Task[T]:
        """Run `function(*arguments)`, linked to the calling process: one ends with the other."""
        start = _Start(function, arguments, owner=vm.self())
        _, task = await _start(vm, supervisor, start, "temporary", shutdown)
        return task

    @staticmethod
    async def async_nolink(
        vm: VM,
        supervisor: Dest,
        function: Callable[..., Coroutine[Any, Any, T]],
        *arguments: Any,
        shutdown: Shutdown = WORKER_SHUTDOWN,
    ) -> Task[T]:
        """Run `function(*arguments)`; its crash is told by `task.result` alone."""
        start = _Start(function, arguments, owner=None)
        _, task = await _start(vm, supervisor, start, "temporary", shutdown)
        return task

    @staticmethod
    async def async_stream(
        vm: VM,
        supervisor: Dest,
        items: Iterable[Item],
        function: Callable[[Item], Coroutine[Any, Any, Any]],
        *,
        max_concurrency: int | None = None,
        ordered: bool = True,
        timeout: float | None = TASK_SECONDS,
        on_timeout: Literal["exit", "kill_task"] = "exit",
        link: bool = True,
        shutdown: Shutdown = WORKER_SHUTDOWN,
    ) -> AsyncIterator[TaskOutcome]:
        """Run `function(item)` for all items, at most `max_concurrency` at a time.

        `max_concurrency` is the number of processors if left out. Outcomes come in the order of
        the items, or with `ordered=False` as they are there. A task has `timeout` seconds; then
        `on_timeout` either raises `CallExit(TIMEOUT)` or kills the task and tells
        `("exit", TIMEOUT)` in its place. A crash ends the calling process too, unless it traps
        exits or `link` is False; then it is told as `("exit", reason)`. New tasks start only
        while the next outcome is waited for; leaving the loop ends those that run.
        """
        run = TaskSupervisor.async_ if link else TaskSupervisor.async_nolink

        async def start(item: Item) -> Task[Any]:
            return await run(vm, supervisor, function, item, shutdown=shutdown)

        stream = _Stream(vm, iter(items), start, timeout, on_timeout)
        limit = max_concurrency or os.cpu_count() or 1
        delivered = 0
        try:
            while True:
                await stream.fill(limit)
                while stream.outcomes:
                    index = delivered if ordered else next(iter(stream.outcomes))
                    if index not in stream.outcomes:
                        break
                    delivered += 1
                    yield stream.outcomes.pop(index)
                if not stream.running:
                    return
                await stream.wait()
        finally:
            stream.close()


@dataclass(slots=True)
class _Stream(Generic[Item]):
    """The tasks of one stream: those that run, and outcomes, by the index of their item."""

    vm: VM
    items: Iterator[Item]
    start: Callable[[Item], Coroutine[Any, Any, Task[Any]]]
    timeout: float | None
    on_timeout: str
    running: dict[int, tuple[Task[Any], float]] = field(default_factory=dict)
    outcomes: dict[int, TaskOutcome] = field(default_factory=dict)
    started: int = 0

    async def fill(self, limit: int) -> None:
        """Start tasks until `limit` of them run or the items are used up."""
        while len(self.running) < limit:
            try:
                item = next(self.items)
            except StopIteration:
                return
            task = await self.start(item)
            deadline = self.vm.now() + (math.inf if self.timeout is None else self.timeout)
            self.running[self.started] = task, deadline
            self.started += 1

    async def wait(self) -> None:
        """Wait until a task has ended or its time is over."""
        first = min(deadline for _, deadline in self.running.values())
        left = None if first == math.inf else max(0.0, first - self.vm.now())
        ended = await first_ended([task for task, _ in self.running.values()], left)
        now = self.vm.now()
        for index, (task, deadline) in list(self.running.items()):
            if task in ended:
                del self.running[index]
                self.outcomes[index] = await _outcome(task)
            elif deadline <= now:
                if self.on_timeout == "exit":
                    raise CallExit(TIMEOUT, task.pid)
                self._kill(task)
                del self.running[index]
                self.outcomes[index] = TaskOutcome("exit", TIMEOUT)

    def close(self) -> None:
        """End the tasks that still run."""
        for task, _ in self.running.values():
            self._kill(task)
        self.running.clear()

    def _kill(self, task: Task[Any]) -> None:
        # What the stream ends itself is no failure that the calling process should end with.
        if self.vm.self() is not None:
            self.vm.unlink(task.pid)
        self.vm.exit(task.pid, KILL)


async def _outcome(task: Task[Any]) -> TaskOutcome:
    try:
        return TaskOutcome("ok", await task.result(0.0))
    except CallExit as error:
        return TaskOutcome("exit", error.reason)


@dataclass(frozen=True, slots=True)
class _Start:
    """The start function of a task; `owner` is the process that it is linked to besides."""

    function: Function
    arguments: tuple[Any, ...]
    owner: Pid | None

    async def __call__(self, vm: VM, *more: Any) -> tuple[Pid, Task[Any]]:
        async def run() -> Any:
            # The task links itself, before anything else: an owner that is gone ends it.
            if self.owner is not None:
                vm.link(self.owner)
            return await self.function(*self.arguments, *more)

        run.__qualname__ = getattr(self.function, "__qualname__", str(self.function))
        task = Task.start(vm, run)
        return task.pid, task


async def _start(
    vm: VM, supervisor: Dest, start: _Start, restart: Restart, shutdown: Shutdown
) -> tuple[Pid, Task[Any]]:
    spec = ChildSpec(id="task", start=start, restart=restart, shutdown=shutdown)
    started: tuple[Pid, Task[Any]] = await ask(
        vm, supervisor, "start_child", spec, timeout=OPERATION_SECONDS
    )
    return started
