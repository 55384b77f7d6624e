"""The loop of a world: no sockets, no threads, no waiting; its clock jumps to the next timer.

Callbacks run in the order of asyncio's own loop: what is ready, as it became ready; then time goes
on to the next timer, exactly, and those of one moment run in the order in which they were set.
Blocking work is done on the spot, in no time or in the time that it says it takes.

Errors: `Deadlock` when nothing is ready and no timer runs, so nothing could ever happen again, or
when something is ready again and again and time does not go on.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from functools import partial
from typing import Any, Final

MOST_TURNS: Final = 50_000
"""So often the loop goes round at one time, and no more."""

LOOK_SECONDS: Final = 0.05
"""A condition of the time alone is seen to hold so late at most."""

# Later is at a later time, however soon: a sum of floats may fall short of it, again and again.
_TICK = 1e-6
# Cancelled timers are thrown away when there are so many of them.
_MANY = 1000


class Deadlock(RuntimeError):
    """Everybody waits, and nobody for a timer; or somebody spins, and time does not go on."""


class _Handle(asyncio.Handle):
    """As asyncio's, made with less: a world makes thousands in a call. It is never debugged."""

    __slots__ = ()

    def __init__(
        self, callback: Any, args: Any, loop: WorldLoop, context: Context | None = None
    ) -> None:
        self._context = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = self._source_traceback = None


class _TimerHandle(asyncio.TimerHandle):
    """As `_Handle`."""

    __slots__ = ()

    def __init__(
        self, when: float, callback: Any, args: Any, loop: WorldLoop, context: Context | None
    ) -> None:
        self._context = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = self._source_traceback = None
        self._when = when
        self._scheduled = True

    def cancel(self) -> None:
        if not self._cancelled:
            self._loop._cancelled += 1
            self._cancelled = True
            self._callback = self._args = None  # type: ignore[assignment]


class WorldLoop(asyncio.BaseEventLoop):
    """See the module. `jobs` counts the blocking functions that were run on the spot;
    `wall_offset` is by how much the wall clock has been set on."""

    _ready: deque[asyncio.Handle]
    _stopping: bool

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbers = itertools.count()
        self._cancelled = 0
        self._turns = 0
        self.jobs = 0
        self.wall_offset = 0.0
        self._taken = 0.0
        self._watches: dict[asyncio.Future[bool], Callable[[], Any]] = {}

    def set_debug(self, enabled: bool) -> None:
        super().set_debug(enabled)
        # Each handle asks for it.
        self.get_debug = partial(bool, enabled)  # type: ignore[method-assign]

    def time(self) -> float:
        return self._now

    def timers(self) -> list[asyncio.TimerHandle]:
        """Those that are to come."""
        return [timer for _, _, timer in self._timers if not timer.cancelled()]

    def drop_cancelled(self) -> None:
        """Forget the timers that were cancelled, and so the processes that had set them."""
        self._cancelled = 0
        self._timers[:] = [entry for entry in self._timers if not entry[2].cancelled()]
        heapq.heapify(self._timers)

    def stand_still(self, seconds: float) -> None:
        """Let `seconds` pass in which nothing runs: a callback holds the loop."""
        self._now += seconds

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = _Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        when = self._now + (delay if not 0 < delay < _TICK else _TICK)
        return self.call_at(when, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        timer = _TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._numbers), timer))
        return timer

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, function: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Run `function` now; its outcome is known when the time has passed that it `takes`."""
        self.jobs += 1
        self._taken = 0.0
        done: asyncio.Future[Any] = self.create_future()
        outcome: Callable[[], None]
        try:
            value = function(*args)
        except BaseException as error:
            problem = error

            def outcome() -> None:
                if not done.done():
                    done.set_exception(problem)
        else:

            def outcome() -> None:
                if not done.done():
                    done.set_result(value)

        if self._taken > 0:
            self.call_later(self._taken, outcome)
        else:
            outcome()
        return done

    def takes(self, seconds: float) -> None:
        """The blocking work that is being done takes so much time."""
        self._taken += seconds

    async def until(self, condition: Callable[[], Any], within: float) -> bool:
        """Wait until `condition` holds, at most so many seconds; whether it does. It is looked at
        whenever the clock is about to move on, and each `LOOK_SECONDS`. Raises what it raises."""
        end = self.time() + within
        while not condition():
            if self.time() >= end:
                return False
            held: asyncio.Future[bool] = self.create_future()
            self._watches[held] = condition
            timer = self.call_at(min(end, self.time() + LOOK_SECONDS), _settle, held, False)
            try:
                # Bounded by the timer.
                if await held:
                    break
            finally:
                timer.cancel()
                del self._watches[held]
        return True

    def seen(self) -> None:
        """Tell those who wait for what holds now."""
        for held, condition in self._watches.items():
            try:
                holds = bool(condition())
            except Exception as error:
                _settle(held, error)
            else:
                if holds:
                    _settle(held, True)

    # What asyncio asks of a loop

    def _run_once(self) -> None:
        ready = self._ready
        if not ready and self._watches:
            self.seen()
        if ready or self._stopping:
            self._turns += 1
            if self._turns > MOST_TURNS:
                # Those who clean up after it may use the loop.
                self._turns = 0
                raise Deadlock(f"time stands still at {self._now:.3f} s: somebody spins")
        else:
            self._turns = 0
            self._jump()
        timers, now = self._timers, self._now
        while timers and timers[0][0] <= now:
            timer: Any = heapq.heappop(timers)[2]
            timer._scheduled = False
            ready.append(timer)
        for _ in range(len(ready)):
            handle: Any = ready.popleft()
            if not handle._cancelled:
                try:
                    handle._context.run(handle._callback, *handle._args)
                except (SystemExit, KeyboardInterrupt):
                    raise
                except BaseException as error:
                    told = {"message": "Exception in callback", "exception": error}
                    self.call_exception_handler({**told, "handle": handle})

    def _jump(self) -> None:
        """Time goes on to the next timer."""
        if self._cancelled > _MANY:
            self.drop_cancelled()
        timers = self._timers
        while timers and timers[0][2].cancelled():
            heapq.heappop(timers)
        if not timers:
            raise Deadlock("nothing is ready and no timer runs")
        self._now = max(self._now, timers[0][0])

    def _write_to_self(self) -> None:
        """Nobody sleeps who were to be woken."""

    def _process_events(self, events: Any) -> None:
        """There are none."""

    def close(self) -> None:
        self._timers.clear()
        super().close()


def _settle(held: asyncio.Future[bool], outcome: bool | Exception) -> None:
    if held.done():
        return
    if isinstance(outcome, Exception):
        held.set_exception(outcome)
    else:
        held.set_result(outcome)
