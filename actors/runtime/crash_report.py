"""Crash reports: what a person needs to know of a process that ended badly.

Written through structlog as the event `process_crashed` with pid, name, last message, state
and traceback, by a thread of its own: formatting a traceback reads source files, and the loop
must not wait for that. It gets them `HAND_OVER_SECONDS` later: a thread that runs beside the loop
takes from its time, and what follows a crash, the restart, comes first. The traceback is plain
text in the field `exception`, so that how the application shows tracebacks (with the values of
local variables, say) does not matter here.
Messages and states may hold what somebody has said, so they are shown by their shapes, and errors
without the words that these hold (`aybiza.config.said`), unless the VM was asked to show values.
At most `BACKLOG` reports wait; more are counted and told of later.
"""

from __future__ import annotations

import asyncio
import queue
import reprlib
import threading
import traceback
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog

from aybiza.actors.runtime.frames import frames_of, line_of
from aybiza.actors.runtime.messages import Call, Cast
from aybiza.actors.runtime.reasons import Crashed, Reason, Shutdown
from aybiza.actors.runtime.teaching import explained, stray_coroutine, users_frame
from aybiza.config.said import error_text, sentence, shape

if TYPE_CHECKING:
    from aybiza.actors.runtime.process import Process
    from aybiza.actors.runtime.telemetry import Handler

BACKLOG = 1000
SHOWN_CHARACTERS = 500
TRACEBACK_CHARACTERS = 20_000
STOP_SECONDS = 2.0
HAND_OVER_SECONDS = 0.01
JAM_MESSAGES = 1000

log = structlog.get_logger(__name__)


class Reporter:
    """Takes reports on the loop, writes them in its thread. `start` and `stop` frame its use."""

    def __init__(self, *, values: bool = False) -> None:
        """`values`: whether what messages and states hold is written."""
        self.values = values
        self._queue: queue.Queue[tuple[str, str, dict[str, Any]] | None] = queue.Queue(BACKLOG)
        self._dropped = 0
        self._failed_observers: set[int] = set()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due: asyncio.TimerHandle | None = None
        self._waiting: list[tuple[str, str, dict[str, Any]]] = []

    def hide_values(self) -> None:
        """From now on no values are written, whatever was asked for."""
        if self.values:
            self.values = False
            log.info("values_hidden")

    def start(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Begin to write what is reported on `loop`; without one it is written at once."""
        self._loop = loop
        self._thread = threading.Thread(target=self._work, name="crash-reports", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end the thread."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        self._hand_over()
        self._loop = None
        if self._thread:
            try:
                self._queue.put(None, timeout=STOP_SECONDS)
                self._thread.join(STOP_SECONDS)
            except queue.Full:
                pass
            self._thread = None

    def report(self, process: Process, reason: Reason, error: BaseException | None) -> None:
        """`process` ended by itself with `reason`, which is not an orderly one, from `error`."""
        fields: dict[str, Any] = {
            **_identity(process),
            "reason": reason,
            "advice": _Advice(reason),
        }
        if process.last_message is not None:
            fields["last_message"] = process.last_message
        if process.server is not None:
            fields["state"] = _State(process.server)
        if isinstance(reason, Crashed):
            error = reason.exception
        if error is not None:
            fields["exception"] = error
        self._put("error", "process_crashed", fields)

    def abandoned(self, process: Process) -> None:
        """`process` was told to end and its code does not let itself be cancelled."""
        frames = list(frames_of(process.task))
        fields = {**_identity(process), "at": line_of(frames[-1]) if frames else "not known"}
        self._put("error", "process_abandoned", fields)

    def mailbox_alarm(self, process: Process) -> None:
        """The mailbox of `process` has reached the alarm length."""
        fields = {**_identity(process), "length": process.mailbox_length, **_jam(process)}
        self._put("warning", "mailbox_alarm", fields)

    def unexpected(self, process: Process, message: Any) -> None:
        """`process` has no clause for `message` in `handle_info`; it was dropped."""
        fields = {**_identity(process), "message": message}
        if advice := stray_coroutine(message):
            fields["advice"] = advice
        self._put("warning", "unexpected_message", fields)

    def observer_failed(self, observer: Callable[..., None], error: BaseException) -> None:
        """An observer of the VM raised `error`; told once for each observer."""
        if id(observer) not in self._failed_observers:
            self._failed_observers.add(id(observer))
            fields = {"observer": observer, "exception": error}
            self._put("error", "observer_failed", fields)

    def handler_failed(self, handler: Handler, error: BaseException) -> None:
        """A handler of telemetry raised `error` and is detached."""
        fields = {"handler": handler.id, "told": handler.event, "exception": error}
        self._put("error", "telemetry_handler_detached", fields)

    def trace(self, process: Process, text: str) -> None:
        """A traced process: what happened to it."""
        self._put("info", "trace", {**_identity(process), "text": text})

    def error(self, event: str, fields: dict[str, Any]) -> None:
        """A process reports `event`; the fields are made text by the thread."""
        self._put("error", event, fields)

    def _put(self, level: str, event: str, fields: dict[str, Any]) -> None:
        if len(self._waiting) + self._queue.qsize() >= BACKLOG:
            self._dropped += 1
            return
        self._waiting.append((level, event, fields))
        if self._loop is None:
            self._hand_over()
        elif len(self._waiting) == 1:
            self._due = self._loop.call_later(HAND_OVER_SECONDS, self._hand_over)

    def _hand_over(self) -> None:
        waiting, self._waiting = self._waiting, []
        for report in waiting:
            try:
                self._queue.put_nowait(report)
            except queue.Full:
                self._dropped += 1

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            self._write(*item)
            del item
        if self._dropped:
            self._write("error", "reports_dropped", {})

    def _write(self, level: str, event: str, fields: dict[str, Any]) -> None:
        try:
            said = [
                fields.get("last_message"),
                fields.get("message"),
                _held_by(fields.get("state")),
            ]
            shown = {key: self._shown(key, value, said) for key, value in fields.items()}
            if not shown.get("advice", True):
                del shown["advice"]
            if self._dropped:
                shown["reports_dropped"], self._dropped = self._dropped, 0
            getattr(log, level)(event, **shown)
        except BaseException:
            # A report that cannot be written must not end those that come after it.
            self._dropped += 1

    def _shown(self, key: str, value: Any, said: list[Any]) -> Any:
        if value is None or isinstance(value, int):
            return value
        try:
            if key == "exception":
                return _cut(self._traceback(value, said), TRACEBACK_CHARACTERS)
            return _cut(str(value) if self.values else _bare(key, value, said), SHOWN_CHARACTERS)
        except BaseException as error:
            return f"<not shown: its text raises {type(error).__name__}>"

    def _traceback(self, error: BaseException, said: list[Any]) -> str:
        if self.values:
            return "".join(traceback.format_exception(error)).rstrip()
        return error_text(error, *said)


def _jam(process: Process) -> dict[str, Any]:
    """What most of the messages are that a process does not keep up with, and what it is at."""
    looked_at = process.mailbox[:JAM_MESSAGES]
    (kind, count), *_ = Counter(map(kind_of, looked_at)).most_common(1)
    frames = list(frames_of(process.task))
    return {
        "mostly": f"{kind} ({count} of the oldest {len(looked_at)})",
        "at": users_frame(frames) or "not known",
        "advice": "messages come faster than it takes them: let it wait for nothing in its "
        "callbacks, spread its work over several processes, or call it instead of cast and send",
    }


def kind_of(message: Any) -> str:
    """What a message is, without what it holds: its type, and of a call or cast its request's."""
    if isinstance(message, Call | Cast):
        request = message.request
        named = isinstance(request, str) and request.isidentifier()
        what = repr(request) if named else type(request).__name__
        return f"{type(message).__name__.lower()} {what}"
    return type(message).__name__


class _Advice:
    """An exit reason in words, found when the report is written."""

    def __init__(self, reason: Reason) -> None:
        self._reason = reason

    def __str__(self) -> str:
        # A crash says all by its traceback.
        return "" if isinstance(self._reason, Crashed) else explained(self._reason)


def _bare(key: str, value: Any, said: list[Any]) -> str:
    """The value of a field without what was said."""
    if key in ("last_message", "message"):
        return shape(value)
    if isinstance(value, _State):
        return value.shape()
    if isinstance(value, Crashed):
        error = value.exception
        return f"crashed with {type(error).__name__}: {sentence(str(error), *said, error=error)}"
    if isinstance(value, _Advice):
        return sentence(str(value), *said)
    return _reason(value, said) if key == "reason" else str(value)


def _reason(value: Any, said: list[Any]) -> str:
    """A reason's first word is the program's; what comes with it may be anybody's."""
    if isinstance(value, str):
        return sentence(value, *said) if value.isidentifier() or any(said) else shape(value)
    if type(value) is tuple and value and isinstance(value[0], str) and value[0].isidentifier():
        return f"({', '.join([repr(sentence(value[0], *said)), *map(shape, value[1:])])})"
    if type(value) is Shutdown and isinstance(value.detail, str):
        return f"Shutdown({_reason(value.detail, said)})"
    return shape(value)


class _State:
    """A server whose state is shown when the report is written."""

    def __init__(self, server: Any) -> None:
        self.server = server

    def __str__(self) -> str:
        return brief.repr(self.server.get_state())

    def shape(self) -> str:
        """The shape of the state, with the names that the program gives to its parts."""
        names = {name for name in vars(self.server) if not name.startswith("_")}
        code = getattr(type(self.server).get_state, "__code__", None)
        for constant in code.co_consts if code else ():
            names.update(constant if isinstance(constant, tuple) else (constant,))
        return shape(self.server.get_state(), names)


def _held_by(state: Any) -> Any:
    return vars(state.server) if isinstance(state, _State) else None


def _identity(process: Process) -> dict[str, Any]:
    return {
        "pid": repr(process.pid),
        "name": process.vm.name_of(process),
        "server": process.label,
    }


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length // 2]} … {text[-length // 2 :]}"


brief = reprlib.Repr()
brief.maxdict = brief.maxlist = brief.maxtuple = brief.maxset = brief.maxdeque = 20
brief.maxlevel = 4
brief.maxstring = brief.maxother = brief.maxlong = 200
