"""`Owed`: what a task on another node owes a process of this one.

`TaskSupervisor` sends it there with the task's function. It travels as the `From` of a call does;
the value comes back as a reply, and then the reason of the task's end. So the owner's `Debt` is
told the same two things as that of a task of this node, or the loss of the node. What comes ahead
of the news that the task runs waits for that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from aybiza.actors.cluster import signals
from aybiza.actors.cluster.replies import RemoteFrom, Replies
from aybiza.actors.cluster.requests import Requests
from aybiza.actors.runtime.errors import CallExit
from aybiza.actors.runtime.messages import From
from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.task_debt import Debt


class Owed(From):
    """See the module. `started` says which process owes it, `drop` that none does."""

    __slots__ = ("_debt", "_early", "_replies", "_requests")

    def __init__(self, debt: Debt, replies: Replies, requests: Requests) -> None:
        super().__init__(debt.pid, None)
        self._debt = debt
        self._replies = replies
        self._requests = requests
        self._early: list[Callable[[], None]] = []
        replies.hold(self)

    def started(self, pid: Pid) -> None:
        """The task runs as `pid`."""
        self._debt.there = pid
        self._requests.end_of(pid.node, pid).add_done_callback(self._ended)
        early, self._early = self._early, []
        for act in early:
            act()

    def drop(self) -> None:
        """The task did not start."""
        self._replies.release(self)

    def answer(self, value: Any) -> None:
        """The task has its value."""
        if self._debt.there is None:
            self._early.append(partial(self.answer, value))
        else:
            self._debt.answer(value)

    def fail(self, error: BaseException) -> None:
        """The task has ended, or its value does not travel; nothing else is told after that."""
        if self._debt.there is None:
            self._early.append(partial(self.fail, error))
        elif self._replies.release(self):
            reason = error.reason if isinstance(error, CallExit) else error
            self._debt.fail(CallExit(reason, self._debt.there))

    def _ended(self, end: asyncio.Future[Any]) -> None:
        error = None if end.cancelled() else end.exception()
        if error is not None:
            self.fail(error)

    def __reduce__(self) -> tuple[Any, ...]:
        return _received_owed, signals.lent(self)[1]


class OwedElsewhere(RemoteFrom):
    """What a task of this node owes a process of another; held by both of its ends."""

    __slots__ = ()

    def answer(self, value: Any) -> None:
        """Send the value; the end is still to be told."""
        way = self._way
        super().answer(value)
        self._way = way


def _received_owed(pid: Pid | None, node: str, creation: int, ref: int) -> OwedElsewhere:
    return OwedElsewhere(pid, node, creation, ref)
