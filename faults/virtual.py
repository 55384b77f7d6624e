"""Virtual time for everything: a loop without sockets, and the machine's clocks, zone and chance.

    with ambient(seed=1) as loop: loop.run_until_complete(…)

`WorldLoop` never asks the operating system: its clock jumps to the next timer, and blocking work
is done on the spot, at no time or at the time that `job_seconds` says. `ambient` has `time.time`,
`time.monotonic`, `time.perf_counter`, the time zone, `random`, `uuid.uuid4` and `os.urandom` follow
the loop and the seed, for the thread that runs it and as long as the block lasts. Garbage is
collected when it is over.

Errors: `Deadlock` when nothing is ready and no timer runs, so nothing could ever happen again.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import selectors
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from aybiza.actors.runtime.clock import VirtualTimeLoop

EPOCH: Final = 1_767_607_200.0
"""The unix time at which a world begins: Monday, 5 January 2026, 10:00 UTC."""

ZONE: Final = "UTC"

LOOK_SECONDS: Final = 0.05
"""A condition of the time alone is seen to hold so late at most."""

_ROUNDING = 1e-6


class Deadlock(RuntimeError):
    """Everybody waits, and nobody for a timer."""


class _NoInput(selectors.SelectSelector):
    """There is no input: where the loop would wait its clock jumps."""

    loop: WorldLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock("nothing is ready and no timer runs")
        if timeout > 0 and not self.loop.seen():
            self.loop.jump(timeout)
        return []


class WorldLoop(VirtualTimeLoop):
    """See the module. `jobs` counts the blocking functions that were run on the spot;
    `wall_offset` is by how much the wall clock has been set on."""

    def __init__(self) -> None:
        super().__init__()
        self._selector: selectors.BaseSelector
        self._scheduled: list[asyncio.TimerHandle]
        inner = _NoInput()
        inner.loop = self
        # The loop's own pipe stays registered with the selector that it was made with.
        self._selector, self._unused_selector = inner, self._selector
        self.jobs = 0
        self.wall_offset = 0.0
        self.job_seconds: Callable[[], float] = lambda: 0.0
        self._watches: dict[asyncio.Future[bool], Callable[[], Any]] = {}

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, function: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Run `function` now; its outcome is known when `job_seconds` have passed."""
        self.jobs += 1
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

        seconds = self.job_seconds()
        if seconds > 0:
            self.call_later(seconds, outcome)
        else:
            outcome()
        return done

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

    def seen(self) -> bool:
        """Tell those who wait for what holds now; whether there were any."""
        told = False
        for held, condition in self._watches.items():
            try:
                holds = bool(condition())
            except Exception as error:
                _settle(held, error)
                told = True
            else:
                if holds:
                    _settle(held, True)
                    told = True
        return told

    def jump(self, seconds: float) -> None:
        """Move the clock to the next timer, exactly, or by `seconds` if it is not as near."""
        due = self._scheduled[0].when() if self._scheduled else None
        if due is not None and abs(due - self._virtual_now - seconds) < _ROUNDING:
            self._virtual_now = due
        else:
            self._virtual_now += seconds

    def stand_still(self, seconds: float) -> None:
        """Let `seconds` pass in which nothing runs: a callback holds the loop."""
        self._virtual_now += seconds

    def close(self) -> None:
        self._selector = self._unused_selector
        super().close()


def _settle(held: asyncio.Future[bool], outcome: bool | Exception) -> None:
    if held.done():
        return
    if isinstance(outcome, Exception):
        held.set_exception(outcome)
    else:
        held.set_result(outcome)


@contextmanager
def ambient(seed: int = 0) -> Iterator[WorldLoop]:
    """See the module; closes the loop at the end."""
    loop = WorldLoop()
    owner = threading.get_ident()
    chance = random.Random(f"ambient:{seed}")
    real = {name: getattr(time, name) for name in _CLOCKS}

    def clock(name: str) -> Callable[[], Any]:
        actual, (start, unit) = real[name], _CLOCKS[name]

        def tell() -> Any:
            if threading.get_ident() != owner:
                return actual()
            offset = loop.wall_offset if start else 0.0
            return unit(start + offset + loop.time())

        return tell

    state, zone = random.getstate(), os.environ.get("TZ")
    real_urandom, real_uuid4 = os.urandom, uuid.uuid4
    # What `secrets` and `SystemRandom` draw from.
    source: Any = random
    # What is collected when depends on what else is in the process, and finalisers run then.
    collects = gc.isenabled()
    gc.disable()
    try:
        for name in _CLOCKS:
            setattr(time, name, clock(name))
        random.seed(f"random:{seed}")
        os.urandom = source._urandom = chance.randbytes
        uuid.uuid4 = lambda: uuid.UUID(bytes=chance.randbytes(16), version=4)
        _set_zone(ZONE)
        yield loop
    finally:
        _set_zone(zone)
        os.urandom = source._urandom = real_urandom
        uuid.uuid4 = real_uuid4
        random.setstate(state)
        for name, actual in real.items():
            setattr(time, name, actual)
        loop.close()
        if collects:
            gc.enable()


def _set_zone(zone: str | None) -> None:
    if zone is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = zone
    time.tzset()


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)


_CLOCKS: Final[dict[str, tuple[float, Callable[[float], Any]]]] = {
    "time": (EPOCH, float),
    "time_ns": (EPOCH, _nanoseconds),
    "monotonic": (0.0, float),
    "monotonic_ns": (0.0, _nanoseconds),
    "perf_counter": (0.0, float),
    "perf_counter_ns": (0.0, _nanoseconds),
}
