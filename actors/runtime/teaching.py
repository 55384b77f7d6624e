"""What an error says to someone who has made one of the usual mistakes.

Each text says what happened, to what, at which of the user's own lines, and what to do. Texts are
made when a class is defined, when a start fails or when an error is shown: nothing here runs for a
message that is understood. `explained` puts an exit reason into words; packages above the runtime
add the words for reasons of their own to `EXPLANATIONS`.
"""

from __future__ import annotations

import difflib
import inspect
import os
import re
import sysconfig
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import CodeType, CoroutineType, FrameType, FunctionType, TracebackType
from typing import Any

from aybiza.actors.runtime.pid import Pid, Via
from aybiza.actors.runtime.reasons import (
    CALLING_SELF,
    FUNCTION_CLAUSE,
    TIMEOUT,
    BadReturnValue,
    CallFailed,
    Crashed,
    Reason,
)

EXPLANATIONS: list[Callable[[Reason], str]] = []
"""Each puts an exit reason into words, or says nothing to it: an empty text."""

CALLBACKS: dict[str, tuple[str, ...] | None] = {
    "init": None,
    "handle_call": ("request", "from_"),
    "handle_cast": ("request",),
    "handle_info": ("message",),
    "handle_continue": ("value",),
    "terminate": ("reason",),
}
"""The callbacks of a server, with what each is given; `init` is given what its starter gives."""

PLAIN = ("get_state", "set_state")

# Looking for a name that is meant must not hold the loop.
NAMES_LOOKED_AT = 2_000
NAMES_TOLD = 5
ALIKE = 0.85

_RUNTIME = os.path.dirname(__file__)
_ROOT = os.path.dirname(os.path.dirname(_RUNTIME))
# "<string>" is the `__init__` that a dataclass makes.
_ASYNCIO = os.path.join(sysconfig.get_path("stdlib"), "asyncio", "")
_OURS = (
    _RUNTIME + os.sep,
    os.path.join(_ROOT, "actors", "cluster", ""),
    os.path.join(_ROOT, "supervisors", ""),
    "<string>",
)
_LIBRARIES = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), "<frozen")


def line_of(code: CodeType) -> str:
    """The file and line of a function's definition."""
    return f"{code.co_filename}:{code.co_firstlineno}"


def users_line(traceback: TracebackType | None) -> str:
    """The innermost line of `traceback` that is the user's, else of a library, else none."""
    line = library = ""
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if file.startswith(_LIBRARIES):
            library = f"{file}:{traceback.tb_lineno}"
        elif not file.startswith(_OURS):
            line = f"{file}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return line or library


def users_frame(frames: Iterable[FrameType]) -> str:
    """The file and line of the innermost of `frames`, outermost first, that is the user's."""
    lines = [
        f"{frame.f_code.co_filename}:{frame.f_lineno}"
        for frame in frames
        if not frame.f_code.co_filename.startswith((*_OURS, *_LIBRARIES))
    ]
    return lines[-1] if lines else ""


def from_another_loop() -> RuntimeError:
    """For who asks a VM on an event loop that is not its own."""
    return RuntimeError(
        f"the VM runs on another event loop than this: await it on its own, or from a thread by "
        f"asyncio.run_coroutine_threadsafe(…, vm.loop){at(callers_line())}"
    )


def not_open() -> str:
    """For who asks a VM that has not begun, or has ended."""
    return f"the VM is not open: use it inside `async with VM() as vm`{at(callers_line())}"


def callers_line() -> str:
    """The line that has called into the runtime."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    # A coroutine that is a task of its own was called by nobody who can still be seen.
    if frame is None or frame.f_code.co_filename.startswith(_ASYNCIO):
        return ""
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def at(line: str) -> str:
    """` (file:line)`, or nothing."""
    return f" ({line})" if line else ""


def nearest(word: Any, known: Iterable[str]) -> str:
    """`did you mean 'x'?`, or nothing."""
    if not isinstance(word, str):
        return ""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else ""


def choice(word: Any, known: Sequence[str]) -> str:
    """What a setting may be, and which of it was meant."""
    *others, last = known
    return f"{nearest(word, known)} it is {', '.join(others)} or {last}".lstrip()


# Classes, when they are defined


def check_callbacks(server: type, names: Mapping[str, tuple[str, ...] | None] = CALLBACKS) -> None:
    """Raise `TypeError` for a callback that cannot be awaited or does not take what it is given;
    warn of one that nobody calls."""
    for name, value in vars(server).items():
        if not isinstance(value, FunctionType):
            continue
        where = f"{server.__name__}.{name} at {line_of(value.__code__)}"
        awaited = inspect.iscoroutinefunction(value)
        if name in names:
            given = ", ".join(("self", *(names[name] or ("…",))))
            if inspect.isasyncgenfunction(value):
                raise TypeError(
                    f"{where} is an async generator, for there is a `yield` in it, and the runtime "
                    f"awaits it: `return` what it gives, and send the rest as messages"
                )
            if not awaited and not hasattr(value, "__wrapped__"):
                raise TypeError(
                    f"{where} is a plain function, and the runtime awaits it: write "
                    f"`async def {name}({given})`"
                )
            if not _takes(value, names[name]):
                raise TypeError(
                    f"{where} takes {_parameters(value)}, and the runtime gives it "
                    f"({given}): write `async def {name}({given})`"
                )
        elif name in PLAIN:
            if awaited:
                raise TypeError(
                    f"{where} is a coroutine function, and the runtime does not await it: write "
                    f"`def {name}`"
                )
        elif not name.startswith("_"):
            meant = difflib.get_close_matches(name, names, n=1, cutoff=ALIKE)
            if meant and meant[0] not in vars(server):
                warnings.warn_explicit(
                    f"nobody calls {server.__name__}.{name}: did you mean {meant[0]}? A method "
                    f"of your own needs a name that is less like a callback's",
                    UserWarning,
                    value.__code__.co_filename,
                    value.__code__.co_firstlineno,
                )


def _parameters(function: Callable[..., Any]) -> str:
    """The parameters of a function, without their types."""
    signature = inspect.signature(function)
    bare = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in signature.parameters.values()
    ]
    return str(inspect.Signature(bare))


def _takes(callback: Callable[..., Any], given: Sequence[str] | None) -> bool:
    try:
        if given is not None:
            inspect.signature(callback, follow_wrapped=False).bind("self", *given)
    except TypeError:
        return False
    return True


# What is given to a start


def not_a_server(giver: str, given: Any, base: type) -> TypeError:
    """For what was given to `giver` in place of a class that is derived from `base`."""
    if isinstance(given, base):
        name = type(given).__name__
        text = f"an instance of {name}, and makes one itself: write {giver}({name}, …)"
    elif isinstance(given, type):
        name = given.__name__
        text = f"the class {name}, which is no GenServer: derive it from GenServer"
    elif inspect.iscoroutine(given):
        name = given.__qualname__
        text = f"the coroutine {name}: give it a class derived from GenServer"
        given.close()
    elif callable(given):
        name = getattr(given, "__qualname__", repr(given))
        text = f"the function {name}: a function runs by vm.spawn({name}) or Task.start(vm, {name})"
    else:
        text = f"{given!r}: it takes a class derived from GenServer"
    return TypeError(f"{giver} was given {text}{at(callers_line())}")


def check_function(giver: str, function: Any) -> None:
    """Raise `TypeError` for what was given to `giver` and cannot be called in a process."""
    if inspect.iscoroutine(function):
        function.close()
        name = function.__qualname__
        raise TypeError(
            f"{giver} was given the coroutine {name}: give it the function, and behind it the "
            f"arguments{at(callers_line())}"
        )
    if not callable(function):
        raise TypeError(
            f"{giver} was given {short(function)}: it takes a coroutine function and its arguments"
            f"{at(callers_line())}"
        )


def note_plain(giver: str, function: Any, error: TypeError) -> None:
    """Say on `error` that `function` was awaited and is no coroutine function, if that is it."""
    if is_not_awaitable(error) and not hasattr(error, "__notes__"):
        code = getattr(function, "__code__", None)
        name = getattr(function, "__qualname__", short(function))
        where = f"{name}{at(line_of(code)) if code else ''}"
        if inspect.isasyncgenfunction(function):
            error.add_note(
                f"{giver} was given the async generator {where}: give it a coroutine function "
                f"that goes through it with `async for`"
            )
            return
        error.add_note(
            f"{giver} was given the plain function {where}: "
            f"define it with `async def`, or run it in a thread, Task.start_blocking(vm, {name}, …)"
        )


def failed_start(server: type, reason: Reason) -> str:
    """Why `server` did not start, after its name."""
    init = f"{server.__name__}.init"
    code = getattr(getattr(server, "init", None), "__code__", None)
    where = at(line_of(code)) if code else ""
    match reason:
        case ("already_started", pid):
            return f"{pid} lives and has this name: choose another one, or stop that process first"
        case str() if reason == TIMEOUT:
            return (
                f"{init}{where} took longer than its limit: start it with a longer `timeout`, or "
                f"return Continue(…) from it and do the work in handle_continue"
            )
        case BadReturnValue(value):
            return f"{init}{where} returned {short(value)}: {_RETURNS_INIT}"
        case Crashed(TypeError() as error) if is_not_awaitable(error):
            return f"{init}{where} returned no coroutine: define it with `async def`"
        case Crashed(TypeError() as error) if _misses_arguments(error, code):
            expects = _parameters(server.init)  # type: ignore[attr-defined]
            return f"what follows the class is given to {init}{expects}{where}"
        case Crashed(error):
            line = users_line(error.__traceback__)
            return f"raised in {init}, at {line}" if line else f"raised in {init}{where}"
    return explained(reason)


def not_made(server: str, error: BaseException) -> str:
    """Why no instance of `server` was made."""
    if isinstance(error, TypeError) and f"{server}.__init__() missing" in str(error):
        return (
            f"what follows the class is given to init, and __init__ gets nothing: write "
            f"`async def init(self, …)` in {server}"
        )
    return ""


def is_not_awaitable(error: BaseException) -> bool:
    """Whether the runtime has awaited what a callback returned, and could not."""
    told = isinstance(error, TypeError) and re.search(
        r"can't be (awaited|used in 'await')", str(error)
    )
    return bool(told) and not users_line(error.__traceback__)


def _misses_arguments(error: TypeError, init: CodeType | None) -> bool:
    """Whether `error` came of the call of `init` itself: no line of it was reached."""
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code is init:
            return False
        traceback = traceback.tb_next
    return "argument" in str(error) and not users_line(error.__traceback__)


# Exit reasons


def explained(reason: Reason) -> str:
    """An exit reason in words; empty if it says all itself."""
    match reason:
        case Crashed(exception):
            line = users_line(exception.__traceback__)
            return f"raised at {line}" if line else ""
        case CallFailed(why, dest):
            more = explained(why)
            return f"its own call to {dest} failed: {why}" + (f": {more}" if more else "")
        case BadReturnValue(value):
            return bad_return("a callback", value)
        case str() if reason == CALLING_SELF:
            return "it would wait for a reply that it has to give itself"
        case str() if reason == FUNCTION_CLAUSE:
            return "no clause of its callback fits the message"
        case (str() as why, _) if why in _OF_MACHINES:
            return _OF_MACHINES[why]
    return next(filter(None, (explain(reason) for explain in EXPLANATIONS)), "")


def bad_return(callback: str, value: Any) -> str:
    """What is wrong with a value that a callback returned."""
    if inspect.iscoroutine(value):
        value.close()
        return (
            f"{callback} returned the coroutine {value.__qualname__}, which nobody awaited: write "
            f"`return await {value.__qualname__.rpartition('.')[2]}(…)`"
        )
    shown = short(value)
    if type(value).__name__ in ("Continue", "Timeout", "Hibernate"):
        return (
            f"{callback} returned {shown} without a reply: return Reply(value, {shown}), or "
            f"NoReply({shown}) to reply later"
        )
    return f"{callback} returned {shown}, which has no meaning there: {_RETURNS}"


_OF_MACHINES = {
    "bad_return_from_init": (
        "init of a state machine returns Begin(state, data), IGNORE or StopMachine(reason)"
    ),
    "bad_return_from_callback_mode": (
        'callback_mode is "handle_event_function" or "state_functions"'
    ),
    "bad_return_from_state_function": (
        "what handles an event returns None, NextState(…), KeepState(…), RepeatState(…) or "
        "StopMachine(…)"
    ),
    "bad_action_from_state_function": (
        "an action is ReplyTo, Postpone, NextEvent, StateTimeout, EventTimeout, NamedTimeout or "
        "HIBERNATE, and a time is a number of seconds, at least 0, or one of its words"
    ),
    "bad_reply_action_from_state_function": "what StopMachine answers with are ReplyTo(from_, …)",
    "bad_state_enter_return_from_state_function": "an enter call cannot change the state",
    "bad_state_enter_action_from_state_function": (
        "an enter call can neither postpone nor insert an event"
    ),
}

_RETURNS_INIT = "return None, IGNORE, Continue(…) or Timeout(…)"
_RETURNS = (
    "init, handle_cast, handle_info and handle_continue return None, Continue(…) or Timeout(…)"
)


def short(value: Any) -> str:
    """A value for people, at most 100 characters of it."""
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}…"


# Addresses


def nobody_at(vm: Any, dest: Any) -> str:
    """Why nobody lives at `dest`, and who was meant; `vm` is None when there is no VM any more."""
    if isinstance(dest, Pid):
        return f"{dest} has ended; a supervised process is found again by its name"
    if isinstance(dest, Via):
        if vm is None:
            return ""
        registry = vm.registries.get(dest.registry)
        if registry is None:
            known = _there(dest.registry, list(vm.registries))
            return f"no registry is called {dest.registry!r}; {known}"
        keys = [key for key in registry.some_keys(NAMES_LOOKED_AT) if isinstance(key, str)]
        told = f"nobody is registered in {dest.registry!r} under {dest.key!r}"
        return f"{told}; {_there(dest.key, keys)}"
    if isinstance(dest, str):
        return "" if vm is None else f"nobody is registered as {dest!r}; {names_like(vm, dest)}"
    if isinstance(dest, tuple) and len(dest) == 2:
        nodes = [] if vm is None else vm.nodes()
        if dest[1] in nodes:
            return f"nobody is registered as {dest[0]!r} on {dest[1]!r}"
        return f"no node {dest[1]!r} is connected; " + (
            f"connected are {', '.join(map(repr, nodes))}" if nodes else "none is"
        )
    return no_address(dest)


def names_like(vm: Any, name: Any) -> str:
    """Which of the names that are taken is meant by `name`, or which there are."""
    return "" if vm is None else _there(name, vm.names(NAMES_LOOKED_AT))


def _there(word: Any, known: Sequence[str]) -> str:
    if meant := nearest(word, known):
        return meant
    if not known:
        return "there is none at all"
    names = ", ".join(map(repr, sorted(known)[:NAMES_TOLD]))
    more = len(known) - NAMES_TOLD
    return f"there {'is' if len(known) == 1 else 'are'} {names}" + (
        f" and {more} more" if more > 0 else ""
    )


def no_address(dest: Any) -> str:
    """Why `dest` is no destination."""
    if dest is None:
        why = "None; a start that was ignored returns None, and so does whereis for a free name"
    elif inspect.iscoroutine(dest):
        why = f"the coroutine {dest.__qualname__}: await it first"
        dest.close()
    elif isinstance(dest, type):
        why = f"the class {dest.__name__}: give it the pid or the name of a process"
    elif isinstance(getattr(dest, "pid", None), Pid):
        why = f"{short(dest)}: give it `.pid`"
    else:
        why = short(dest)
    return f"a destination is a Pid, a name, (name, node) or Via(registry, key), not {why}"


def calls_itself(dest: Any) -> str:
    """Why a process cannot call itself."""
    return (
        f"{dest} would wait for a reply that it has to give itself: call its method, or send "
        f"itself a cast"
    )


def stray_coroutine(message: Any) -> str:
    """What is wrong with a coroutine that was sent as a message, empty for anything else."""
    if not isinstance(message, CoroutineType):
        return ""
    text = f"the coroutine {message.__qualname__} was sent in place of its value: await it first"
    message.close()
    return text
