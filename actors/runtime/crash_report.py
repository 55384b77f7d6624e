"""Crash reports: what a person needs to know of a process that ended badly.

Written through structlog as the event `process_crashed` with pid, name, last message, state
and traceback, by a thread of its own: formatting a traceback reads source files, and the loop
must not wait for that. At most `BACKLOG` reports wait; more are counted and told of later.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any

import structlog

from actors.runtime.reasons import Crashed, Reason

if TYPE_CHECKING:
    from actors.runtime.process import Process

BACKLOG = 1000
SHOWN_CHARACTERS = 500
STOP_SECONDS = 2.0

log = structlog.get_logger(__name__)


class Reporter:
    """Takes reports on the loop, writes them in its thread. `start` and `stop` frame its use."""

    def __init__(self) -> None:
        self._queue: queue.Queue[tuple[str, str, dict[str, Any]] | None] = queue.Queue(BACKLOG)
        self._dropped = 0
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to write."""
        self._thread = threading.Thread(target=self._write, name="crash-reports", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end the thread."""
        if self._thread:
            try:
                self._queue.put(None, timeout=STOP_SECONDS)
                self._thread.join(STOP_SECONDS)
            except queue.Full:
                pass
            self._thread = None

    def report(self, process: Process, reason: Reason) -> None:
        """`process` ended by itself with `reason`, which is not an orderly one."""
        server = process.server
        fields: dict[str, Any] = {**_identity(process), "reason": reason}
        if process.last_message is not None:
            fields["last_message"] = process.last_message
        if server is not None:
            fields["state"] = _State(server)
        if isinstance(reason, Crashed):
            error = reason.exception
            fields["exc_info"] = (type(error), error, error.__traceback__)
        self._put("error", "process_crashed", fields)

    def abandoned(self, process: Process) -> None:
        """`process` was told to end and its code does not let itself be cancelled."""
        self._put("error", "process_abandoned", {**_identity(process), "task": process.task})

    def mailbox_alarm(self, process: Process) -> None:
        """The mailbox of `process` has reached the alarm length."""
        fields = {**_identity(process), "length": len(process.mailbox)}
        self._put("warning", "mailbox_alarm", fields)

    def unexpected(self, process: Process, message: Any) -> None:
        """`process` has no clause for `message` in `handle_info`; it was dropped."""
        self._put("warning", "unexpected_message", {**_identity(process), "message": message})

    def _put(self, level: str, event: str, fields: dict[str, Any]) -> None:
        try:
            self._queue.put_nowait((level, event, fields))
        except queue.Full:
            self._dropped += 1

    def _write(self) -> None:
        while (item := self._queue.get()) is not None:
            level, event, fields = item
            shown = {key: _shown(key, value) for key, value in fields.items()}
            if self._dropped:
                shown["reports_dropped"], self._dropped = self._dropped, 0
            getattr(log, level)(event, **shown)


class _State:
    """A server whose state is shown when the report is written."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def __str__(self) -> str:
        return str(self._server.get_state())


def _identity(process: Process) -> dict[str, Any]:
    return {
        "pid": str(process.pid),
        "name": process.vm.name_of(process),
        "server": process.label,
    }


def _shown(key: str, value: Any) -> Any:
    if key == "exc_info" or value is None or isinstance(value, int):
        return value
    try:
        text = str(value)
    except Exception as error:
        return f"<not shown: its text raises {type(error).__name__}>"
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
