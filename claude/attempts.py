"""How soon a call may ask a model again: requests that came to nothing are few in any ten seconds.

    attempts = Attempts()
    attempts.wait(now, again=True)   seconds until one more may be made
    attempts.begun(now)              it is made
    attempts.came(0.4)               the first of an answer has come, after so many seconds
    attempts.answered(now)           the one that was begun at `now` has been answered in whole

A request that breaks off costs its connection, and so does one that the caller breaks into; one
that is answered leaves its connection to the next. So a call opens no more than `MOST` connections
in `SECONDS`, whatever happens to them, and whatever turns they belong to. Of these `AGAIN` are for
requests that take the place of one that failed, so that the next turn finds some left.

What has come to a call in time, or has not, says what it waits for next (`slow`).

Contract: pure, times are handed in. Errors: none.
"""

from __future__ import annotations

from collections import deque
from typing import Final

MOST: Final = 9
AGAIN: Final = 7
# A bit more than is promised: on its way a request may be held up.
SECONDS: Final = 10.5
IN_TIME_SECONDS: Final = 3.0
"""An answer that has begun by then is none of a slow service's."""


class Attempts:
    """See the module. One belongs to one call. `slow`: a request was given up for its slowness, and
    none has been answered in time since then."""

    def __init__(self) -> None:
        self.slow = False
        self._unanswered: deque[float] = deque()

    def wait(self, now: float, *, again: bool) -> float:
        """Seconds until a request may be made; `again`: in place of one that failed."""
        while self._unanswered and now - self._unanswered[0] >= SECONDS:
            self._unanswered.popleft()
        over = len(self._unanswered) - (AGAIN if again else MOST)
        return self._unanswered[over] + SECONDS - now if over >= 0 else 0.0

    def begun(self, now: float) -> None:
        """A request is made."""
        self._unanswered.append(now)

    def came(self, seconds: float) -> None:
        """See the module."""
        if seconds <= IN_TIME_SECONDS:
            self.slow = False

    def answered(self, begun: float) -> None:
        """The request that was begun then has been answered."""
        if begun in self._unanswered:
            self._unanswered.remove(begun)
