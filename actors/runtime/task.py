"""`Task`: a process for one computation, as Elixir's `Task`.

    task = Task.async_(vm, fetch, url)            # linked; its value is for this process
    value = await task.result(timeout=2.0)

    Task.start(vm, fetch, url)                    # linked; for its effect
    Task.start_blocking(vm, parse, text)          # a plain function, in a thread

`async_` makes the calling process the task's owner: it gets the value as a `TaskResult`, then the
end as a `Down`, unless it takes them by `result`, `yield_`, `shutdown` or `ignore`. These are for
the owner alone, and each value is given once. A task that is started by `start`, or outside every
process, sends nothing: its handle keeps the value for everyone, as often as they ask.

The task is linked to the process that starts it (unless `link=False`), so a failure reaches it as
an exit signal, and the task ends when its owner fails. A thread cannot be ended from outside: the
process of a blocking task ends at once, its function runs out by itself.

Errors: `CallExit` when there is no value, `ValueError` for what is not the caller's task.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable, Sequence
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

from aybiza.actors.runtime.errors import CallExit
from aybiza.actors.runtime.messages import TaskResult
from aybiza.actors.runtime.messaging import CALL_TIMEOUT
from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.process import Process, current_process
from aybiza.actors.runtime.reasons import KILL, KILLED, SHUTDOWN, TIMEOUT, is_same
from aybiza.actors.runtime.task_debt import Arrivals, Debt, Told, first_told
from aybiza.actors.runtime.task_stream import (
    TASK_SECONDS,
    OnTimeout,
    StreamOptions,
    TaskOutcome,
    stream,
)
from aybiza.actors.runtime.teaching import check_function, note_plain
from aybiza.actors.runtime.vm import VM

T = TypeVar("T")
Item = TypeVar("Item")

BRUTAL_KILL: Final = "brutal_kill"

Limit: TypeAlias = float | Literal["brutal_kill"] | None


class Task(Generic[T]):
    """A computation that runs or has run; see the module. `debt` is what it owes its owner."""

    __slots__ = ("_pid", "_vm", "debt")

    def __init__(self, vm: VM, pid: Pid | None, debt: Debt) -> None:
        self._vm = vm
        self._pid = pid
        self.debt = debt

    def __repr__(self) -> str:
        return f"<Task {self._pid or 'completed'}>"

    @property
    def pid(self) -> Pid:
        """Its process; `ValueError` for a task that was made `completed`."""
        if self._pid is None:
            raise ValueError("a task that was made completed has no process")
        return self._pid

    @classmethod
    def async_(cls, vm: VM, function: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> Task[T]:
        """Run `function(*args)` for the calling process, linked to it: Elixir's `Task.async`."""
        return cls.launch(vm, function, args, owner=current_process.get())

    @classmethod
    def start(
        cls,
        vm: VM,
        function: Callable[..., Coroutine[Any, Any, T]],
        *args: Any,
        link: bool = True,
    ) -> Task[T]:
        """Run `function(*args)` for its effect: `Task.start_link`, or `Task.start`."""
        return cls.launch(vm, function, args, owner=None, link=link)

    @classmethod
    def start_blocking(
        cls, vm: VM, function: Callable[..., T], *args: Any, link: bool = True
    ) -> Task[T]:
        """Run the plain function in the VM's thread pool, waited for by a process."""

        async def wait() -> T:
            return await vm.run_blocking(function, *args)

        wait.__qualname__ = getattr(function, "__qualname__", str(function))
        return cls.start(vm, wait, link=link)

    @classmethod
    def completed(cls, vm: VM, value: T) -> Task[T]:
        """A task of the calling process that has its value without having run."""
        debt = Debt(current_process.get())
        debt.answer(value)
        return cls(vm, None, debt)

    @classmethod
    def launch(
        cls,
        vm: VM,
        function: Callable[..., Coroutine[Any, Any, T]],
        args: tuple[Any, ...],
        *,
        owner: Process | None,
        link: bool = True,
    ) -> Task[T]:
        """Run `function(*args)` in a process linked to the calling one, its value for `owner`."""
        check_function("a task", function)
        debt = Debt(owner)

        async def body(_: Process) -> None:
            try:
                debt.answer(await function(*args))
            except TypeError as error:
                note_plain("a task", function, error)
                raise

        label = f"Task {getattr(function, '__qualname__', function)}"
        process = vm.spawn_process(body, label=label, link=link)
        process.callers = {debt: None}
        debt.process = process
        return cls(vm, process.pid, debt)

    async def result(self, timeout: float | None = CALL_TIMEOUT) -> T:
        """The value, within `timeout` seconds; raises `CallExit` as `Task.await` exits.

        The reason is `TIMEOUT`, after which the value is not told any more, or why the task ended
        without a value.
        """
        outcome = await self.yield_(timeout)
        if outcome is None:
            self.debt.close()
            raise CallExit(TIMEOUT, self._pid)
        value: T = self._value(outcome)
        return value

    async def yield_(self, timeout: float | None = CALL_TIMEOUT) -> TaskOutcome | None:
        """What came of it, None if it still runs after `timeout` seconds: `Task.yield`."""
        self._check("asked")
        if (outcome := self._taken()) is not None:
            return outcome
        if timeout is not None and timeout <= 0:
            return None
        with Arrivals(self._vm.loop, (self.debt,)) as arrivals:
            told = await arrivals.next(timeout)
            return None if told is None else self._outcome(told[1])

    def shutdown(self, limit: Limit = CALL_TIMEOUT) -> TaskEnd:
        """End the task, without disturbing its owner; the order is given at once.

        `await` what it returns to wait for the end, and to get what came of the task: its
        outcome, or None if it was ended by this. After `limit` seconds the task is killed, with
        `BRUTAL_KILL` at once.
        """
        self._check("ended")
        if isinstance(limit, str) and limit != BRUTAL_KILL:
            raise ValueError(
                f"the limit is a number of seconds, None or BRUTAL_KILL, not {limit!r}"
            )
        self._unlink()
        self._vm.exit(self.pid, KILL if limit == BRUTAL_KILL else SHUTDOWN)
        return TaskEnd(self, limit)

    def ignore(self) -> TaskOutcome | None:
        """Let the task run on without an owner; its outcome if it has ended already."""
        self._check("ignored")
        outcome = self._taken()
        if outcome is None or outcome.status == "ok":
            self._unlink()
            self.debt.close()
        return outcome

    @staticmethod
    async def yield_many(
        tasks: Iterable[Task[Any]], timeout: float | None = CALL_TIMEOUT
    ) -> list[tuple[Task[Any], TaskOutcome | None]]:
        """Each task with what has come of it within `timeout` seconds for all, None if it runs."""
        outcomes: list[tuple[Task[Any], TaskOutcome | None]] = []
        until: float | None = None
        for task in tasks:
            now = task._vm.now()
            if until is None:
                until = now + timeout if timeout is not None else float("inf")
            left = None if timeout is None else max(0.0, until - now)
            outcomes.append((task, await task.yield_(left)))
        return outcomes

    @staticmethod
    async def await_many(
        tasks: Sequence[Task[Any]], timeout: float | None = CALL_TIMEOUT
    ) -> list[Any]:
        """The values of all, within `timeout` seconds; raises `CallExit` when the first fails."""
        for task in tasks:
            task._check("asked")
        if not tasks:
            return []
        vm = tasks[0]._vm
        until = None if timeout is None else vm.now() + timeout
        pending = {task.debt: task for task in tasks}
        values: dict[Debt, Any] = {}
        with Arrivals(vm.loop, pending) as arrivals:
            try:
                while pending:
                    left = None if until is None else until - vm.now()
                    told = first_told(pending) or await arrivals.next(left)
                    if told is None:
                        raise CallExit(TIMEOUT, tasks[0]._pid)
                    asked = pending.get(told[0])
                    if asked is not None:
                        values[told[0]] = asked._value(asked._outcome(told[1]))
                        del pending[told[0]]
            finally:
                for debt in pending:
                    debt.close()
        return [values[task.debt] for task in tasks]

    @classmethod
    def async_stream(
        cls,
        vm: VM,
        items: Iterable[Item],
        function: Callable[[Item], Coroutine[Any, Any, Any]],
        *,
        max_concurrency: int | None = None,
        ordered: bool = True,
        timeout: float | None = TASK_SECONDS,
        on_timeout: OnTimeout = "exit",
        zip_input_on_exit: bool = False,
    ) -> AsyncGenerator[TaskOutcome, None]:
        """Run `function(item)` for all items in tasks linked to the caller; see `task_stream`."""

        async def start(item: Item) -> Debt:
            return cls.async_(vm, function, item).debt

        options = StreamOptions(max_concurrency, ordered, timeout, on_timeout, zip_input_on_exit)
        return stream(vm, items, start, options)

    async def ended(self, limit: Limit) -> TaskOutcome | None:
        """For `TaskEnd`: wait for the end that was ordered, at most until `limit`."""
        kill = limit == BRUTAL_KILL
        try:
            reason = await self._vm.join(self.pid, None if isinstance(limit, str) else limit)
        except TimeoutError:
            self._vm.exit(self.pid, KILL)
            reason = await self._vm.join(self.pid, None)
        told = self.debt.take()
        self.debt.close()
        if isinstance(told, TaskResult):
            return TaskOutcome("ok", told.value)
        if told is not None:
            reason = told.reason
        ordered = is_same(reason, KILLED if kill else SHUTDOWN)
        return None if ordered else TaskOutcome("exit", reason)

    def _check(self, action: str) -> None:
        owner = self.debt.owner
        if owner is not None and owner is not current_process.get():
            caller = self._vm.self() or "code outside every process"
            raise ValueError(f"{self!r} is {action} by {caller}, but {owner.pid} owns it")

    def _unlink(self) -> None:
        owner = self.debt.owner or current_process.get()
        if owner is not None:
            self.debt.part(owner)

    def _taken(self) -> TaskOutcome | None:
        told = self.debt.take()
        return None if told is None else self._outcome(told)

    def _outcome(self, told: Told) -> TaskOutcome:
        if isinstance(told, TaskResult):
            self.debt.close()
            return TaskOutcome("ok", told.value)
        return TaskOutcome("exit", told.reason)

    def _value(self, outcome: TaskOutcome) -> Any:
        if outcome.status == "exit":
            raise CallExit(outcome.value, self._pid)
        return outcome.value


class TaskEnd:
    """The end that `Task.shutdown` has ordered; awaiting it gives what came of the task."""

    __slots__ = ("_limit", "_task")

    def __init__(self, task: Task[Any], limit: Limit) -> None:
        self._task = task
        self._limit = limit

    def __await__(self) -> Generator[Any, None, TaskOutcome | None]:
        return self._task.ended(self._limit).__await__()
