"""Runs the cases of `Task`, `Task.Supervisor` and `async_stream`, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from contextlib import aclosing
from typing import Any

from aybiza.actors.runtime import (
    KILL,
    VM,
    ExitError,
    Pid,
    Task,
    TaskOutcome,
    TaskResult,
    current_process,
)
from aybiza.supervisors import SupervisorError, TaskSupervisor
from tests.conformance import puppet
from tests.conformance.actor_world import CALL_MS, World, runner, seconds
from tests.conformance.kit import Options, Result


class Tasks(World):
    """Actors who start tasks and ask for them."""

    def __init__(self, vm: VM) -> None:
        super().__init__(vm)
        self.tasks: dict[str, Task[Any]] = {}

    def do_async(self, task: str, body: Any) -> str:
        return self._known(task, Task.async_(self.vm, perform, body))

    def do_completed(self, task: str, value: Any) -> str:
        return self._known(task, Task.completed(self.vm, value))

    def do_task_start(self, task: str, body: Any) -> Any:
        return self._started(task, Task.start(self.vm, perform, body, link=False).pid)

    def do_task_start_link(self, task: str, body: Any) -> Any:
        return self._started(task, Task.start(self.vm, perform, body).pid)

    async def do_task_sup(self, name: str, max_children: int | None = None) -> str:
        limit: dict[str, Any] = {} if max_children is None else {"max_children": max_children}
        pid = await self.vm.start(TaskSupervisor, **limit)
        assert pid is not None
        self.know(name, pid)
        return "ok"

    async def do_async_nolink(self, sup: str, task: str, body: Any, **options: Any) -> str:
        return await self._supervised(TaskSupervisor.async_nolink, sup, task, body, options)

    async def do_sup_async(self, sup: str, task: str, body: Any, **options: Any) -> str:
        return await self._supervised(TaskSupervisor.async_, sup, task, body, options)

    async def _supervised(
        self, start: Any, sup: str, task: str, body: Any, options: dict[str, Any]
    ) -> str:
        limits = {name: _limit(value) for name, value in options.items()}
        return self._known(task, await start(self.vm, self.pids[sup], perform, body, **limits))

    async def do_sup_start_child(self, sup: str, task: str, body: Any, **options: Any) -> Any:
        limits = {name: _limit(value) for name, value in options.items()}
        try:
            pid = await TaskSupervisor.start_child(self.vm, self.pids[sup], perform, body, **limits)
        except SupervisorError as refusal:
            return ["error", refusal.term]
        return self._started(task, pid)

    async def do_sup_children(self, sup: str) -> int:
        return (await TaskSupervisor.count_children(self.vm, self.pids[sup])).active

    async def do_sup_terminate_child(self, sup: str, task: str) -> Any:
        try:
            await TaskSupervisor.terminate_child(self.vm, self.pids[sup], self.pids[task])
        except SupervisorError as refusal:
            return ["error", refusal.term]
        return "ok"

    async def do_sup_stop(self, sup: str) -> str:
        await self.vm.stop(self.pids[sup], timeout=None)
        return "ok"

    async def do_task_await(self, task: str, timeout: Any = CALL_MS) -> Any:
        return await self.tasks[task].result(seconds(timeout))

    async def do_yield(self, task: str, timeout: Any = 5000) -> Any:
        return await self.tasks[task].yield_(seconds(timeout))

    async def do_shutdown(self, task: str, how: Any = 5000) -> Any:
        return await self.tasks[task].shutdown(_limit(how))

    def do_ignore(self, task: str) -> Any:
        return self.tasks[task].ignore()

    async def do_await_many(self, tasks: list[str], timeout: Any = 5000) -> Any:
        return await Task.await_many([self.tasks[name] for name in tasks], seconds(timeout))

    async def do_yield_many(self, tasks: list[str], timeout: Any = 5000) -> Any:
        told = await Task.yield_many([self.tasks[name] for name in tasks], seconds(timeout))
        assert [task for task, _ in told] == [self.tasks[name] for name in tasks]
        return [[name, outcome] for name, (_, outcome) in zip(tasks, told, strict=True)]

    async def do_stream(
        self,
        items: list[Any],
        opts: dict[str, Any],
        sup: str | None = None,
        nolink: bool = False,
        take: int | None = None,
    ) -> list[TaskOutcome]:
        watched = self._watched = Watched(items)
        options = dict(opts)
        if "timeout" in options:
            options["timeout"] = seconds(options["timeout"])
        if sup is None:
            stream = Task.async_stream(self.vm, range(len(items)), watched.body, **options)
        else:
            stream = TaskSupervisor.async_stream(
                *(self.vm, self.pids[sup], range(len(items)), watched.body),
                link=not nolink,
                **options,
            )
        return await _collected(stream, take)

    async def step(self, do: Mapping[str, Any]) -> dict[str, Any]:
        """As in every world; a stream also says what its bodies did, as far as the file does."""
        fields = dict(do)
        reported = fields.pop("reported", ())
        seen = await super().step(fields)
        if reported:
            told = {"results": seen["return"], **self._watched.seen()}
            seen["return"] = {name: told[name] for name in reported}
        return seen

    def term(self, thing: Any) -> Any:
        """A value of this runtime as the JSON term of the files."""
        if isinstance(thing, TaskResult):
            return [self.refs.get(thing.ref), self.term(thing.value)]
        return super().term(thing)

    async def _answer(self, value: Awaitable[Any]) -> Any:
        try:
            return await super()._answer(value)
        except SupervisorError:
            return "raise", "RuntimeError"

    def _known(self, name: str, task: Task[Any]) -> str:
        self.tasks[name] = task
        self.refs[task.debt.ref] = name
        if task.debt.process is not None:
            self.know(name, task.pid)
        return "ok"

    def _started(self, name: str, pid: Pid) -> Any:
        self.know(name, pid)
        return ["ok", pid]


class Watched:
    """The bodies of a stream, watched: which began and ended in which order, how many at once."""

    def __init__(self, items: list[Any]) -> None:
        self._items = items
        self._started: list[int] = []
        self._finished: list[int] = []
        self._running = self._most = 0

    async def body(self, index: int) -> Any:
        """What the item `index` does."""
        self._started.append(index)
        self._running += 1
        self._most = max(self._most, self._running)
        try:
            value = await perform(self._items[index])
        except Exception:
            self._finished.append(index)
            raise
        else:
            self._finished.append(index)
            return value
        finally:
            self._running -= 1

    def seen(self) -> dict[str, Any]:
        """What was seen."""
        return {
            "started": self._started,
            "finished": self._finished,
            "max_running": self._most,
        }


async def _collected(stream: Any, take: int | None) -> list[TaskOutcome]:
    results: list[TaskOutcome] = []
    if take == 0:
        return results
    async with aclosing(stream):
        async for outcome in stream:
            results.append(outcome)
            if len(results) == take:
                break
    return results


def _limit(how: Any) -> Any:
    return how if how == "brutal_kill" else seconds(how)


async def perform(body: Any) -> Any:
    """Do what a BODY says, in the task that runs this."""
    process = current_process.get()
    assert process is not None
    match body:
        case ["return", value]:
            return value
        case ["sleep", ms, then]:
            await asyncio.sleep(ms / 1000)
            return await perform(then)
        case ["raise"]:
            raise RuntimeError
        case ["exit", reason]:
            raise ExitError(puppet.reason(reason))
        case ["throw", value]:
            raise ExitError(("nocatch", puppet.value(value)))
        case ["trap", then]:
            process.trap_exit = True
            return await perform(then)
        case ["kill_self"]:
            process.vm.exit(process.pid, KILL)
        case ["hang"]:
            pass
        case _:
            raise ValueError(f"no body is known as {body}")
    return await asyncio.Event().wait()


def run(file: dict[str, Any], options: Options) -> Iterable[Result]:
    """Play every case; of a stream the file says what it reports."""
    for case in file["cases"]:
        for step in case["steps"]:
            if step["do"]["op"] == "stream":
                step["do"]["reported"] = list(step["return"])
    return runner(Tasks)(file, options)


FORMATS = {"task-cases/1": run}
