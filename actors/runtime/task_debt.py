"""`Debt`: what a task owes the process that owns it, and how the owner gets it.

A task owes its value, as a `TaskResult`, and the news of its end, as a `Down`; both bear the
debt's `ref`. They go into the owner's mailbox, where they stay until somebody takes them, unless
`Arrivals` waits for them at that moment. A debt without an owner keeps them instead.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Self, TypeAlias

from aybiza.actors.runtime.errors import CallExit
from aybiza.actors.runtime.messages import Down, From, TaskResult
from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.process import Process, unlink_both
from aybiza.actors.runtime.time_limit import seconds_of

Told: TypeAlias = TaskResult | Down

# Those of monitors count up.
_refs = itertools.count(-1, -1)


class Debt(From):
    """See the module. `process` is the task's; None for a task that never ran, and for one of
    another node, whose pid is `there`."""

    __slots__ = ("given", "kept", "open", "owner", "process", "ref", "takers", "there")

    def __init__(self, owner: Process | None) -> None:
        super().__init__(owner.pid if owner else None, None)
        self.owner = owner
        self.process: Process | None = None
        self.there: Pid | None = None
        self.ref = next(_refs)
        self.open = True
        # How much of it went into the owner's mailbox; where nothing did, nobody need look.
        self.given = 0
        self.kept: list[Told] = []
        self.takers: list[Callable[[Debt, Told], None]] = []

    @property
    def task(self) -> Pid | None:
        """The task's process; None for a task that never ran."""
        return self.there if self.process is None else self.process.pid

    def part(self, owner: Process) -> None:
        """Undo the link between the task and its owner."""
        if self.process is not None:
            unlink_both(owner, self.process)
        elif self.there is not None and (remote := owner.vm.remote) is not None:
            remote.unlink(owner, remote.place(self.there))

    def answer(self, value: Any) -> None:
        """The task has its value."""
        self._tell(TaskResult(self.ref, value))

    def fail(self, error: BaseException) -> None:
        """The task has ended; `error` says with which reason."""
        assert isinstance(error, CallExit)
        self._tell(Down(self.ref, error.dest, error.reason))

    def _tell(self, message: Told) -> None:
        if not self.open:
            return
        if self.owner is None:
            self.kept.append(message)
        for taker in self.takers:
            taker(self, message)
        if self.owner is not None and not self.takers:
            self.give_back(message)

    def give_back(self, message: Told) -> None:
        """Put into the owner's mailbox what nobody has taken."""
        if self.owner is not None and self.owner.alive:
            self.given += 1
            self.owner.deliver(message)

    def take(self) -> Told | None:
        """The first that was told and is still there."""
        if self.owner is None:
            return self.kept[0] if self.kept else None
        return self._take_back(self._tells)

    def all_told(self) -> list[Told]:
        """All that was told and is still there, in its order."""
        if self.owner is None:
            return list(self.kept)
        return list(iter(self.take, None))

    def close(self) -> None:
        """Tell the owner nothing more, and take back a `Down` that waits in its mailbox."""
        if self.owner is not None:
            self.open = False
            self._take_back(lambda message: type(message) is Down and message.ref == self.ref)

    def _take_back(self, wanted: Callable[[Any], bool]) -> Told | None:
        told: Told | None = None
        if self.given and self.owner is not None:
            told = self.owner.take(wanted)
            self.given -= told is not None
        return told

    def _tells(self, message: Any) -> bool:
        return type(message) in (TaskResult, Down) and message.ref == self.ref


class Arrivals:
    """What some debts tell from now on, in its order, past the mailbox of their owner.

    A context: what nobody has asked for until its end goes into the mailbox.
    """

    __slots__ = ("_arrived", "_debts", "_loop", "_waiter")

    def __init__(self, loop: asyncio.AbstractEventLoop, debts: Iterable[Debt]) -> None:
        self._loop = loop
        self._arrived: deque[tuple[Debt, Told]] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._debts = list(debts)

    def __enter__(self) -> Self:
        for debt in self._debts:
            debt.takers.append(self._arrive)
        return self

    def __exit__(self, *_: object) -> None:
        for debt in self._debts:
            debt.takers.remove(self._arrive)
        for debt, message in self._arrived:
            if debt.open or type(message) is TaskResult:
                debt.give_back(message)

    def _arrive(self, debt: Debt, message: Told) -> None:
        self._arrived.append((debt, message))
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def next(self, timeout: float | None) -> tuple[Debt, Told] | None:
        """What is told next; None after `timeout` seconds."""
        if timeout is not None:
            timeout = seconds_of(timeout)
        if not self._arrived and (timeout is None or timeout > 0):
            self._waiter = self._loop.create_future()
            await asyncio.wait((self._waiter,), timeout=timeout)
        return self._arrived.popleft() if self._arrived else None


def first_told(debts: Iterable[Debt]) -> tuple[Debt, Told] | None:
    """What was told first of any of these debts of one owner, and is still there."""
    by_ref = {debt.ref: debt for debt in debts}
    for debt in by_ref.values():
        if debt.owner is not None and debt.given:
            told = debt.owner.take(
                lambda message: type(message) in (TaskResult, Down) and message.ref in by_ref
            )
            if told is None:
                return None
            by_ref[told.ref].given -= 1
            return by_ref[told.ref], told
        if debt.kept:
            return debt, debt.kept[0]
    return None
