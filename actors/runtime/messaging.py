"""`Messaging`: what processes send each other, and how one waits for an answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar, overload

from aybiza.actors.runtime.errors import CallExit, UnknownName, VMClosed
from aybiza.actors.runtime.messages import Call, Cast, From, Request, TimerElapsed
from aybiza.actors.runtime.pid import Dest, Pid
from aybiza.actors.runtime.process import INSIST_SECONDS, current_process
from aybiza.actors.runtime.reasons import CALLING_SELF, NOPROC, TIMEOUT, Reason
from aybiza.actors.runtime.relations import Relations
from aybiza.actors.runtime.time_limit import Act, TimeLimit
from aybiza.actors.runtime.timers import SHORTEST_INTERVAL, Tied, Timer, duration

if TYPE_CHECKING:
    from aybiza.actors.runtime.debug import Debug, Event

T = TypeVar("T")

CALL_TIMEOUT = 5.0


class Messaging(Relations):
    """The part of the VM that carries messages, on the loop that is its clock; see the module.

    `debugged` has, by the serials of their pids, the processes that are traced or counted; `tied`
    the timers that end with a process.
    """

    def __init__(self) -> None:
        super().__init__()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._call_limit: TimeLimit | None = None
        self._insistence: TimeLimit | None = None
        self.debugged: dict[int, Debug] = {}
        self.tied = Tied()

    def _open(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._call_limit = TimeLimit(loop, CALL_TIMEOUT)
        self._insistence = TimeLimit(loop, INSIST_SECONDS)

    def _close(self) -> None:
        if self._call_limit:
            self._call_limit.close()
        if self._insistence:
            self._insistence.close()
        self._loop = self._call_limit = self._insistence = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop of this VM."""
        if self._loop is None:
            raise VMClosed("the VM is not open: use `async with VM() as vm`")
        return self._loop

    def now(self) -> float:
        """Monotonic seconds of the VM's clock."""
        return self.loop.time()

    def self(self) -> Pid | None:
        """The pid of the process that runs this code; None outside every process."""
        process = current_process.get()
        return process.pid if process else None

    def send(self, dest: Dest, message: Any) -> None:
        """Put `message` into the mailbox of `dest`; to a dead process it is dropped.

        Raises `UnknownName` for a name that no process is registered under, as in Erlang. To
        another node it may raise `RemoteBusy`, or what pickling it raises.
        """
        if self.debugged:
            self._tell_tracer("send", dest, message)
        process = self.find(dest)
        if process is not None:
            process.deliver(message)
        elif self.remote is not None and (place := self.remote.place(dest)) is not None:
            self.remote.send(place, message)
        elif isinstance(dest, str):
            raise UnknownName(dest)

    def cast(self, dest: Dest, request: Any) -> None:
        """`GenServer.cast`: a request without a reply; to a dead process it is dropped."""
        if self.debugged:
            self._tell_tracer("send_cast", dest, request)
        process = self.find(dest)
        if process is not None:
            process.deliver(Cast(request))
        elif self.remote is not None and (place := self.remote.place(dest)) is not None:
            self.remote.cast(place, request)

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
            self._tell_tracer("send_call", dest, request)
        return self.request(dest, request, Call, timeout)

    async def request(
        self,
        dest: Dest,
        request: Any,
        envelope: Callable[[Pid | None, asyncio.Future[Any], Any], Call],
        timeout: float | None = CALL_TIMEOUT,
    ) -> Any:
        """Send `envelope(caller, future, request)` to `dest`, wait for the answer; see `call`."""
        target = self.find(dest)
        if target is None:
            if self.remote is not None and (place := self.remote.place(dest)) is not None:
                return await self.remote.request(place, request, envelope, timeout)
            raise CallExit(NOPROC, dest, request)
        caller = current_process.get()
        if target is caller:
            raise CallExit(CALLING_SELF, dest, request)
        loop = self.loop
        future: asyncio.Future[Any] = loop.create_future()
        message = envelope(caller.pid if caller else None, future, request)
        target.add_caller(message)
        target.deliver(message)
        timer = self.limit(message, timeout, _fail_call, dest)
        try:
            return await future
        finally:
            self.unlimit(message, timer)
            if target.callers:
                target.callers.pop(message, None)
            # An error's traceback holds this frame, and the frame must not hold the error.
            del future, message

    def _tell_tracer(self, event: Event, dest: Dest, message: Any) -> None:
        sender = current_process.get()
        debug = self.debugged.get(sender.pid.serial) if sender else None
        if debug is not None:
            debug.sent(event, dest, message)

    def limit(
        self, from_: From, timeout: float | None, act: Act, argument: Any
    ) -> asyncio.TimerHandle | None:
        """Call `act` in `timeout` seconds, unless `unlimit` is called with what this returns."""
        if timeout == CALL_TIMEOUT and self._call_limit:
            self._call_limit.add(from_, act, argument)
        elif timeout is not None:
            return self.loop.call_later(timeout, act, from_, argument)
        return None

    def unlimit(self, from_: From, timer: asyncio.TimerHandle | None) -> None:
        """`from_` waits no longer."""
        if timer is not None:
            timer.cancel()
        elif self._call_limit:
            self._call_limit.discard(from_)

    def send_after(self, dest: Dest, message: Any, seconds: float) -> Timer:
        """Send `message` to `dest` in `seconds`; the timer can be read and cancelled."""
        return self._timer(duration(seconds), dest, self._send_late, dest, message)

    def start_timer(self, dest: Dest, message: Any, seconds: float) -> Timer:
        """Like `send_after`; the message is `TimerElapsed(timer.ref, message)`."""
        ref = next(self._refs)
        timer = self.send_after(dest, TimerElapsed(ref, message), seconds)
        timer.ref = ref
        return timer

    def send_interval(self, dest: Dest, message: Any, seconds: float) -> Timer:
        """Send `message` to `dest` every `seconds`, until cancelled; see `timers` for its end."""
        act = (self._send_late, dest, message)
        timer = Timer(self.loop, duration(seconds, least=SHORTEST_INTERVAL), *act, every=True)
        return self._tie(timer, dest if isinstance(dest, Pid) else self.self())

    def _timer(self, seconds: float, dest: Dest, act: Callable[..., None], *args: Any) -> Timer:
        timer = Timer(self.loop, seconds, act, *args)
        return self._tie(timer, dest if isinstance(dest, Pid) else None)

    def _tie(self, timer: Timer, pid: Pid | None) -> Timer:
        if pid is not None:
            if self.find(pid) is not None:
                self.tied.tie(timer, pid)
            elif self._place(pid) is None:
                timer.cancel()
        return timer

    def _send_late(self, dest: Dest, message: Any) -> None:
        with contextlib.suppress(UnknownName):
            self.send(dest, message)

    async def join(self, dest: Dest, timeout: float | None = CALL_TIMEOUT) -> Reason:
        """Wait until the process at `dest` is gone and return its reason, `NOPROC` if it was.

        Raises `TimeoutError` after `timeout` seconds.
        """
        target = self.find(dest)
        if target is None:
            if self.remote is not None and (place := self.remote.place(dest)) is not None:
                return await self.remote.join_process(place, timeout)
            return NOPROC
        gone: asyncio.Future[Reason] = self.loop.create_future()
        waiting = _Joiner(self.self(), gone)
        target.add_caller(waiting)
        try:
            async with asyncio.timeout(timeout):
                return await gone
        finally:
            if target.callers:
                target.callers.pop(waiting, None)


class _Joiner(From):
    """Waits for the end itself: the reason is the answer."""

    __slots__ = ()

    def fail(self, error: BaseException) -> None:
        assert isinstance(error, CallExit)
        self.answer(error.reason)


def _fail_call(from_: From, dest: Dest) -> None:
    assert isinstance(from_, Call)
    from_.fail(CallExit(TIMEOUT, dest, from_.request))
