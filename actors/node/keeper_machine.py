"""What a NodeKeeper decides: when to start, kill, stop and give up its node. Pure.

Contract: every event returns the commands to carry out, in order. `now` is a monotonic clock in
seconds that never goes back. Events of an incarnation other than the present one are without
effect, so that late or doubled reports of a process do not touch its successor. A start that fails
before the node was ever ready gives up at once, as `Supervisor.start_link` does in OTP; later
failures count against the restart intensity (`max_restarts` within `max_seconds`, OTP's words and
meaning). A node that `renews` may end in order by itself; that is no failure.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from aybiza.actors.node.messages import Limits

TICK = 0.25
"""Seconds between two `tick` events."""


@dataclass(frozen=True)
class Fork:
    """Start the process of this incarnation."""

    incarnation: int


@dataclass(frozen=True)
class AskToStop:
    """Tell the present process to end in order."""


@dataclass(frozen=True)
class Kill:
    """Kill the present process."""


@dataclass(frozen=True)
class ReportUp:
    """The node is ready."""

    incarnation: int


@dataclass(frozen=True)
class ReportDown:
    """The node has ended and is started again in `restart_in` seconds."""

    incarnation: int
    reason: str
    restart_in: float


@dataclass(frozen=True)
class ReportDraining:
    """The node, told to end, has calls, and gets up to `seconds` more for them."""

    incarnation: int
    seconds: float


@dataclass(frozen=True)
class ReportGivenUp:
    """The node has ended and is not started again."""

    reason: str


@dataclass(frozen=True)
class ReportStopped:
    """The node has ended as asked; `failure` is None if it did so in order and in time."""

    failure: str | None


Command = (
    Fork | AskToStop | Kill | ReportUp | ReportDown | ReportDraining | ReportGivenUp | ReportStopped
)


class Phase(Enum):
    IDLE = "idle"
    STARTING = "starting"
    UP = "up"
    WAITING = "waiting"
    STOPPING = "stopping"
    OVER = "over"


class KeeperMachine:
    """One node's life from the keeper's side."""

    def __init__(self, limits: Limits, *, renews: bool = False) -> None:
        self._renews = renews
        self.phase = Phase.IDLE
        self.incarnation = 0
        self._limits = limits
        self._was_up = False
        self._reason: str | None = None
        self._deadline = 0.0
        self._silence = 0.0
        self._last_tick = 0.0
        self._ends: deque[float] = deque()

    def start(self, now: float) -> Sequence[Command]:
        """The node is wanted."""
        return self._fork(now) if self.phase is Phase.IDLE else []

    def ready(self, now: float, incarnation: int) -> Sequence[Command]:
        """The node says that its start is complete."""
        if self.phase is not Phase.STARTING or incarnation != self.incarnation:
            return []
        self.phase = Phase.UP
        self._was_up = True
        self._silence = 0.0
        self._last_tick = now
        return [ReportUp(incarnation)]

    def heartbeat(self, incarnation: int) -> Sequence[Command]:
        """The node's loop turns."""
        if incarnation == self.incarnation:
            self._silence = 0.0
        return []

    def draining(self, now: float, incarnation: int, seconds: float) -> Sequence[Command]:
        """The node, told to end, says how long its calls may take it."""
        if self.phase is not Phase.STOPPING or incarnation != self.incarnation:
            return []
        self._deadline = now + seconds + self._limits.stop
        return [ReportDraining(incarnation, seconds)]

    def ended(self, incarnation: int, reason: str | None) -> Sequence[Command]:
        """The node says why its process is about to end; None after an orderly stop."""
        if incarnation == self.incarnation and reason is not None:
            self._blame(reason)
        return []

    def exited(
        self, now: float, incarnation: int, status: str, *, in_order: bool
    ) -> Sequence[Command]:
        """The process is gone; `status` is its exit status in words."""
        if incarnation != self.incarnation or self.phase in (Phase.WAITING, Phase.OVER):
            return []
        if not in_order:
            self._blame(status)
        if self.phase is Phase.STOPPING:
            return self._over(ReportStopped(self._reason))
        if in_order and self._renews and self.phase is Phase.UP and self._reason is None:
            return self._fork(now)
        reason = self._reason or f"ended without being asked to ({status})"
        if not self._was_up:
            return self._over(ReportGivenUp(f"the node did not start: {reason}"))
        return self._restart(now, reason)

    def stop(self, now: float) -> Sequence[Command]:
        """The node is no longer wanted."""
        if self.phase in (Phase.STARTING, Phase.UP):
            self.phase = Phase.STOPPING
            self._deadline = now + self._limits.stop
            return [AskToStop()]
        if self.phase is Phase.STOPPING:
            return []
        return self._over(ReportStopped(None))

    def tick(self, now: float) -> Sequence[Command]:
        """Time has passed; comes every TICK seconds."""
        # A keeper that was itself held up (a suspended machine) must not blame the node for that
        # time.
        gap = min(now - self._last_tick, 2 * TICK)
        self._last_tick = now
        if self.phase in (Phase.UP, Phase.STOPPING):
            self._silence += gap
            if self._silence > self._limits.silence:
                return self._kill(f"its loop hung: no heartbeat for {self._limits.silence:g} s")
        if self.phase is Phase.WAITING and now >= self._deadline:
            return self._fork(now)
        elif self.phase is Phase.STARTING and now > self._deadline:
            return self._kill(f"it was not ready within {self._limits.start:g} s")
        elif self.phase is Phase.STOPPING and now > self._deadline:
            return self._kill(f"it did not stop within {self._limits.stop:g} s and was killed")
        return []

    def _fork(self, now: float) -> Sequence[Command]:
        self.phase = Phase.STARTING
        self.incarnation += 1
        self._reason = None
        self._deadline = now + self._limits.start
        return [Fork(self.incarnation)]

    def _kill(self, reason: str) -> Sequence[Command]:
        self._blame(reason)
        return [Kill()]

    def _blame(self, reason: str) -> None:
        # The first reason is the cause; the exit status that follows only repeats it.
        self._reason = self._reason or reason

    def _restart(self, now: float, reason: str) -> Sequence[Command]:
        limits = self._limits
        self._ends.append(now)
        while self._ends[0] < now - limits.max_seconds:
            self._ends.popleft()
        ends = len(self._ends)
        if ends > limits.max_restarts:
            return self._over(
                ReportGivenUp(
                    f"the node ended {ends} times within {limits.max_seconds:g} s;"
                    f" the last time: {reason}"
                )
            )
        wait = limits.backoff[min(ends, len(limits.backoff)) - 1]
        down = ReportDown(self.incarnation, reason, wait)
        if wait == 0:
            return [down, *self._fork(now)]
        self.phase = Phase.WAITING
        self._deadline = now + wait
        return [down]

    def _over(self, report: ReportGivenUp | ReportStopped) -> Sequence[Command]:
        self.phase = Phase.OVER
        return [report]
