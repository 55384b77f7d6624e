"""Streams: one function for many items, some at a time, as Elixir's `Task.async_stream`.

    async for outcome in Task.async_stream(vm, urls, fetch, max_concurrency=20, timeout=3.0):
        match outcome:
            case ("ok", page): ...
            case ("exit", reason): ...

Items start in their order, at most `max_concurrency` at a time (left out: the number of
processors). Whenever one has ended, what came of it is handed on, if it is its turn, and then the
next one starts. Outcomes come in the order of the items, or with `ordered=False` as they are there.

A task has `timeout` seconds from its own start. Then `on_timeout` either raises
`CallExit(TIMEOUT)` or, `"kill_task"`, kills the task and tells `("exit", TIMEOUT)` in its place.
With `zip_input_on_exit` an exit is told as `("exit", (item, reason))`. Tasks that are linked to the
caller end it when they fail, unless it traps exits; then their exits are outcomes and no messages.
Leaving the loop ends those that run.

Errors: `ValueError` for a `max_concurrency` that is no whole number above 0.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

from aybiza.actors.runtime.errors import CallExit
from aybiza.actors.runtime.messages import TaskResult
from aybiza.actors.runtime.process import current_process
from aybiza.actors.runtime.reasons import KILL, TIMEOUT
from aybiza.actors.runtime.task_debt import Debt, Told
from aybiza.actors.runtime.time_limit import seconds_of
from aybiza.actors.runtime.vm import VM

Item = TypeVar("Item")

TASK_SECONDS = 5.0

OnTimeout: TypeAlias = Literal["exit", "kill_task"]


class TaskOutcome(NamedTuple):
    """What came of a task: `("ok", value)` or `("exit", reason)`."""

    status: Literal["ok", "exit"]
    value: Any


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How a stream runs; see the module."""

    max_concurrency: int | None = None
    ordered: bool = True
    timeout: float | None = TASK_SECONDS
    on_timeout: OnTimeout = "exit"
    zip_input_on_exit: bool = False

    def __post_init__(self) -> None:
        most = self.max_concurrency
        if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 1):
            raise ValueError(f"max_concurrency is a whole number above 0, not {most!r}")
        if self.timeout is not None:
            seconds_of(self.timeout)


def stream(
    vm: VM,
    items: Iterable[Item],
    start: Callable[[Item], Awaitable[Debt]],
    options: StreamOptions,
) -> AsyncGenerator[TaskOutcome, None]:
    """Run `start` for all items, which makes a task of one and returns what it owes."""
    return _Stream(vm, options).run(items, start)


class _Running:
    """A task of a stream that has not ended."""

    __slots__ = ("debt", "index", "item", "late", "outcome", "timer")

    def __init__(self, index: int, item: Any, debt: Debt) -> None:
        self.index = index
        self.item = item
        self.debt = debt
        self.outcome: TaskOutcome | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.late = False


class _Stream:
    def __init__(self, vm: VM, options: StreamOptions) -> None:
        self._vm = vm
        self._options = options
        self._owner = current_process.get()
        self._running: dict[Debt, _Running] = {}
        self._over: deque[_Running] = deque()
        self._waiter: asyncio.Future[None] | None = None

    async def run(
        self, items: Iterable[Any], start: Callable[[Any], Awaitable[Debt]]
    ) -> AsyncGenerator[TaskOutcome, None]:
        most = self._options.max_concurrency or os.cpu_count() or 1
        left = enumerate(items)
        outcomes: dict[int, TaskOutcome] = {}
        due = 0
        try:
            while True:
                while len(self._running) < most:
                    index, item = next(left, _NOTHING)
                    if index is None:
                        break
                    self._watch(_Running(index, item, await start(item)))
                if not self._running:
                    return
                ended = await self._next()
                if not self._options.ordered:
                    yield self._outcome(ended)
                    continue
                outcomes[ended.index] = self._outcome(ended)
                while due in outcomes:
                    due += 1
                    yield outcomes.pop(due - 1)
        finally:
            for task in self._running.values():
                self._kill(task)
                self._leave(task)

    def _watch(self, task: _Running) -> None:
        self._running[task.debt] = task
        if self._options.timeout is not None:
            limit = seconds_of(self._options.timeout)
            task.timer = self._vm.loop.call_later(limit, self._out_of_time, task)
        for told in task.debt.all_told():
            self._told(task.debt, told)
        task.debt.takers.append(self._told)

    def _told(self, debt: Debt, message: Told) -> None:
        task = self._running[debt]
        # An end that is an outcome is not to come by the link as well.
        if isinstance(message, TaskResult):
            self._part(task)
            task.outcome = task.outcome or TaskOutcome("ok", message.value)
            return
        if self._owner is not None and self._owner.trap_exit:
            self._part(task)
        task.outcome = task.outcome or TaskOutcome("exit", message.reason)
        self._end(task)

    def _out_of_time(self, task: _Running) -> None:
        if task.outcome is not None:
            return
        task.outcome = TaskOutcome("exit", TIMEOUT)
        if self._options.on_timeout == "kill_task":
            self._kill(task)
        else:
            task.late = True
            self._end(task)

    def _end(self, task: _Running) -> None:
        self._over.append(task)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _next(self) -> _Running:
        """The next task that is over."""
        if not self._over:
            self._waiter = self._vm.loop.create_future()
            await self._waiter
        task = self._over.popleft()
        if task.late:
            raise CallExit(TIMEOUT, task.debt.task)
        del self._running[task.debt]
        self._leave(task)
        return task

    def _outcome(self, task: _Running) -> TaskOutcome:
        assert task.outcome is not None
        if task.outcome.status == "exit" and self._options.zip_input_on_exit:
            return TaskOutcome("exit", (task.item, task.outcome.value))
        return task.outcome

    def _leave(self, task: _Running) -> None:
        if task.timer is not None:
            task.timer.cancel()
        task.debt.takers.remove(self._told)
        task.debt.close()

    def _part(self, task: _Running) -> None:
        if self._owner is not None:
            task.debt.part(self._owner)

    def _kill(self, task: _Running) -> None:
        # What the stream ends itself is no failure that the caller should end with.
        self._part(task)
        if task.debt.task is not None:
            self._vm.exit(task.debt.task, KILL)


_NOTHING: tuple[int | None, Any] = (None, None)
