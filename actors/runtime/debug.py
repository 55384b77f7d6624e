"""Debugging a running server: what `sys.trace` and `sys.statistics` switch on.

The callbacks of a server that is debugged are wrapped, so that one that is not pays nothing for
it. Events and their texts are those of Erlang's `sys:trace`, and besides them what the server
sends. What `reply` answers later is not seen, as in OTP. Events about events are not told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from aybiza.actors.runtime.crash_report import brief
from aybiza.actors.runtime.errors import PROGRAM_ENDS, UNSET, RemoteBusy, Stop
from aybiza.actors.runtime.gen_server import (
    NO_REPLY,
    THEN_TYPES,
    Callback,
    Callbacks,
    GenServer,
    NoReply,
    Reply,
)
from aybiza.actors.runtime.messages import From
from aybiza.actors.runtime.pid import Dest, Pid
from aybiza.actors.runtime.process import Process
from aybiza.config.said import shape

Event: TypeAlias = Literal[
    "call", "cast", "info", "continue", "reply", "state", "send", "send_cast", "send_call", "end"
]

_TEXTS: dict[str, str] = {
    "call": "got call {message} from {peer}",
    "cast": "got cast {message}",
    "info": "got {message}",
    "continue": "dbg Continue({message})",
    "reply": "sent {message} to {peer}, new state {state}",
    "state": "new state {state}",
    "send": "sent {message} to {peer}",
    "send_cast": "sent cast {message} to {peer}",
    "send_call": "sent call {message} to {peer}",
    "end": "is not traced any more, after {message} events",
}


@dataclass(frozen=True, slots=True)
class Traced:
    """One event of a traced server; its `str` is a line as Erlang prints it.

    `message` is what came or went, `peer` from or to whom. `state` is the server's state after
    the callback, in events `reply` and `state`. The values are the server's own: do not change
    them, and expect them to change.
    """

    pid: Pid
    name: str | None
    event: Event
    message: Any = None
    peer: Dest | None = None
    state: Any = None

    def __str__(self) -> str:
        return f"*DBG* {self.name or self.pid} {self.text}"

    @property
    def bare(self) -> str:
        """The same without what messages and states hold: their shapes alone."""
        return _TEXTS[self.event].format(
            message=shape(self.message), peer=self.peer, state=shape(self.state)
        )

    @property
    def text(self) -> str:
        """What happened, without whom it happened to; long values are cut."""
        return _TEXTS[self.event].format(
            message=brief.repr(self.message), peer=self.peer, state=brief.repr(self.state)
        )


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counted since `start_time`; times are seconds of the VM's clock.

    `messages_in` are the calls, casts and other messages that were handled, `messages_out` the
    replies that `handle_call` returned.
    """

    start_time: float
    current_time: float
    reductions: int
    messages_in: int
    messages_out: int


@dataclass(frozen=True, slots=True)
class _Watched:
    handle_call: Callback
    handle_cast: Callback
    handle_info: Callback
    handle_continue: Callback


Tracer: TypeAlias = Callable[[Traced], None]


class Debug:
    """What is watched of one process."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._to: bool | Tracer | Dest = False
        self._limit = self._told = 0
        self._telling = False
        self._since: tuple[float, int] | None = None
        self._in = self._out = 0

    @property
    def used(self) -> bool:
        """Whether anything is watched."""
        return self._to is not False or self._since is not None

    def trace(self, to: bool | Tracer | Dest, limit: int) -> None:
        """Tell `to` of the next `limit` events."""
        self._to, self._limit, self._told = to, limit, 0

    def count(self, on: bool) -> None:
        """Begin to count, unless it has begun, or stop."""
        if not on:
            self._since = None
        elif self._since is None:
            self._since = (self._process.vm.now(), self._process.reductions)
            self._in = self._out = 0

    def statistics(self) -> Statistics | None:
        """What has been counted; None when nothing is."""
        if self._since is None:
            return None
        began, reductions = self._since
        process = self._process
        return Statistics(
            start_time=began,
            current_time=process.vm.now(),
            reductions=process.reductions - reductions,
            messages_in=self._in,
            messages_out=self._out,
        )

    def wrapped(self, server: GenServer) -> Callbacks:
        """The callbacks of `server`, each watched."""

        async def handle_call(request: Any, from_: From) -> Any:
            self._got("call", request, from_.pid)
            try:
                result = await server.handle_call(request, from_)
            except Stop as stop:
                if stop.reply is not UNSET:
                    self._replied(stop.reply, from_, server)
                raise
            kind = type(result)
            if kind is Reply:
                self._replied(result.value, from_, server)
            elif kind is NoReply or result is NO_REPLY:
                self._tell("state", state=server)
            elif kind not in THEN_TYPES:
                self._replied(result, from_, server)
            return result

        def watched(event: Event, callback: Callback) -> Callback:
            async def handle(message: Any) -> Any:
                if type(message) is Traced:
                    self._in += 1
                    return await callback(message)
                self._got(event, message)
                then = await callback(message)
                self._tell("state", state=server)
                return then

            return handle

        return _Watched(
            handle_call=handle_call,
            handle_cast=watched("cast", server.handle_cast),
            handle_info=watched("info", server.handle_info),
            handle_continue=watched("continue", server.handle_continue),
        )

    def sent(self, event: Event, dest: Dest, message: Any) -> None:
        """The process has sent `message` to `dest`."""
        self._tell(event, message, dest)

    def _got(self, event: Event, message: Any, peer: Pid | None = None) -> None:
        self._in += event != "continue"
        self._tell(event, message, peer)

    def _replied(self, value: Any, from_: From, server: GenServer) -> None:
        self._out += 1
        self._tell("reply", value, from_.pid, server)

    def _tell(
        self,
        event: Event,
        message: Any = None,
        peer: Dest | None = None,
        state: GenServer | None = None,
    ) -> None:
        # What a tracer itself sends, in the traced process's name, is no event.
        if self._to is False or self._telling:
            return
        shown = None if state is None else _state_of(state)
        self._telling = True
        try:
            self._hand_over(event, message, peer, shown)
            self._told += 1
            if self._told >= self._limit:
                self._hand_over("end", self._told)
                self._to = False
        finally:
            self._telling = False

    def _hand_over(
        self, event: Event, message: Any = None, peer: Dest | None = None, state: Any = None
    ) -> None:
        process, vm, to = self._process, self._process.vm, self._to
        told = Traced(process.pid, vm.name_of(process), event, message, peer, state)
        if to is False:
            return
        if to is True:
            # Made text here, because the values may have changed when the log is written.
            vm.report_trace(process, told.text if vm.shows_values else told.bare)
        elif callable(to):
            try:
                to(told)
            except PROGRAM_ENDS:
                raise
            except BaseException as failure:
                self._to = False
                vm.report_failed_observer(to, failure)
        elif (tracer := vm.find(to)) is not None:
            tracer.deliver(told)
        elif not self._send_away(to, told):
            self._to = False

    def _send_away(self, to: Dest, told: Traced) -> bool:
        """Tell a process of another node; False if that cannot be reached."""
        remote = self._process.vm.remote
        place = None if remote is None else remote.place(to)
        if remote is None or place is None or not remote.reaches(place):
            return False
        as_text = replace(told, message=brief.repr(told.message), state=brief.repr(told.state))
        for event in (told, as_text):
            try:
                remote.send(place, event)
                break
            except RemoteBusy:
                break  # an event is left out before the traced server is held up
            except PROGRAM_ENDS:
                raise
            except BaseException:
                continue
        return True


def debug_of(process: Process) -> Debug:
    """The `Debug` of a process, made if there is none."""
    return process.vm.debugged.setdefault(process.pid.serial, Debug(process))


def drop_unused(process: Process) -> None:
    """Stop to watch a process of which nothing is watched any more."""
    debug = process.vm.debugged.get(process.pid.serial)
    if debug is not None and not debug.used:
        del process.vm.debugged[process.pid.serial]


def _state_of(server: GenServer) -> Any:
    try:
        return server.get_state()
    except PROGRAM_ENDS:
        raise
    except BaseException as error:
        return f"<not shown: get_state raises {type(error).__name__}>"


# What `sys` has done in a server, by functions that travel to those of other nodes.


def set_trace(to: bool | Tracer | Dest, limit: int, process: Process) -> None:
    """`sys.trace`."""
    debug_of(process).trace(to, limit)
    drop_unused(process)


def set_count(on: bool | None, process: Process) -> Statistics | None:
    """`sys.statistics`."""
    debug = debug_of(process)
    if on is not None:
        debug.count(on)
    drop_unused(process)
    return debug.statistics()
