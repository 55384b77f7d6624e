"""The timers of a call, by the clock of what the caller hears.

    timers = CallTimers(server, line)
    timers.start(StartTimer("wait", 2.0))        `TimerFired` comes to the server
    timers.has_come("wait", all_out=False)       whether it is one for the turn machine, too

`wait` counts the silence on the line: audio that plays holds it up. `voice` tells only if nothing
was played since it was started; it comes sooner to a caller who has waited long before it, so that
all of a silence, counted from their last word, is one that callers bear (`MOST_SECONDS`).

Since when those in `_KEPT` run, and for how long, stands on the line, which outlives the actor: one
that takes a call up (`resuming`) goes on with them, so however often it crashes, no silence is
counted anew. `voice`, of which a new turn machine knows nothing, goes on by itself.

Errors: none.
"""

from __future__ import annotations

from typing import Final

from aybiza.actors.runtime import GenServer, Timer
from aybiza.dialogue.events import StartTimer, StopTimer, TimerFired, TimerName
from aybiza.speech.line import Line

# Clocks are no more exact.
INSTANT_SECONDS: Final = 0.001
_KEPT: Final = frozenset({"wait", "silence", "closing", "answering", "voice"})
# What a caller bears, less what the carrier takes to say something in the agent's place.
MOST_SECONDS: Final = 4.0
# A voice that is there needs no longer to begin.
VOICE_SECONDS: Final = 0.5


class CallTimers:
    """See the module."""

    def __init__(self, server: GenServer, line: Line) -> None:
        self.resuming = False
        self._server = server
        self._line = line
        self._running: dict[str, Timer] = {}
        # The newest start of each: for how long, and since when.
        self._started: dict[str, tuple[float, float]] = {}
        if "voice" in line.running:
            self._go_on("voice")

    def start(self, start: StartTimer) -> None:
        """Start it, or start it anew."""
        name, now, running = start.name, self._server.vm.now(), self._line.running
        if name not in _KEPT:
            self._started[name] = start.seconds, now
            self._run(name, start.seconds)
            return
        if name not in running or not self.resuming:
            seconds = min(start.seconds, self._borne(now)) if name == "voice" else start.seconds
            running[name] = seconds, now
        self._go_on(name)

    def _go_on(self, name: TimerName) -> None:
        seconds, began = self._started[name] = self._line.running[name]
        self._run(name, max(0.0, began + seconds - self._server.vm.now()))

    def _borne(self, now: float) -> float:
        """For how long the caller, who waits already, will wait for a voice."""
        _, waits = self._line.running.get("wait", (0.0, now))
        spoke = self._line.finished_at
        silent = min(now - (waits if spoke is None else spoke), self._line.ledger.quiet(now))
        return max(VOICE_SECONDS, MOST_SECONDS - silent)

    def stop(self, stop: StopTimer) -> None:
        """Stop it, if it runs."""
        self._line.running.pop(stop.name, None)
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
                self._line.running.pop(name, None)
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
