"""The timers of a call, by the clock of what the caller hears.

    timers = CallTimers(server, line)
    timers.start(StartTimer("wait", 2.0))        `TimerFired` comes to the server
    timers.has_come("wait", …)                   whether it is one for the turn machine, too
    timers.leave()                               since when the caller hears nothing, for later

`wait` counts the silence on the line: audio that plays holds it up. `voice` tells only if nothing
was played since it was started; it counts all of the silence, from the caller's last word on, if
that was on a line that was lost since. It comes to nobody whom no carrier would bring back, unless
the call is at its end anyway: to go on trying is better than to leave them.

Since when those in `_KEPT` run, and for how long, stands on the line, which outlives the actor: one
that takes a call up (`resuming`) goes on with them, so however often it crashes, no silence is
counted anew. `voice`, of which a new turn machine knows nothing, goes on by itself.

Errors: none.
"""

from __future__ import annotations

from typing import Final

from aybiza.actors.call import across_lines
from aybiza.actors.runtime import GenServer, Timer
from aybiza.dialogue.events import StartTimer, StopTimer, TimerFired, TimerName
from aybiza.speech.line import Line

# Clocks are no more exact.
INSTANT_SECONDS: Final = 0.001
_KEPT: Final = frozenset({"wait", "silence", "closing", "answering", "voice"})
# However long the caller has waited for words: a voice that is there needs no longer to begin, and
# the phrases that are kept take its place before that.
VOICE_SECONDS: Final = 1.0


class CallTimers:
    """See the module."""

    def __init__(self, server: GenServer, line: Line) -> None:
        self.resuming = False
        self._server = server
        self._line = line
        self._running: dict[str, Timer] = {}
        # The newest start of each: for how long, and since when.
        self._started: dict[str, tuple[float, float]] = {}
        # Since when the caller has heard nothing of whom it is said that no voice comes.
        self._voiceless: float | None = None
        if not line.started:
            line.silent_since = across_lines.silent_since(server.vm, line.call_id)
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
            seconds = self._borne(start.seconds, now) if name == "voice" else start.seconds
            running[name] = seconds, now
        self._go_on(name)

    def _go_on(self, name: TimerName) -> None:
        seconds, began = self._started[name] = self._line.running[name]
        self._run(name, max(0.0, began + seconds - self._server.vm.now()))

    def _borne(self, most: float, now: float) -> float:
        """For how long a caller waits for a voice who bears `most` seconds of silence: no longer
        because something else is to be said to them than what has not been heard yet."""
        seconds = max(most - (now - self._since(now)), min(most, VOICE_SECONDS))
        lasts, began = self._line.running.get("voice", (seconds, now))
        unheard = self._line.ledger.quiet(now) >= now - began
        return max(0.0, min(seconds, began + lasts - now)) if unheard else seconds

    def leave(self, *, goes_on: bool = False) -> None:
        """The line is left, or lost. Its caller may be back, to whom something is owed; `goes_on`:
        whatever is, as they are being put through."""
        now, since = self._server.vm.now(), self._voiceless
        if goes_on or "wait" in self._line.running:
            since = min(now, self._since(now))
        across_lines.leave_silent(self._server.vm, self._line.call_id, since)

    def _since(self, now: float) -> float:
        """Since when the caller waits and hears nothing; later than `now` while they hear
        something."""
        line = self._line
        _, waits = line.running.get("wait", (0.0, now))
        known = (line.finished_at, line.silent_since, waits)
        spoke = next(at for at in known if at is not None)
        return max(spoke, now - line.ledger.quiet(now))

    def stop(self, stop: StopTimer) -> None:
        """Stop it, if it runs."""
        self._line.running.pop(stop.name, None)
        self._cancel(stop.name)

    def has_come(self, name: TimerName, *, all_out: bool, ending: bool) -> bool:
        """Whether a timer that has fired is one for the turn machine; what comes late is none.

        `all_out`: all that there is to say is with the carrier, and only to be told as heard.
        `ending`: the call is at its end.
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
                if quiet < now - began or not (ending or self._line.returns):
                    return False
                self._voiceless = min(began, self._since(now))
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
