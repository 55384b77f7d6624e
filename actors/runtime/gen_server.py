"""`GenServer`: a process with callbacks, as Erlang's `gen_server` and Elixir's `GenServer`.

    class Counter(GenServer):
        async def init(self, start: int) -> None:
            self.count = start

        async def handle_call(self, request, from_):
            self.count += 1
            return self.count

The state is the instance, built anew by every start. What a callback returns:

===================  =========================================================================
`init`               None, `IGNORE`, `Continue(x)`, `Timeout(seconds)` or `HIBERNATE`
`handle_call`        the reply; `Reply(value, then)`; `NO_REPLY` (answer later with `reply`), or
                     `NoReply(then)`
the other handlers   None, `Continue(x)`, `Timeout(seconds)` or `HIBERNATE`
===================  =========================================================================

`then` is a `Continue`, a `Timeout` or `HIBERNATE`, which changes nothing. Any callback may `raise
Stop(reason)`. Whatever else a callback raises is a crash. `terminate(reason)` runs after a stop or
a crash, and after an exit signal only if the server traps exits. A returned value without a meaning
ends the server with `BadReturnValue`; so does a `Continue`, a `Timeout`, `HIBERNATE` or `IGNORE`
returned as a reply.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from types import CoroutineType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, TypeAlias

from aybiza.actors.runtime.errors import (
    PROGRAM_ENDS,
    UNSET,
    ExitError,
    Stop,
    own_traceback,
    reason_of,
)
from aybiza.actors.runtime.messages import Call, Cast, Exit, From, System, TimedOut
from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.process import Body, Process
from aybiza.actors.runtime.reasons import FUNCTION_CLAUSE, BadReturnValue, Reason
from aybiza.actors.runtime.starting import Startable
from aybiza.actors.runtime.state_machine import HIBERNATE, Hibernate
from aybiza.actors.runtime.teaching import (
    CALLBACKS,
    at,
    bad_return,
    check_callbacks,
    is_not_awaitable,
    line_of,
    short,
    stray_coroutine,
)
from aybiza.actors.runtime.timers import Timer
from aybiza.actors.runtime.vm import VM

# A default for what is left out is for the type checker; before Python 3.13 it is not known.
if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Calls = TypeVar("Calls", default=Any)
    Casts = TypeVar("Casts", default=Any)
else:
    from typing import TypeVar

    Calls = TypeVar("Calls")
    Casts = TypeVar("Casts")


class _Marker:
    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name

    def __reduce__(self) -> str:
        return self._name


NO_REPLY: Final = _Marker("NO_REPLY")
IGNORE: Final = _Marker("IGNORE")


@dataclass(frozen=True, slots=True)
class Continue:
    """Run `handle_continue(value)` before the next message."""

    value: Any


@dataclass(frozen=True, slots=True)
class Timeout:
    """Give `handle_info` a `TimedOut` if no message comes within `seconds`."""

    seconds: float


Then: TypeAlias = Continue | Timeout | Hibernate | None
Callback: TypeAlias = Callable[..., Coroutine[Any, Any, Any]]


class Callbacks(Protocol):
    """What the loop of a server calls: the server, or what watches it."""

    @property
    def handle_call(self) -> Callback: ...
    @property
    def handle_cast(self) -> Callback: ...
    @property
    def handle_info(self) -> Callback: ...
    @property
    def handle_continue(self) -> Callback: ...


@dataclass(frozen=True, slots=True)
class Reply:
    """From `handle_call`: reply with `value`, then do `then`."""

    value: Any
    then: Then = None


@dataclass(frozen=True, slots=True)
class NoReply:
    """From `handle_call`: no reply yet; do `then`."""

    then: Then = None


class FunctionClause(ExitError):
    """No clause of the callback fits the message: the reason is `FUNCTION_CLAUSE`."""

    def __init__(self, server: Any, message: Any) -> None:
        super().__init__(FUNCTION_CLAUSE)
        meant = stray_coroutine(message)
        self.add_note(meant or f"{type(server).__name__} does not understand {message!r}")


class GenServer(Startable, Generic[Calls, Casts]):
    """Base of all servers; see the module. Override the callbacks; make instances by `VM.start`.

    A class that sets `traps_exits` is told of links' exit signals by `Exit` messages. One that
    names the types of its requests, `GenServer[Get | Add, Reset]` for calls and casts, is checked
    by a type checker to handle all of them; left out, they may be anything. One that sets
    `lets_go` has nothing left but its process when that has ended, however it did: as on the BEAM
    its memory is free at once, though its parts hold its methods.
    """

    traps_exits: ClassVar[bool] = False
    lets_go: ClassVar[bool] = False
    _awaited: ClassVar[Mapping[str, tuple[str, ...] | None]] = CALLBACKS
    _process: Process

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        check_callbacks(cls, cls._awaited)

    if not TYPE_CHECKING:

        def __class_getitem__(cls, types):
            # Before Python 3.13 `Generic` takes no default for a type that is left out.
            given = types if isinstance(types, tuple) else (types,)
            left_out = (Any,) * (len(cls.__parameters__) - len(given))
            return super().__class_getitem__((*given, *left_out))

    @classmethod
    def body(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Body:
        """What the process of such a server runs; for `VM.start`."""
        return partial(_serve, cls, args, kwargs)

    async def init(self, *args: Any, **kwargs: Any) -> Any:
        """Build the state. The starter waits for it."""
        return None

    async def handle_call(self, request: Calls, from_: From) -> Any:
        """A request whose sender waits for a reply."""
        raise FunctionClause(self, request)

    async def handle_cast(self, request: Casts) -> Any:
        """A request without a reply."""
        raise FunctionClause(self, request)

    async def handle_info(self, message: Any) -> Any:
        """Any other message; one that is not understood is logged and dropped."""
        self._process.vm.report_unexpected(self._process, message)

    async def handle_continue(self, value: Any) -> Any:
        """What a callback asked for by `Continue(value)`."""
        raise FunctionClause(self, value)

    async def terminate(self, reason: Reason) -> None:
        """Clean up before the end."""

    def _check_init(self) -> None:
        """Raise what is wrong with a server whose `init` has returned."""

    async def _undo_init(self) -> None:
        """End in order what an `init` has started that failed or returned `IGNORE`."""

    def get_state(self) -> Any:
        """What `sys.get_state` and crash reports show: the instance's public attributes."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def set_state(self, state: Any) -> None:
        """What `sys.replace_state` does with the state that its function returns."""
        if not isinstance(state, Mapping):
            raise TypeError(
                f"the state of {type(self).__name__} is a dict of its attributes: the function of "
                f"sys.replace_state returned {short(state)}"
            )
        for name, value in state.items():
            setattr(self, name, value)

    def _begun(self, result: Any) -> Any:
        """What is to be done after an `init` that returned `result`; for kinds of servers."""
        return result

    @property
    def pid(self) -> Pid:
        """This process."""
        return self._process.pid

    @property
    def vm(self) -> VM:
        """The VM it lives in."""
        return self._process.vm

    def trap_exit(self, on: bool = True) -> None:
        """Turn exit signals into `Exit` messages, or back."""
        self._process.trap_exit = on

    def send_after(self, message: Any, seconds: float) -> Timer:
        """Send `message` to this process in `seconds`."""
        return self._process.vm.send_after(self._process.pid, message, seconds)

    def send_at(self, message: Any, due: float) -> Timer:
        """Send `message` to this process at `due` of `vm.now()`; at once if that is past, as it may
        be by the time that it is asked for."""
        return self.send_after(message, max(0.0, due - self.vm.now()))

    def send_interval(self, message: Any, seconds: float) -> Timer:
        """Send `message` to this process every `seconds`, until cancelled."""
        return self._process.vm.send_interval(self._process.pid, message, seconds)


def reply(from_: From, value: Any) -> None:
    """Answer a call for which `handle_call` returned `NO_REPLY`."""
    from_.answer(value)


async def _serve(
    server: type[GenServer], args: tuple[Any, ...], kwargs: dict[str, Any], process: Process
) -> Body | None:
    """The first body of a server's process: `init`. Its loop is the next."""
    instance = server()
    instance._process = process
    process.server = instance
    process.trap_exit = server.traps_exits
    try:
        then = instance._begun(await instance.init(*args, **kwargs))
        if then is not IGNORE:
            then = _valid(then)
            instance._check_init()
    except PROGRAM_ENDS:
        raise
    except BaseException:
        if process.exiting is UNSET:
            await _undo(process, instance)
        raise
    if then is IGNORE:
        await _undo(process, instance)
        if process.starting is not None:
            process.starting.ignored = True
        return None
    if process.starting is not None:
        process.starting.answer(process.pid)
    return partial(_loop, instance, then)


async def _undo(process: Process, server: GenServer) -> None:
    if process.starting is not None:
        process.starting.watch_brood()
    await server._undo_init()


def _teach(process: Process, server: GenServer, then: Then, error: BaseException) -> None:
    """Say in a note on `error` what a callback has returned that it may not return."""
    callback = "handle_continue"
    if not isinstance(then, Continue):
        callback = _CALLBACK_OF.get(type(process.last_message), "handle_info")
    code = getattr(getattr(type(server), callback, None), "__code__", None)
    where = f"{type(server).__name__}.{callback}{at(line_of(code)) if code else ''}"
    if isinstance(error, ExitError) and isinstance(error.reason, BadReturnValue):
        error.add_note(bad_return(where, error.reason.value))
    elif is_not_awaitable(error):
        error.add_note(f"{where} returned no coroutine: define it with `async def`")


async def _terminate(
    process: Process, server: GenServer, error: BaseException
) -> BaseException | None:
    call = process.last_message
    try:
        await server.terminate(reason_of(error))
    finally:
        if (
            isinstance(error, Stop)
            and error.reply is not UNSET
            and type(call) is Call
            and process.exiting is UNSET
        ):
            call.answer(error.reply)
    return error


async def _loop(
    server: GenServer, then: Continue | Timeout | None, process: Process
) -> BaseException | None:
    """Take messages, until something ends the server: then `terminate`."""
    callbacks = _callbacks(process, server)
    process.reductions += 1
    try:
        while True:
            if then is None:
                message = process.next_message()
            elif isinstance(then, Timeout):
                message = process.next_message(then.seconds)
            elif process.count_step():
                then = _valid(await callbacks.handle_continue(then.value))
                continue
            else:
                message = UNSET
            if message is UNSET:
                if not await process.waiter:  # type: ignore[misc]
                    continue
                message = TimedOut()
            kind = type(message)
            if kind is System:
                # The idle time, if one runs, begins anew.
                await _system(process, server, message)
                callbacks = _callbacks(process, server)
                message = None
                continue
            process.last_message = message
            if kind is Call:
                result = await callbacks.handle_call(message.request, message)
                if type(result) not in THEN_TYPES:
                    message.answer(result)
                    then = None
                elif type(result) is Reply:
                    then = _valid(result.then)
                    message.answer(result.value)
                elif type(result) is NoReply:
                    then = _valid(result.then)
                elif result is NO_REPLY:
                    then = None
                else:
                    raise ExitError(BadReturnValue(result))
                result = None
            elif kind is Cast:
                then = await callbacks.handle_cast(message.request)
            elif kind is Exit and process.parent is not None and message.pid == process.parent:
                raise Stop(message.reason)
            else:
                then = await callbacks.handle_info(message)
            if then is not None:
                then = _valid(then)
            # While it waits for the next message, a server holds nothing of this one.
            message = None
    except PROGRAM_ENDS:
        raise
    except BaseException as error:
        if process.exiting is not UNSET:
            raise
        message = None
        own_traceback(error)
        _teach(process, server, then, error)
        return await _terminate(process, server, error)


def _callbacks(process: Process, server: GenServer) -> Callbacks:
    debug = process.vm.debugged.get(process.pid.serial)
    return server if debug is None else debug.wrapped(server)


# What `handle_call` may return that is not the reply itself.
THEN_TYPES: Final = frozenset(
    {Reply, NoReply, _Marker, Continue, Timeout, Hibernate, CoroutineType}
)

_CALLBACK_OF: Final = {Call: "handle_call", Cast: "handle_cast"}


def _valid(then: Any) -> Continue | Timeout | None:
    if then is None or type(then) is Continue or type(then) is Timeout:
        return then
    if then is HIBERNATE:
        return None
    raise ExitError(BadReturnValue(then))


async def _system(process: Process, server: GenServer, message: System) -> None:
    if message.name == "terminate":
        raise Stop(message.request)
    act = _SYSTEM.get(message.name)
    if act is None:
        message.fail(ValueError(f"no system message is called {message.name!r}"))
        return
    try:
        answer = act(process, server, message.request)
    except Exception as error:
        message.fail(error)
        return
    message.answer(answer)
    if message.name == "suspend" and not process.suspended:
        process.suspended = True
        await _suspended(process, server)


async def _suspended(process: Process, server: GenServer) -> None:
    """Handle system messages and the parent's exit only, until `resume`."""

    def urgent(message: Any) -> bool:
        kind = type(message)
        return kind is System or (kind is Exit and message.pid == process.parent is not None)

    while process.suspended:
        message = await process.receive(wanted=urgent)
        if type(message) is Exit:
            raise Stop(message.reason)
        await _system(process, server, message)


def _resume(process: Process, _server: GenServer, _payload: Any) -> str:
    process.suspended = False
    return "ok"


def _replace_state(_: Process, server: GenServer, function: Callable[[Any], Any]) -> Any:
    server.set_state(function(server.get_state()))
    return server.get_state()


def _status(process: Process, server: GenServer, _: Any) -> dict[str, Any]:
    return {
        "server": type(server).__name__,
        "name": process.vm.name_of(process),
        "parent": process.parent,
        "status": "suspended" if process.suspended else "running",
        "mailbox_length": process.mailbox_length,
        "reductions": process.reductions,
        "state": server.get_state(),
    }


_SYSTEM: dict[str, Callable[[Process, GenServer, Any], Any]] = {
    "debug": lambda process, _server, change: change(process),
    "get_state": lambda _process, server, _payload: server.get_state(),
    "get_status": _status,
    "replace_state": _replace_state,
    "resume": _resume,
    "suspend": lambda _process, _server, _payload: "ok",
}
