"""The clock that a test holds: time passes when the test says so, and none passes outside.

    with ambient(seed=1) as loop, asyncio.Runner(loop_factory=lambda: loop) as runner:
        clock = VirtualTime(loop, runner)

It needs nothing but the runtime, so the fixtures `virtual_time` and `vm` serve a project that has
no telephony installed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from aybiza.faults.world_loop import WorldLoop

T = TypeVar("T")


class VirtualTime:
    """The clock of a test: `now`, `pass_by(seconds)`, and `run(coroutine)` for what is async."""

    def __init__(self, loop: WorldLoop, runner: asyncio.Runner) -> None:
        self._loop = loop
        self._runner = runner

    @property
    def now(self) -> float:
        """Seconds since the test began."""
        return self._loop.time()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine, however long it takes: no time passes outside."""
        return self._runner.run(coroutine)

    def pass_by(self, seconds: float) -> None:
        """Let so much time go by."""
        self.run(asyncio.sleep(seconds))

    def until(self, condition: Callable[[], Any], within: float) -> bool:
        """Let time go by until `condition` holds, at most so long; whether it holds."""
        return self.run(self._loop.until(condition, within))
