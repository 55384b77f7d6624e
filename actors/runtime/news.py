"""`News`: what a VM tells of its processes: to observers, handlers of `telemetry`, and the log.

What one of them raises is reported and keeps the news from nobody.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from aybiza.actors.runtime import telemetry
from aybiza.actors.runtime.crash_report import Reporter
from aybiza.actors.runtime.errors import PROGRAM_ENDS
from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.process import Process
from aybiza.actors.runtime.reasons import Reason
from aybiza.actors.runtime.time_limit import TimeLimits

ALARM_SECONDS = 10.0


class News:
    """See the module. `reporter` writes the log; `telemetry` has the handlers; `limits` is the
    clock. `observers` hear of every end, `restart_observers` of every restart."""

    def __init__(self, reporter: Reporter, limits: TimeLimits) -> None:
        self.reporter = reporter
        self.telemetry = telemetry.Telemetry(reporter.handler_failed)
        self.observers: list[Callable[[Process, Reason], None]] = []
        self.restart_observers: list[Callable[[Process], None]] = []
        self._limits = limits
        self._starts = self.telemetry.heard(telemetry.PROCESS_START)
        self._stops = self.telemetry.heard(telemetry.PROCESS_STOP)
        self._alarms: dict[int, float] = {}

    def started(self, process: Process, parent: Pid | None) -> None:
        """`process` has come into being; `parent` has made it."""
        if self._starts:
            told = {"pid": process.pid, "actor": process.label, "parent": parent}
            self.telemetry.execute(telemetry.PROCESS_START, metadata=told)

    def crashed(self, process: Process, reason: Reason) -> None:
        """`process` has ended as it should not."""
        told = {"pid": process.pid, "actor": process.label, "reason": reason}
        self.telemetry.execute(telemetry.PROCESS_CRASH, metadata=told)

    def ended(self, process: Process, reason: Reason) -> None:
        """`process` is dead."""
        if self._alarms:
            self._alarms.pop(process.pid.serial, None)
        if self._stops:
            told = {"pid": process.pid, "actor": process.label, "reason": reason}
            self.telemetry.execute(telemetry.PROCESS_STOP, metadata=told)
        for observer in self.observers:
            self.tell(observer, process, reason)

    def restarted(self, process: Process) -> None:
        """A supervisor has started `process` in place of one that ended."""
        for observer in self.restart_observers:
            self.tell(observer, process)
        told = {"pid": process.pid, "actor": process.label}
        self.telemetry.execute(telemetry.SUPERVISOR_RESTART, metadata=told)

    def mailbox_alarm(self, process: Process) -> None:
        """Name a process whose mailbox has reached the alarm length."""
        now = self._limits.now()
        if now >= self._alarms.get(process.pid.serial, now):
            self._alarms[process.pid.serial] = now + ALARM_SECONDS
            self.reporter.mailbox_alarm(process)
            self.telemetry.execute(
                telemetry.MAILBOX_ALARM,
                {"length": process.mailbox_length},
                {"pid": process.pid, "actor": process.label},
            )

    def loop_blocked(self, seconds: float, culprit: dict[str, Any]) -> None:
        """From the watchdog's thread: told when the loop runs again."""

        def tell() -> None:
            self.telemetry.execute(telemetry.LOOP_BLOCKED, {"seconds": seconds}, culprit)

        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._limits.loop.call_soon_threadsafe(tell)

    def tell(self, hearer: Callable[..., None], *told: Any) -> None:
        """Call `hearer(*told)`; whatever a third party raises, the others must be told."""
        try:
            hearer(*told)
        except PROGRAM_ENDS:
            raise
        except BaseException as failure:
            self.reporter.observer_failed(hearer, failure)
