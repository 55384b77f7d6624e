"""`Messaging`: what processes send each other, and how one waits for an answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, TypeVar, overload

from aybiza.actors.runtime.errors import CallExit, UnknownName, VMClosed
from aybiza.actors.runtime.messages import Call, Cast, From, Request, TimerElapsed
from aybiza.actors.runtime.pid import Dest, Pid
from aybiza.actors.runtime.process import current_process
from aybiza.actors.runtime.reasons import CALLING_SELF, NOPROC, TIMEOUT, Reason
from aybiza.actors.runtime.relations import Relations
from aybiza.actors.runtime.teaching import calls_itself, from_another_loop, not_open
from aybiza.actors.runtime.time_limit import TimeLimit, TimeLimits, seconds_of
from aybiza.actors.runtime.timers import SHORTEST_INTERVAL, Tied, Timer, duration

if TYPE_CHECKING:
    from aybiza.actors.runtime.debug import Debug, Event

T = TypeVar("T")

CALL_TIMEOUT = 5.0

Envelope: TypeAlias = Callable[[Pid | None, asyncio.Future[Any], Any], Call]


class _NoLoop:
    """Stands for the loop of a VM that is not open."""

    def __getattr__(self, name: str) -> NoReturn:
        raise VMClosed(not_open())


_NO_LOOP: Any = _NoLoop()


class Messaging(Relations):
    """The part of the VM that carries messages, on the loop that is its clock; see the module.

    `loop` is the event loop; whatever is asked of it raises `VMClosed` while there is none.
    `debugged` has, by the serials of their pids, the processes that are traced or counted; `tied`
    the timers that end with a process.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop: asyncio.AbstractEventLoop = _NO_LOOP
        self._limits: TimeLimits | None = None
        self._usual_limit: TimeLimit | None = None
        self.debugged: dict[int, Debug] = {}
        self.tied = Tied()

    def _open(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._limits = TimeLimits(loop)
        self._usual_limit = self._limits.of(CALL_TIMEOUT)

    def _close(self) -> None:
        self.tied.close()
        if self._limits:
            self._limits.close()
        self._limits = self._usual_limit = None
        self.loop = _NO_LOOP

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
        else:
            self.refuse(dest)

    def cast(self, dest: Dest, request: Any) -> None:
        """`GenServer.cast`: a request without a reply; to a dead process it is dropped."""
        if self.debugged:
            self._tell_tracer("send_cast", dest, request)
        process = self.find(dest)
        if process is not None:
            process.deliver(Cast(request))
        elif self.remote is not None and (place := self.remote.place(dest)) is not None:
            self.remote.cast(place, request)
        elif not isinstance(dest, str):
            self.refuse(dest)

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
        envelope: Envelope,
        timeout: float | None = CALL_TIMEOUT,
    ) -> Any:
        """Send `envelope(caller, future, request)` to `dest`, wait for the answer; see `call`."""
        limit = self._usual_limit
        if timeout != CALL_TIMEOUT or limit is None:
            limit = None if timeout is None else self.limit(timeout)
            timeout = None if limit is None else limit.seconds
        target = self.find(dest)
        if target is None:
            if self.remote is not None and (place := self.remote.place(dest)) is not None:
                return await self.remote.request(place, request, envelope, timeout)
            if self.loop is _NO_LOOP:
                raise VMClosed(not_open())
            raise CallExit(NOPROC, dest, request, self.advice_on(dest))
        caller = current_process.get()
        if target is caller:
            raise CallExit(CALLING_SELF, dest, request, partial(calls_itself, dest))
        future: asyncio.Future[Any] = self.loop.create_future()
        message = envelope(caller.pid if caller else None, future, request)
        callers = target.callers
        if callers is None:
            target.callers = callers = {}
        callers[message] = None
        target.deliver(message)
        if limit is not None:
            limit.add(message, _fail_call, dest)
        try:
            return await future
        except RuntimeError as error:
            if "different loop" in str(error):
                raise from_another_loop() from None
            raise
        finally:
            if limit is self._usual_limit and limit is not None:
                limit.waiting.pop(message, None)
            elif limit is not None:
                limit.discard(message)
            callers.pop(message, None)
            # An error's traceback holds this frame, and the frame must not hold the error.
            del future, message

    def _tell_tracer(self, event: Event, dest: Dest, message: Any) -> None:
        sender = current_process.get()
        debug = self.debugged.get(sender.pid.serial) if sender else None
        if debug is not None:
            debug.sent(event, dest, message)

    def limit(self, seconds: float) -> TimeLimit:
        """The limit of `seconds`, to which who waits is added."""
        if self._limits is None:
            raise VMClosed(not_open())
        return self._limits.of(seconds)

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
        if pid is None or self.find(pid) is not None:
            self.tied.tie(timer, pid)
        elif self._place(pid) is not None:
            self.tied.tie(timer, None)
        else:
            timer.cancel()
        return timer

    def _send_late(self, dest: Dest, message: Any) -> None:
        with contextlib.suppress(UnknownName):
            self.send(dest, message)

    async def join(self, dest: Dest, timeout: float | None = CALL_TIMEOUT) -> Reason:
        """Wait until the process at `dest` is gone and return its reason, `NOPROC` if it was.

        Raises `TimeoutError` after `timeout` seconds.
        """
        timeout = None if timeout is None else seconds_of(timeout)
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


# Python tells by this name of a call that nobody awaits.
Messaging.request.__qualname__ = "VM.call"


def _fail_call(from_: From, dest: Dest) -> None:
    assert isinstance(from_, Call)
    from_.fail(CallExit(TIMEOUT, dest, from_.request))
