"""`Messaging`: what processes send each other, and how one waits for an answer or an end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, Protocol, TypeAlias

from aybiza.actors.runtime.directory import Directory
from aybiza.actors.runtime.errors import UNSET, CallExit, UnknownName, VMClosed
from aybiza.actors.runtime.messages import Call, Cast, From, System
from aybiza.actors.runtime.pid import Dest, Pid
from aybiza.actors.runtime.process import current_process
from aybiza.actors.runtime.reasons import CALLING_SELF, NOPROC, NORMAL, TIMEOUT, Reason, is_same
from aybiza.actors.runtime.teaching import calls_itself, from_another_loop, not_open
from aybiza.actors.runtime.time_limit import TimeLimit, TimeLimits, seconds_of

CALL_TIMEOUT = 5.0

Envelope: TypeAlias = Callable[[Pid | None, asyncio.Future[Any], Any], Call]
Sent: TypeAlias = Literal["send", "send_cast", "send_call"]


class Tracer(Protocol):
    """What watches one process; see `debug`."""

    def sent(self, event: Sent, dest: Dest, message: Any) -> None:
        """The process is about to send `message` to `dest`."""


class Messaging:
    """See the module. `directory` finds whom a `dest` means; `limits` is the clock. `debugged` has,
    by the serials of their pids, who watches what processes send."""

    def __init__(
        self, directory: Directory, limits: TimeLimits, debugged: Mapping[int, Tracer]
    ) -> None:
        self._directory = directory
        self._limits = limits
        self._debugged = debugged
        self._usual_limit: TimeLimit | None = None

    def open(self) -> None:
        """The clock runs."""
        self._usual_limit = self._limits.of(CALL_TIMEOUT)

    def close(self) -> None:
        """It does not any more."""
        self._usual_limit = None

    def send(self, dest: Dest, message: Any) -> None:
        """Put `message` into the mailbox of `dest`; to a dead process it is dropped.

        Raises `UnknownName` for a name that no process is registered under, as in Erlang. To
        another node it may raise `RemoteBusy`, or what pickling it raises.
        """
        if self._debugged:
            self.tell_tracer("send", dest, message)
        process = self._directory.find(dest)
        if process is not None:
            process.deliver(message)
        elif (there := self._directory.elsewhere(dest)) is not None:
            there.remote.send(there.place, message)
        else:
            self._directory.refuse(dest)

    def send_late(self, dest: Dest, message: Any) -> None:
        """`send` for a timer: nobody is told that a name is nobody's by now."""
        with contextlib.suppress(UnknownName):
            self.send(dest, message)

    def cast(self, dest: Dest, request: Any) -> None:
        """`GenServer.cast`: a request without a reply; to a dead process it is dropped."""
        if self._debugged:
            self.tell_tracer("send_cast", dest, request)
        process = self._directory.find(dest)
        if process is not None:
            process.deliver(Cast(request))
        elif (there := self._directory.elsewhere(dest)) is not None:
            there.remote.cast(there.place, request)
        elif not isinstance(dest, str):
            self._directory.refuse(dest)

    async def request(
        self, dest: Dest, request: Any, envelope: Envelope, timeout: float | None = CALL_TIMEOUT
    ) -> Any:
        """Send `envelope(caller, future, request)` to `dest`, wait for the answer; see `call`."""
        limit = self._usual_limit
        if timeout != CALL_TIMEOUT or limit is None:
            limit = None if timeout is None else self._limits.of(timeout)
            timeout = None if limit is None else limit.seconds
        target = self._directory.find(dest)
        if target is None:
            if (there := self._directory.elsewhere(dest)) is not None:
                return await there.remote.request(there.place, request, envelope, timeout)
            if not self._limits.running:
                raise VMClosed(not_open())
            raise CallExit(NOPROC, dest, request, self._directory.advice_on(dest))
        caller = current_process.get()
        if target is caller:
            raise CallExit(CALLING_SELF, dest, request, partial(calls_itself, dest))
        future: asyncio.Future[Any] = self._limits.loop.create_future()
        message = envelope(caller.pid if caller else None, future, request)
        callers = target.callers
        if callers is None:
            target.callers = callers = {}
        # Who has been told to end is as good as dead to all who ask later.
        callers[message] = None if target.exiting is UNSET else NOPROC
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

    def tell_tracer(self, event: Sent, dest: Dest, message: Any) -> None:
        """Tell who watches the running process that it sends."""
        sender = current_process.get()
        tracer = self._debugged.get(sender.pid.serial) if sender else None
        if tracer is not None:
            tracer.sent(event, dest, message)

    async def join(self, dest: Dest, timeout: float | None = CALL_TIMEOUT) -> Reason:
        """Wait until the process at `dest` is gone and return its reason, `NOPROC` if it was.

        Raises `TimeoutError` after `timeout` seconds.
        """
        timeout = None if timeout is None else seconds_of(timeout)
        target = self._directory.find(dest)
        if target is None:
            if (there := self._directory.elsewhere(dest)) is not None:
                return await there.remote.join_process(there.place, timeout)
            return NOPROC
        gone: asyncio.Future[Reason] = self._limits.loop.create_future()
        caller = current_process.get()
        waiting = _Joiner(caller.pid if caller else None, gone)
        target.add_caller(waiting)
        try:
            async with asyncio.timeout(timeout):
                return await gone
        finally:
            if target.callers:
                target.callers.pop(waiting, None)

    async def stop(
        self, dest: Dest, reason: Reason = NORMAL, timeout: float | None = CALL_TIMEOUT
    ) -> None:
        """`GenServer.stop`: ask the server to end in order with `reason`, and wait until it has.

        Raises `CallExit` with `NOPROC`, `TIMEOUT`, or the reason it really ended with.
        """
        timeout = None if timeout is None else seconds_of(timeout)
        target = self._directory.find(dest)
        there = None if target is not None else self._directory.elsewhere(dest)
        if target is None and there is None:
            raise CallExit(NOPROC, dest, advice=self._directory.advice_on(dest))
        if target is not None and target is current_process.get():
            raise CallExit(CALLING_SELF, dest)
        try:
            if target is not None:
                too_late = target.exiting is not UNSET
                target.deliver(System(None, None, "terminate", reason))
                ended = await self.join(target.pid, timeout)
                if too_late:
                    ended = NOPROC
            else:
                assert there is not None
                ended = await there.remote.stop(there.place, reason, timeout)
        except TimeoutError:
            ended = TIMEOUT
        if not is_same(ended, reason):
            raise CallExit(ended, dest)


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
