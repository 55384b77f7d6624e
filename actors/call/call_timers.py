"""The timers of a call, by the clock of what the caller hears.

    timers = CallTimers(server, line)
    timers.start(StartTimer("wait", 2.0))        `TimerFired` comes to the server
    timers.has_come("wait", all_out=False)       whether it is one for the turn machine, too

`wait` counts the silence on the line: audio that plays holds it up. `voice` tells only if nothing
was played since it was started. Since when `wait`, `silence`, `closing` and `answering` run stands
on the line, which outlives the actor: one that takes a call up (`resuming`) goes on with them, so
however often it crashes, no silence is counted anew.

Errors: none.
"""

from __future__ import annotations

from typing import Final

from aybiza.actors.runtime import GenServer, Timer
from aybiza.dialogue.events import StartTimer, StopTimer, TimerFired, TimerName
from aybiza.speech.line import Line

# Clocks are no more exact.
INSTANT_SECONDS: Final = 0.001
_KEPT: Final = frozenset({"wait", "silence", "closing", "answering"})


class CallTimers:
    """See the module."""

    def __init__(self, server: GenServer, line: Line) -> None:
        self.resuming = False
        self._server = server
        self._line = line
        self._running: dict[str, Timer] = {}
        # The newest start of each: for how long, and since when.
        self._started: dict[str, tuple[float, float]] = {}

    def start(self, start: StartTimer) -> None:
        """Start it, or start it anew."""
        name, now, since = start.name, self._server.vm.now(), self._line.since
        began = since.get(name, now) if self.resuming else now
        if name in _KEPT:
            since[name] = began
        else:
            began = now
        self._started[name] = start.seconds, began
        self._run(name, max(0.0, began + start.seconds - now))

    def stop(self, stop: StopTimer) -> None:
        """Stop it, if it runs."""
        self._line.since.pop(stop.name, None)
        self._cancel(stop.name)

    def has_come(self, name: TimerName, *, all_out: bool) -> bool:
        """Whether a timer that has fired is one for the turn machine; what comes late is none.

        `all_out`: all that there is to say is with the carrier, and only to be told as heard.
        """
        timer = self._running.get(name)
        if timer is None or not timer.fired:
            return False
        del self._running[name]
        seconds, began = self._started[name]
        now = self._server.vm.now()
        quiet = self._line.ledger.quiet(now)
        match name:
            case "voice":
                return quiet >= now - began
            case "wait":
                left = seconds if all_out else seconds - min(now - began, quiet)
                if left > INSTANT_SECONDS:
                    self._run(name, left)
                    return False
        return True

    def _run(self, name: TimerName, seconds: float) -> None:
        self._cancel(name)
        self._running[name] = self._server.send_after(TimerFired(name), seconds)

    def _cancel(self, name: str) -> None:
        timer = self._running.pop(name, None)
        if timer is not None:
            timer.cancel()
