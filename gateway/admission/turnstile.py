"""The turnstile: of what strangers send, so many pieces are read in one turn of the loop.

    turnstile.passes(read)      False: `read` is called in a later turn, in the order of asking

Who sends a request costs the loop a part of a millisecond, and some hundred connections that send
at the same time would hold it for as long as all of them together. So calls go on in between. Who
makes one that is dear to read is the last of his turn: of `MOST_SECONDS`, at least one is read.

On the loop; nothing waits for it. Bounded by those who ask, for each of whom `read` is kept once.
No errors: what `read` raises is the loop's to tell.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from aybiza.config import clocks

IN_A_TURN: Final = 16
MOST_SECONDS: Final = 0.002


class Turnstile:
    """See the module. `timer`: monotonic, in seconds."""

    def __init__(
        self, in_a_turn: int = IN_A_TURN, timer: Callable[[], float] = clocks.monotonic
    ) -> None:
        self._most = in_a_turn
        self._timer = timer
        self._began = 0.0
        self._passed = 0
        self._waiting: deque[Callable[[], object]] = deque()
        self._turning = False

    def passes(self, read: Callable[[], object]) -> bool:
        """See the module."""
        self._turn()
        if self._waiting or not self._has_room():
            self._waiting.append(read)
            return False
        return True

    def _has_room(self) -> bool:
        """Whether one more is read in this turn, which is counted then."""
        if not self._passed:
            self._began = self._timer()
        elif self._passed >= self._most or self._timer() - self._began > MOST_SECONDS:
            return False
        self._passed += 1
        return True

    def _turn(self) -> None:
        if not self._turning:
            self._turning = True
            asyncio.get_running_loop().call_soon(self._turned)

    def _turned(self) -> None:
        self._turning = False
        self._passed = 0
        if self._waiting:
            self._turn()
        while self._waiting and self._has_room():
            self._waiting.popleft()()
