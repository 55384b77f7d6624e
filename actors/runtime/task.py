"""`Task`: a process for one computation, as Elixir's `Task`.

    task = Task.start(vm, fetch, url)             # async function, linked to the caller
    task = Task.start_blocking(vm, parse, text)   # plain function, in a thread
    value = await task.result(timeout=2.0)

The task is linked to the process that starts it (unless `link=False`), so a failure reaches
it as an exit signal, and the task ends when its owner does. A thread cannot be ended from
outside: the process of a blocking task ends at once, its function runs out by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

from aybiza.actors.runtime.errors import CallExit
from aybiza.actors.runtime.messages import From
from aybiza.actors.runtime.messaging import CALL_TIMEOUT
from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.process import Process
from aybiza.actors.runtime.reasons import SHUTDOWN, TIMEOUT
from aybiza.actors.runtime.vm import VM

T = TypeVar("T")


class Task(Generic[T]):
    """A running computation; `pid` is its process."""

    def __init__(self, vm: VM, pid: Pid, outcome: asyncio.Future[T]) -> None:
        self._vm = vm
        self._outcome = outcome
        self.pid = pid

    @classmethod
    def start(
        cls,
        vm: VM,
        function: Callable[..., Coroutine[Any, Any, T]],
        *args: Any,
        link: bool = True,
    ) -> Task[T]:
        """Run the coroutine function as a process."""
        outcome: asyncio.Future[T] = vm.loop.create_future()
        outcome.add_done_callback(_seen)
        owed = From(vm.self(), outcome)

        async def body(_: Process) -> None:
            owed.answer(await function(*args))

        label = f"Task {getattr(function, '__qualname__', function)}"
        process = vm.spawn_process(body, label=label, link=link)
        process.callers = {owed: None}
        return cls(vm, process.pid, outcome)

    @classmethod
    def start_blocking(
        cls, vm: VM, function: Callable[..., T], *args: Any, link: bool = True
    ) -> Task[T]:
        """Run the plain function in the VM's thread pool, waited for by a process."""

        async def wait() -> T:
            return await vm.run_blocking(function, *args)

        wait.__qualname__ = getattr(function, "__qualname__", str(function))
        return cls.start(vm, wait, link=link)

    async def result(self, timeout: float | None = CALL_TIMEOUT) -> T:
        """The value, within `timeout` seconds; raises `CallExit` as `Task.await` exits.

        The reason is `TIMEOUT`, or why the task ended without a value. May be asked again.
        """
        if not self._outcome.done():
            await asyncio.wait((self._outcome,), timeout=timeout)
        if not self._outcome.done():
            raise CallExit(TIMEOUT, self.pid)
        failure = self._outcome.exception()
        if isinstance(failure, CallExit):
            raise CallExit(failure.reason, self.pid)
        return self._outcome.result()

    def shutdown(self) -> None:
        """End the task, if it still runs."""
        self._vm.exit(self.pid, SHUTDOWN)


async def first_ended(tasks: Sequence[Task[Any]], timeout: float | None) -> list[Task[Any]]:
    """Those of `tasks` that have ended, once one has or `timeout` seconds are over."""
    outcomes = [task._outcome for task in tasks]
    await asyncio.wait(outcomes, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    return [task for task in tasks if task._outcome.done()]


def _seen(outcome: asyncio.Future[Any]) -> None:
    # Nobody has to ask for the value of a task; its failure went out as an exit signal.
    if not outcome.cancelled():
        outcome.exception()
