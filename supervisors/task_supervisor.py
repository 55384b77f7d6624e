"""`TaskSupervisor`: tasks that come and go, as Elixir's `Task.Supervisor`.

    child(TaskSupervisor, max_children=500, name="tools")

    task = await TaskSupervisor.async_nolink(vm, "tools", run, call)
    value = await task.result(timeout=2.0)

    async for outcome in TaskSupervisor.async_stream(vm, "tools", urls, fetch, timeout=3.0):
        ...

A `DynamicSupervisor` whose children are tasks. They are temporary unless `start_child` says
otherwise, and end with the supervisor. A plain, blocking function runs as
`(vm.run_blocking, function, *arguments)`.

The supervisor may be one of another node, such as `("tools", "back")`. The function and its
arguments travel there, so the function is one that both nodes know by its name; the value comes
back. The loss of the node is told as the end of the task.

Errors: `SupervisorError("max_children")` when it has all the tasks that it may have, `CallExit`
like `VM.call`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from aybiza.actors.runtime import VM, Dest, Pid, Task, TaskOutcome
from aybiza.actors.runtime.process import current_process
from aybiza.actors.runtime.task_debt import Debt
from aybiza.actors.runtime.task_stream import TASK_SECONDS, OnTimeout, StreamOptions, stream
from aybiza.actors.runtime.teaching import check_function, note_plain
from aybiza.supervisors.base import OPERATION_SECONDS, ask
from aybiza.supervisors.child_spec import WORKER_SHUTDOWN, ChildSpec, Restart, Shutdown
from aybiza.supervisors.dynamic_supervisor import DynamicSupervisor

T = TypeVar("T")
Item = TypeVar("Item")

Function = Callable[..., Coroutine[Any, Any, Any]]


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
        start = _Start(function, arguments, owner=None, link=False)
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
        return await _async(vm, supervisor, function, arguments, link=True, shutdown=shutdown)

    @staticmethod
    async def async_nolink(
        vm: VM,
        supervisor: Dest,
        function: Callable[..., Coroutine[Any, Any, T]],
        *arguments: Any,
        shutdown: Shutdown = WORKER_SHUTDOWN,
    ) -> Task[T]:
        """Run `function(*arguments)` for the calling process, which its crash does not end."""
        return await _async(vm, supervisor, function, arguments, link=False, shutdown=shutdown)

    @staticmethod
    def async_stream(
        vm: VM,
        supervisor: Dest,
        items: Iterable[Item],
        function: Callable[[Item], Coroutine[Any, Any, Any]],
        *,
        max_concurrency: int | None = None,
        ordered: bool = True,
        timeout: float | None = TASK_SECONDS,
        on_timeout: OnTimeout = "exit",
        zip_input_on_exit: bool = False,
        link: bool = True,
        shutdown: Shutdown = WORKER_SHUTDOWN,
    ) -> AsyncGenerator[TaskOutcome, None]:
        """Run `function(item)` for all items in tasks; see `aybiza.actors.runtime.task_stream`.

        With `link` the tasks are linked to the calling process, as those of `async_` are.
        """
        run = TaskSupervisor.async_ if link else TaskSupervisor.async_nolink

        async def start(item: Item) -> Debt:
            return (await run(vm, supervisor, function, item, shutdown=shutdown)).debt

        options = StreamOptions(max_concurrency, ordered, timeout, on_timeout, zip_input_on_exit)
        return stream(vm, items, start, options)


@dataclass(frozen=True, slots=True)
class _Start:
    """The start function of a task: its value is for `owner`, which it is linked to by `link`."""

    function: Function
    arguments: tuple[Any, ...]
    owner: Pid | None
    link: bool
    owed: Any = None
    """For an owner of another node: gets the value."""

    async def __call__(self, vm: VM, *more: Any) -> tuple[Pid, Task[Any] | None]:
        if self.owed is not None:
            return self._run_for_another(vm, self.owed, more), None

        async def run() -> Any:
            # The task links itself, before anything else: an owner that is gone ends it.
            if self.link and self.owner is not None:
                vm.link(self.owner)
            # Whoever asked for the task has it before it begins.
            await asyncio.sleep(0)
            try:
                return await self.function(*self.arguments, *more)
            except TypeError as error:
                note_plain("a task", self.function, error)
                raise

        run.__qualname__ = getattr(self.function, "__qualname__", str(self.function))
        owner = None if self.owner is None else vm.find(self.owner)
        task = Task.launch(vm, run, (), owner=owner)
        return task.pid, task

    def _run_for_another(self, vm: VM, owed: Any, more: tuple[Any, ...]) -> Pid:
        async def run() -> None:
            owed.answer(await self.function(*self.arguments, *more))

        run.__qualname__ = getattr(self.function, "__qualname__", str(self.function))
        task = Task.launch(vm, run, (), owner=None)
        process = vm.find(task.pid)
        assert process is not None and process.callers is not None
        process.callers[owed] = None
        if self.link and self.owner is not None and vm.remote is not None:
            # Ahead of the answer to the owner, so that it can part from the task at once.
            vm.remote.link(process, vm.remote.place(self.owner))
        return task.pid


async def _async(
    vm: VM,
    supervisor: Dest,
    function: Function,
    arguments: tuple[Any, ...],
    *,
    link: bool,
    shutdown: Shutdown,
) -> Task[Any]:
    owner = vm.self()
    remote = vm.remote
    if vm.find(supervisor) is not None or remote is None or remote.place(supervisor) is None:
        start = _Start(function, arguments, owner, link)
        task: Task[Any]
        _, task = await _start(vm, supervisor, start, "temporary", shutdown)
        return task
    debt = Debt(current_process.get())
    owed = remote.owe(debt)
    start = _Start(function, arguments, owner, link, owed)
    try:
        pid, _ = await _start(vm, supervisor, start, "temporary", shutdown)
    except BaseException:
        owed.drop()
        raise
    owed.started(pid)
    return Task(vm, pid, debt)


async def _start(
    vm: VM, supervisor: Dest, start: _Start, restart: Restart, shutdown: Shutdown
) -> tuple[Pid, Any]:
    check_function("a task", start.function)
    spec = ChildSpec(id="task", start=start, restart=restart, shutdown=shutdown)
    started: Pid | tuple[Pid, Any] = await ask(
        vm, supervisor, "start_child", spec, timeout=OPERATION_SECONDS
    )
    return (started, None) if isinstance(started, Pid) else started
