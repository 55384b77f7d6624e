"""The watchdog: names the callback that holds the event loop.

A thread samples the loop's thread while the loop is late and walks its stack to the process
whose callback runs, so a healthy loop pays for one timer every `BEAT_SECONDS` and nothing a
message. Each stall is told once, as the warning `loop_blocked` with pid, name, the callback, its
line, and the line inside of what it calls. Code that is no process's is named by its callback.

A loop is late as well where the machine's cores have other work. Linux tells for how long a thread
was ready and had none (`waited_ms`): where that is most of the time, the line says nothing, and the
advice is about the machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import selectors
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import structlog

from aybiza.actors.runtime.core_waits import CoreWaits
from aybiza.actors.runtime.process import Process

BEAT_SECONDS = 0.02
REST_SECONDS = 0.04
STOP_SECONDS = 2.0
SHARE_OF_WAITING = 0.5
"""From this share of a stall on, spent waiting for a core, it is the machine's."""
ADVICE = "nothing else runs meanwhile: await it, or run it by vm.run_blocking(function, …)"
STARVED = "the machine's cores had other work: give the node cores of its own, or fewer calls"

log = structlog.get_logger(__name__)


class Watchdog:
    """Watches one loop; `limit_ms` is how long a callback may hold it.

    `blocked` is called in the watchdog's thread with the seconds and whose callback it is.
    """

    def __init__(
        self, limit_ms: float, blocked: Callable[[float, dict[str, Any]], None] | None = None
    ) -> None:
        self._limit = limit_ms / 1000.0
        self._blocked = blocked
        self._beat = time.monotonic()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watch `loop`, from its own thread. A loop of virtual time is not watched."""
        if hasattr(loop, "threads_at_work"):
            return
        self._stopped.clear()
        self._tick(loop)
        self._thread = threading.Thread(
            target=self._watch,
            args=(threading.get_ident(), threading.get_native_id()),
            name="watchdog",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """End the watch."""
        self._stopped.set()
        if self._timer:
            self._timer.cancel()
        if self._thread:
            self._thread.join(STOP_SECONDS)
            self._thread = None

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._beat = time.monotonic()
        self._timer = loop.call_later(BEAT_SECONDS, self._tick, loop)

    def _watch(self, loop_thread: int, native_id: int) -> None:
        seen = told = 0.0
        with CoreWaits(native_id) as waits:
            before = read = waits.seconds()
            # While all is well a look now and then is enough to be there in time.
            rest = min(REST_SECONDS, max(BEAT_SECONDS, self._limit - BEAT_SECONDS))
            pause = BEAT_SECONDS
            while not self._stopped.wait(pause):
                beat = self._beat
                # This thread may have had no core either: what was read before the beat counts.
                before, read = (read if beat != seen else before), waits.seconds()
                seen = beat
                late = time.monotonic() - beat - BEAT_SECONDS
                pause = BEAT_SECONDS if late > 0 else rest
                if late > self._limit and beat != told:
                    culprit: dict[str, Any] = {}
                    # The loop's thread may go on while its stack is looked at.
                    with contextlib.suppress(AttributeError):
                        culprit = _culprit(sys._current_frames().get(loop_thread))
                    if culprit:
                        told = beat
                        self._tell(late, min(late, read - before), culprit)

    def _tell(self, late: float, waited: float, culprit: dict[str, Any]) -> None:
        # A log that cannot be written must not end the watch.
        with contextlib.suppress(Exception):
            log.warning(
                "loop_blocked",
                blocked_ms=round(late * 1000),
                waited_ms=round(waited * 1000),
                **culprit,
                advice=STARVED if waited >= SHARE_OF_WAITING * late else ADVICE,
            )
        if self._blocked:
            self._blocked(late, culprit)


def _culprit(innermost: FrameType | None) -> dict[str, Any]:
    """Whose callback runs in this stack, and the line it is at; nothing if the loop is idle."""
    if innermost is None or innermost.f_code in _IDLE:
        return {}
    frame: FrameType | None = innermost
    outermost = innermost
    while frame is not None:
        if frame.f_code is Process.run.__code__:
            process: Any = frame.f_locals.get("self")
            identity = {
                "pid": str(process.pid),
                "name": process.vm.name_of(process),
                "server": process.label,
            }
            return identity | _place(outermost, innermost)
        if frame.f_code is asyncio.Handle._run.__code__:
            return _place(outermost, innermost)
        if os.path.dirname(frame.f_code.co_filename) != _HERE:
            outermost = frame
        frame = frame.f_back
    return {}


def _place(callback: FrameType, innermost: FrameType) -> dict[str, Any]:
    place = {"callback": callback.f_code.co_qualname, "at": _line(callback)}
    if innermost is not callback:
        place["inside"] = _line(innermost)
    return place


def _line(frame: FrameType) -> str:
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


_HERE = os.path.dirname(__file__)
_IDLE = {
    selector.select.__code__
    for selector in (selectors.SelectSelector, getattr(selectors, "EpollSelector", None))
    if selector is not None
}
