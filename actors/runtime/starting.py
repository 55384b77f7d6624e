"""A start under way, and the end of one that fails.

A server that is being started has links already: to its starter, and to all that its `init` has
started linked. When it fails, its starter is told by an error and by nothing else, and what it had
started ends with it, however deep. The starter is told when all of that is gone, so that it finds
every name free again. What does not end within `ENDING_SECONDS` is killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from aybiza.actors.runtime.errors import UNSET, NameTaken, StartError
from aybiza.actors.runtime.messages import From
from aybiza.actors.runtime.process import Body, Process, link_both, unlink_both
from aybiza.actors.runtime.reasons import KILLED, NORMAL, SHUTDOWN, TIMEOUT, Crashed, Reason
from aybiza.actors.runtime.teaching import failed_start, not_made
from aybiza.actors.runtime.time_limit import TimeLimit

ENDING_SECONDS = 5.0


class Startable:
    """What `VM.start` starts: the base of `GenServer`."""

    @classmethod
    def body(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Body:
        """What the process of such a server runs."""
        raise NotImplementedError


class Starting(From):
    """Who waits for `process` to be started: `answer` says that it is, its end that it failed.

    `refusal`, once it is set, is why the start fails, whatever the process ends with; `ignored`
    says that the failure is none. `limit` is the limit of the start.
    """

    __slots__ = ("_ending", "ignored", "limit", "process", "refusal", "starter")

    def __init__(
        self, process: Process, starter: Process | None, future: asyncio.Future[Any]
    ) -> None:
        super().__init__(starter.pid if starter else None, future)
        self.process = process
        self.starter = starter
        self.limit: TimeLimit | None = None
        self.refusal: Reason | None = None
        self.ignored = False
        self._ending: Ending | None = None
        process.starting = self

    def answer(self, value: Any) -> None:
        """The process runs."""
        self._settle()
        super().answer(value)

    def refuse(self, reason: Reason) -> None:
        """End the process; its start fails with `reason`."""
        if self.refusal is None:
            self.refusal = reason
        self.process.end(KILLED)

    async def give_up(self) -> None:
        """The starter, to which the process is linked, waits no longer; return when all is gone.

        A starter that ends itself is not held up: what is left ends as its own brood does.
        """
        starter = self.starter
        dying = starter is not None and starter.exiting is not UNSET
        if self.process.alive:
            self.process.end(KILLED)
            if not dying:
                self._part()
                await gone(self.process)
        elif self._ending is not None:
            self._ending.kill()
            if dying and starter is not None:
                self._ending.leave_to(starter)
            else:
                await self._ending.over()

    def failed(self, reason: Reason) -> None:
        """The process has ended before it ran: end all that it started, then tell the starter."""
        self._settle()
        self._part()
        self.watch_brood()
        end_brood(self.process, reason)
        outcome = None if self.ignored else self._error(reason)
        if self._ending is None:
            self._tell(outcome)
        else:
            self._ending.then(lambda: self._tell(outcome))

    def watch_brood(self) -> None:
        """Wait for the end of all that the process has started linked; it is going to fail."""
        for child in brood_of(self.process):
            if self._ending is None:
                self._ending = Ending(self.process.vm.loop)
            self._ending.watch(child)

    def _settle(self) -> None:
        self.process.starting = None
        if self.limit is not None:
            self.limit.discard(self)

    def _part(self) -> None:
        if self.starter is not None:
            unlink_both(self.process, self.starter)

    def _error(self, reason: Reason) -> StartError:
        refusal = reason if self.refusal is None else self.refusal
        server = self.process.server
        advice = None if server is None else partial(failed_start, type(server), refusal)
        if server is None and isinstance(reason, Crashed):
            advice = partial(not_made, self.process.label, reason.exception)
        error = StartError(refusal, advice)
        if self.refusal is None and isinstance(reason, Crashed):
            error.__cause__ = reason.exception
        return error

    def _tell(self, outcome: StartError | None) -> None:
        if outcome is None:
            super().answer(None)
        else:
            self.fail(outcome)


class Ending:
    """Waits until some processes are gone, and all that they have started linked."""

    __slots__ = ("_left", "_loop", "_then", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._left: dict[Process, None] = {}
        self._then: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, process: Process) -> None:
        """Wait for `process` too."""
        if process.alive and process not in self._left:
            self._left[process] = None
            process.add_caller(_Mourner(process, self))

    def then(self, act: Callable[[], None]) -> None:
        """Call `act` when all are gone, and from now on have them `ENDING_SECONDS` for it."""
        self._then = act
        if self._left:
            self._set_timer()
        else:
            self._finish()

    async def over(self) -> None:
        """Return when all are gone."""
        over: asyncio.Future[None] = self._loop.create_future()
        self.then(lambda: None if over.done() else over.set_result(None))
        await over

    def ended(self, process: Process) -> None:
        """`process` is gone; its brood, which hears of it now, is waited for."""
        for child in brood_of(process):
            self.watch(child)
        del self._left[process]
        if not self._left:
            self._finish()

    def kill(self) -> None:
        """Wait no longer in patience."""
        for process in list(self._left):
            process.end(KILLED)

    def leave_to(self, starter: Process) -> None:
        """Make those that are left the brood of `starter`, which is ending."""
        for process in self._left:
            process.parent = starter.pid
            link_both(process, starter)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(ENDING_SECONDS, self._out_of_time)

    def _out_of_time(self) -> None:
        self.kill()
        # What one of them has started in its last moments is killed the next time.
        self._set_timer()

    def _finish(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        act, self._then = self._then, None
        if act is not None:
            act()


class _Mourner(From):
    """Hears of the end of `process` while its links are still there."""

    __slots__ = ("_ending", "_process")

    def __init__(self, process: Process, ending: Ending) -> None:
        super().__init__(None, None)
        self._process = process
        self._ending = ending

    def fail(self, error: BaseException) -> None:
        self._ending.ended(self._process)


def brood_of(process: Process) -> list[Process]:
    """The living processes that `process` has started linked and is still linked to."""
    return [linked for linked in process.links or () if linked.parent == process.pid]


def end_brood(process: Process, reason: Reason) -> None:
    """Have all that `process` started linked end for `reason`."""
    for child in brood_of(process):
        unlink_both(process, child)
        # No link ends because of NORMAL.
        child.signal(process.pid, SHUTDOWN if _is_normal(reason) else reason)


async def gone(process: Process) -> None:
    """Return when `process` is gone, and all that it has started linked."""
    ending = Ending(process.vm.loop)
    ending.watch(process)
    await ending.over()


def out_of_time(started: Starting, _: Any) -> None:
    """The limit of a start is over."""
    started.refuse(TIMEOUT)


async def named(
    claim: Callable[[Process], Awaitable[None]], body: Body, process: Process
) -> Body | None:
    """The body of a server with a name that is unique in the cluster."""
    try:
        await claim(process)
    except (NameTaken, TimeoutError) as refusal:
        taken = ("already_started", refusal.pid) if isinstance(refusal, NameTaken) else TIMEOUT
        if process.starting is not None:
            process.starting.refusal = taken
        return None
    return body


def _is_normal(reason: Reason) -> bool:
    return isinstance(reason, str) and reason == NORMAL
