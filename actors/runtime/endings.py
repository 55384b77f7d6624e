"""`Endings`: how a process ends, and who is told of it in which order.

Its names are free before anybody hears of its end. Observers hear first, then those who wait for
it, then its links and monitors. What one of them raises is reported and keeps the news from nobody.
A process whose code swallows its cancellation is cancelled again, then declared dead and named.
"""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

from aybiza.actors.runtime.directory import Directory
from aybiza.actors.runtime.errors import UNSET, CallExit
from aybiza.actors.runtime.news import News
from aybiza.actors.runtime.process import INSIST_SECONDS, INSIST_TIMES, Process
from aybiza.actors.runtime.reasons import Reason, is_orderly
from aybiza.actors.runtime.relations import Relations
from aybiza.actors.runtime.time_limit import TimeLimit, TimeLimits
from aybiza.actors.runtime.timers import Timers


class Endings:
    """See the module. `directory`, `relations` and `timers` know what a process has, `news` tells
    of it, `limits` is the clock; `debugged` loses the row of a dead process. `abandoned` are the
    tasks of processes that would not end."""

    def __init__(
        self,
        directory: Directory,
        relations: Relations,
        limits: TimeLimits,
        timers: Timers,
        news: News,
        debugged: MutableMapping[int, Any],
    ) -> None:
        self.abandoned: set[asyncio.Task[None]] = set()
        self._directory = directory
        self._relations = relations
        self._limits = limits
        self._timers = timers
        self._news = news
        self._debugged = debugged
        self._insisting: TimeLimit | None = None
        self._late: list[tuple[Process, int]] = []

    def open(self) -> None:
        """The clock runs."""
        self._insisting = self._limits.of(INSIST_SECONDS)

    def close(self) -> None:
        """It does not any more."""
        self._insisting = None

    def reap(
        self,
        process: Process,
        reason: Reason,
        error: BaseException | None = None,
        *,
        by_itself: bool = False,
    ) -> None:
        """The process is over: free its names, answer its callers, tell links and monitors.

        An end `by_itself` that is not an orderly one is reported as a crash, with `error`.
        """
        if not process.alive:
            return
        process.alive = False
        pid = process.pid
        for release, failure in self._directory.forget(process):
            self._news.reporter.observer_failed(release, failure)
        if self._debugged:
            self._debugged.pop(pid.serial, None)
        self._timers.ended(pid.serial)
        insisting = self._insisting
        if insisting is not None and process.exiting is not UNSET:
            insisting.waiting.pop(process, None)
        if by_itself and not is_orderly(reason):
            self._news.reporter.report(process, reason, error)
            self._news.crashed(process, reason)
        self._news.ended(process, reason)
        callers, process.callers = process.callers, None
        for caller, told in (callers or {}).items():
            self._news.tell(caller.fail, CallExit(reason if told is None else told, pid))
        if process.starting is not None:
            self._news.tell(process.starting.failed, reason)
        self._relations.bereave(process, reason)
        process.release()

    def insist(self, process: Process, times: int = INSIST_TIMES) -> None:
        """Cancel a process again that has been told to end, until it does; at last give it up."""
        # The process that has closed the VM may outlive it.
        if self._insisting is not None:
            self._insisting.add(process, self._is_late, times)

    def _is_late(self, process: Process, left: int) -> None:
        # While the loop was held nobody could end: it is their turn first.
        if not self._late:
            self._limits.loop.call_soon(self._cancel_again)
        self._late.append((process, left))

    def _cancel_again(self) -> None:
        late, self._late = self._late, []
        for process, left in late:
            if not process.alive or process.task is None:
                continue
            if left:
                process.task.cancel()
                self.insist(process, left - 1)
            else:
                self.abandon(process)

    def abandon(self, process: Process) -> None:
        """Declare a process dead whose code swallows every cancellation; its task is kept."""
        if process.task and process.alive:
            self.abandoned.add(process.task)
            process.task.add_done_callback(self.abandoned.discard)
            self._news.reporter.abandoned(process)
            self._news.crashed(process, process.exiting)
            self.reap(process, process.exiting)
