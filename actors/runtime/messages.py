"""Messages with a meaning to the runtime. Anything else in a mailbox is the application's own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.reasons import Reason

Reply_co = TypeVar("Reply_co", covariant=True)


class Request(Generic[Reply_co]):
    """A base for requests: it tells a type checker what the reply of `VM.call` is.

        @dataclass(frozen=True, slots=True)
        class Add(Request[int]):
            amount: int

    `await vm.call(counter, Add(2))` is an int then. It costs nothing and changes nothing else.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Exit:
    """`{:EXIT, pid, reason}`: an exit signal that reached a process which traps exits.

    `pid` is None when the signal came from outside every process.
    """

    pid: Pid | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class Down:
    """`{:DOWN, ref, :process, pid, reason}`: the monitored process is gone."""

    ref: int
    pid: Any
    reason: Reason


@dataclass(frozen=True, slots=True)
class TaskResult:
    """`{ref, value}`: what the task `ref` has come to, for its owner; see `task.Task.async_`."""

    ref: int
    value: Any


@dataclass(frozen=True, slots=True)
class NodeUp:
    """`{:nodeup, node}`: the node `node` can be reached from now on; see `VM.monitor_nodes`."""

    node: str


@dataclass(frozen=True, slots=True)
class NodeDown:
    """`{:nodedown, node}`: it cannot be reached any more; `reason` says why, for people."""

    node: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Erlang's `timeout` message: nothing came within the `Timeout` that a callback returned."""


@dataclass(frozen=True, slots=True)
class TimerElapsed:
    """Erlang's `{timeout, ref, message}`: the timer of `VM.start_timer` with this `ref` is over."""

    ref: int
    message: Any


class From:
    """Who waits for a reply. Hand it to `reply` once; a late or second reply is dropped.

    `pid` is None outside every process; `future` is None where nobody waits.
    """

    __slots__ = ("_future", "pid")

    def __init__(self, pid: Pid | None, future: asyncio.Future[Any] | None) -> None:
        self.pid = pid
        # Let go of when it is done: an error in it would be held by the frames it went through.
        self._future = future

    def answer(self, value: Any) -> None:
        """Give `value` to the caller, if it still waits."""
        future = self._future
        if future is not None:
            self._future = None
            if not future.done():
                future.set_result(value)

    def fail(self, error: BaseException) -> None:
        """Raise `error` in the caller, if it still waits."""
        future = self._future
        if future is not None:
            self._future = None
            if not future.done():
                future.set_exception(error)

    @property
    def waiting(self) -> bool:
        """Whether the caller still waits."""
        return self._future is not None and not self._future.done()


class Call(From):
    """A request that wants a reply."""

    __slots__ = ("request",)
    shown_members = ("request",)

    def __init__(self, pid: Pid | None, future: asyncio.Future[Any] | None, request: Any) -> None:
        self.pid = pid
        self._future = future
        self.request = request

    def __repr__(self) -> str:
        return f"Call({self.request!r})"


class Cast:
    """A request without a reply."""

    __slots__ = ("request",)
    shown_members = ("request",)

    def __init__(self, request: Any) -> None:
        self.request = request

    def __repr__(self) -> str:
        return f"Cast({self.request!r})"


class System(Call):
    """A message of the `sys` module to the server's loop, past its callbacks."""

    __slots__ = ("name",)

    def __init__(
        self,
        pid: Pid | None,
        future: asyncio.Future[Any] | None,
        name: str,
        request: Any = None,
    ) -> None:
        super().__init__(pid, future, request)
        self.name = name

    def __repr__(self) -> str:
        return f"System({self.name!r})"
