"""Logs: one line an event, written by a thread of its own so that no caller ever waits.

`start()` sets up structlog and the standard library's logging for this process; `stop()` writes out
what is queued. A log call renders its line and puts it into a bounded queue. When the queue is
full the line is dropped, counted, and the count reported as `log_lines_dropped` as soon as there is
room. Secrets are hidden (`aybiza.config.redact`), what a terminal takes for commands is escaped. A
log call never raises, whatever is logged.

A line as JSON: `{"event": …, "level": …, "logger": …, "time": "2025-03-01T12:00:00.123Z", …}`.
Libraries' own logs join in from level warning upwards, never below: what they log for debugging
holds whole requests, with keys.
"""

import bisect
import json
import logging
import os
import queue
import threading
import time
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import structlog

from aybiza.config.escapes import ESCAPED
from aybiza.config.redact import HIDDEN, hide_secrets, hide_url_password, sounds_secret

Level = Literal["debug", "info", "warning", "error", "critical"]
Format = Literal["json", "console"]

CAPACITY = 10_000
"""Lines that may wait to be written."""
STOP_SECONDS = 2.0
"""Longest time that `stop` spends on lines that wait."""
_BATCH = 500
_RETRY_SECONDS = 0.05
_LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)


# What JSON escapes and a console's line does not: in a sentence, in a value, of which those with
# white space are shown as Python writes them, and in a traceback, which has lines.
_CONTROLS = {code: f"\\x{code:02x}" for code in range(0x20)}
_IN_A_VALUE = {code: text for code, text in _CONTROLS.items() if chr(code) not in "\t\n\r"}
_IN_LINES = {code: text for code, text in _CONTROLS.items() if chr(code) not in "\t\n"}
_TRANSLATED = {"event": _CONTROLS, "exception": _IN_LINES}


@dataclass(frozen=True, slots=True)
class LogStatistics:
    """Lines since the start: `written`, `dropped` (queue full or not writable), `queued` now."""

    written: int
    dropped: int
    queued: int


class LogWriter:
    """Writes lines to a file descriptor, in a thread that starts with the first line.

    `write` never blocks and never raises, not in a signal handler or a finaliser either. `stop`
    ends the thread; from then on lines are dropped.
    """

    def __init__(self, fd: int, render: "Renderer", capacity: int = CAPACITY) -> None:
        self._fd = fd
        self._render = render
        self._capacity = capacity
        self._stopped = False
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forgets thread, queue and counts: in a forked child none of them can be relied on."""
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.RLock()
        self._written = 0
        self._dropped = 0
        self._reported = 0

    def write(self, line: str) -> None:
        """Queues one line without its line end."""
        if self._thread is None:
            self._start()
        if self._stopped or self._queue.qsize() >= self._capacity:
            self._drop(1)
        else:
            self._queue.put(line)

    def statistics(self) -> LogStatistics:
        """What became of the lines so far."""
        return LogStatistics(self._written, self._dropped, self._queue.qsize())

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Writes what is queued, for at most so many seconds, and ends the thread. Idempotent."""
        if self._stopped:
            return
        self._stopped = True
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(seconds)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._stopped:
                self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        more = True
        while more:
            lines = [self._queue.get()]
            while len(lines) < _BATCH and not self._queue.empty():
                lines.append(self._queue.get())
            more = None not in lines
            self._put([line for line in lines if line is not None])
            self._report()

    def _report(self) -> None:
        dropped = self._dropped
        if dropped > self._reported:
            count, self._reported = dropped - self._reported, dropped
            self._put([self._render.line("log_lines_dropped", "warning", __name__, count=count)])

    def _drop(self, count: int) -> None:
        with self._lock:
            self._dropped += count

    def _put(self, lines: list[str]) -> None:
        data = "".join(line + "\n" for line in lines).encode(errors="backslashreplace")
        try:
            while data:
                try:
                    data = data[os.write(self._fd, data) :]
                except BlockingIOError:
                    time.sleep(_RETRY_SECONDS)
        except OSError:
            self._drop(len(lines))
        else:
            self._written += len(lines)


class Renderer:
    """Turns an event into one line, with secrets hidden.

    Never raises: what cannot be shown is named instead, and `log_error` says why.
    """

    def __init__(self, form: Format, *, colors: bool = False) -> None:
        self._form = form
        self._console = structlog.dev.ConsoleRenderer(
            colors=colors, exception_formatter=structlog.dev.plain_traceback, timestamp_key="time"
        )

    def __call__(
        self, logger: Any, method: str, event: MutableMapping[str, Any]
    ) -> tuple[tuple[str], dict[str, Any]]:
        """The last structlog processor: event in, arguments of the logger's method out."""
        return (self._line(event),), {}

    def line(self, event: str, level: str, logger: str, **values: Any) -> str:
        """A line of the log's own."""
        return self._line(
            {"event": event, "level": level, "logger": logger, "time": now(), **values}
        )

    def _line(self, event: Mapping[str, Any]) -> str:
        try:
            return self._rendered({key: hide_secrets(event[key], key) for key in event})
        except Exception as error:
            plain = {key: _described(key, event[key]) for key in event}
            return self._rendered(plain | {"log_error": type(error).__name__})

    def _rendered(self, event: dict[str, Any]) -> str:
        if self._form == "console":
            shown = {
                key.translate(_CONTROLS): value.translate(_TRANSLATED.get(key, _IN_A_VALUE))
                if isinstance(value, str)
                else value
                for key, value in event.items()
            }
            return str(self._console(None, "", shown)).translate(ESCAPED)
        head = {key: event[key] for key in ("time", "level", "event") if key in event}
        return json.dumps(head | event, default=repr, ensure_ascii=False).translate(ESCAPED)


def _described(key: str, value: Any) -> str:
    if sounds_secret(key):
        return HIDDEN
    if isinstance(value, str | int | float | None):
        return hide_url_password(str(value))
    return f"<{type(value).__name__} that cannot be shown>"


class _Logger:
    """What structlog hands a finished line to."""

    __slots__ = ("_writer", "name")

    def __init__(self, writer: LogWriter, name: str = "") -> None:
        self._writer = writer
        self.name = name

    def msg(self, line: str) -> None:
        self._writer.write(line)

    debug = info = warning = error = critical = exception = msg


class _FromLogging(logging.Handler):
    """Hands the records of the standard library's logging to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:
            text = str(record.msg)
        level = _LEVELS[max(0, bisect.bisect_right(_LEVELS, record.levelno) - 1)]
        structlog.get_logger(record.name).log(level, text, exc_info=record.exc_info)


def now() -> str:
    """The time as logs write it: UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _complete(logger: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    event["level"] = "error" if method == "exception" else method
    event["time"] = now()
    event.setdefault("logger", logger.name)
    return event


_writer: LogWriter | None = None


def _in_forked_child() -> None:
    if _writer is not None:
        _writer.begin_anew()


os.register_at_fork(after_in_child=_in_forked_child)


def start(level: Level = "info", form: Format = "json", fd: int = 2) -> LogWriter:
    """Sets up logging for this process, to a file descriptor (default: standard error).

    A second start takes the place of the first. A forked child goes on logging to the same place.
    """
    global _writer  # noqa: PLW0603 - logging belongs to the process, as structlog's own set-up does
    stop()
    render = Renderer(form, colors=form == "console" and os.isatty(fd))
    writer = _writer = LogWriter(fd, render)
    least = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _complete,
            structlog.processors.format_exc_info,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=lambda *names: _Logger(writer, *names[:1]),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(
        handlers=[_FromLogging()],
        level=max(least, logging.WARNING),
        force=True,
    )
    return writer


def stop(seconds: float = STOP_SECONDS) -> None:
    """Writes out what is queued, for at most so many seconds. Does nothing if nothing started."""
    if _writer is not None:
        _writer.stop(seconds)
