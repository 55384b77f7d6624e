"""Virtual time: an event loop whose clock jumps instead of waiting.

A VM measures time by its loop (`loop.time`, `loop.call_later`), so the loop is the injected
clock: under `run_virtual` every timer, time limit and `asyncio.sleep` of a test runs in its
right order without real waiting, hours in milliseconds. Time stands still while anything is
ready to run and while a thread that the loop has lent is at work (`VM.run_blocking`,
`asyncio.to_thread`), so results do not depend on the machine.
"""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

_REAL_WAIT = 0.05
# A clock that stands still is never behind a time to which a sum of floats falls short. Longer than
# what the loop takes for now.
_TICK = 1e-6


class _JumpingSelector(selectors.DefaultSelector):
    """Looks for real input, and where there is none lets the loop's clock jump."""

    loop: VirtualTimeLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None or self.loop.threads_at_work:
            return super().select(_REAL_WAIT)
        self.loop.jump(timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop that starts at time 0 and never sleeps while a timer is all it waits for.

    `threads_at_work` counts the threads whose results are awaited; while it is not 0 the clock
    does not jump.
    """

    def __init__(self) -> None:
        self._virtual_now = 0.0
        self.threads_at_work = 0
        selector = _JumpingSelector()
        selector.loop = self
        super().__init__(selector)

    def call_later(  # type: ignore[override]
        self, delay: float, *args: Any, **more: Any
    ) -> asyncio.TimerHandle:
        """As any loop's; what is to come later comes at a later time, however soon."""
        return super().call_later(max(delay, _TICK) if delay > 0 else delay, *args, **more)

    def time(self) -> float:
        return self._virtual_now

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Run `func(*args)` in a thread; the clock stands still until it is done."""
        done = super().run_in_executor(executor, func, *args)
        self.threads_at_work += 1
        done.add_done_callback(self._thread_done)
        return done

    def _thread_done(self, _: asyncio.Future[Any]) -> None:
        self.threads_at_work -= 1

    def jump(self, seconds: float) -> None:
        """Move the clock forward by `seconds`."""
        self._virtual_now += seconds


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end in virtual time, and close the loop behind it."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def virtual_time(function: Callable[P, Awaitable[T]]) -> Callable[P, T]:
    """Decorator for a test: its coroutine runs under `run_virtual`."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        async def main() -> T:
            return await function(*args, **kwargs)

        return run_virtual(main())

    return run
