"""The circuit breaker of a model: when to ask it, when to leave it alone.

Contract: `get_state` is the question before a request, `success` and `failure` report how it
ended, `cancelled` that it was given up without an answer. Times are milliseconds of the caller's
clock, which must not go backwards. Pure: no clock, no process, no lock.

=========  =====================  ==============================================================
state      event                  then
=========  =====================  ==============================================================
closed     get_state              leave is given
closed     success                the failures in a row are forgotten
closed     failure                open, once they are `failure_threshold`
open       get_state              leave is refused; after more than `recovery_ms` since the last
                                  failure half_open, and leave for one trial
open       success, failure       counted: they answer requests from before; a failure prolongs
half_open  get_state              leave is refused while the trial is under way
half_open  success                closed
half_open  failure                open
half_open  cancelled              the next who asks gets the trial
any        peer_opened            open, for as long as the peer's breaker will be
any        told_to_wait           open, for as long as the model has asked to be left alone
=========  =====================  ==============================================================

A trial that never reports would hold the breaker half open for ever; `trial_lease_ms` gives the
trial to the next who asks after that time (None: never).

Source: Bedrock guide, section 5 (`CircuitBreaker`), with one trial at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["closed", "open", "half_open"]

FAILURE_THRESHOLD = 5
RECOVERY_MS = 30_000


@dataclass(slots=True)
class CircuitBreaker:
    """See the module. `success_count` counts the successes that did not close the breaker."""

    failure_threshold: int = FAILURE_THRESHOLD
    recovery_ms: float = RECOVERY_MS
    trial_lease_ms: float | None = None
    state: State = "closed"
    failure_count: int = 0
    success_count: int = 0
    last_failure_time: float | None = None
    trial_started: float | None = None

    @property
    def trial_in_flight(self) -> bool:
        """Whether somebody was given the trial and has not reported."""
        return self.trial_started is not None

    def get_state(self, now_ms: float) -> State:
        """Whether to ask the model: "closed" and "half_open" give leave, "open" refuses."""
        if self.state == "closed":
            return "closed"
        if self.state == "open" and self._recovered(now_ms):
            self.state = "half_open"
            self.trial_started = None
        if self.state == "half_open" and self._trial_is_free(now_ms):
            self.trial_started = now_ms
            return "half_open"
        return "open"

    def success(self) -> None:
        """A request was answered."""
        if self.state == "half_open":
            self._move("closed")
            self.failure_count = 0
            return
        self.success_count += 1
        if self.state == "closed":
            self.failure_count = 0

    def failure(self, now_ms: float) -> None:
        """A request failed or took too long."""
        self.failure_count += 1
        self.last_failure_time = now_ms
        if self.state == "half_open" or self.failure_count >= self.failure_threshold:
            self._move("open")

    def cancelled(self) -> None:
        """The asker gave up a request whose answer says nothing about the model."""
        self.trial_started = None

    def recovery_left(self, now_ms: float) -> float:
        """How long leave will still be refused; 0.0 unless open."""
        if self.state != "open" or self.last_failure_time is None:
            return 0.0
        return max(0.0, self.last_failure_time + self.recovery_ms - now_ms)

    def peer_opened(self, now_ms: float, left_ms: float) -> None:
        """The same model's breaker on another node has opened, and will be open for `left_ms`.

        That is no failure of a request of ours: nothing is counted. Word that is older than what is
        known here changes nothing.
        """
        left = min(left_ms, self.recovery_ms)
        if left <= self.recovery_left(now_ms):
            return
        self.last_failure_time = now_ms - (self.recovery_ms - left)
        self._move("open")

    def told_to_wait(self, now_ms: float, ms: float) -> None:
        """The model has asked to be left alone for so long; it is, for `recovery_ms` at most."""
        self.peer_opened(now_ms, ms)

    def _move(self, state: State) -> None:
        self.state = state
        self.trial_started = None

    def _recovered(self, now_ms: float) -> bool:
        last = self.last_failure_time
        return last is not None and now_ms - last > self.recovery_ms

    def _trial_is_free(self, now_ms: float) -> bool:
        if self.trial_started is None:
            return True
        lease = self.trial_lease_ms
        return lease is not None and now_ms - self.trial_started > lease
