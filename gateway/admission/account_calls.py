"""How many calls each account has at a time, on this node.

A call is counted from the answer to its webhook on, so that many that come at once are not all let
in; a call whose stream has not started within `RESERVED_SECONDS` is forgotten. Pure but for the
clock; bounded by the calls of the node and of the last minute.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Final

from aybiza.config import clocks

RESERVED_SECONDS: Final = 60.0


class AccountCalls:
    """See the module. `most`: calls at a time of one account; None: any number."""

    def __init__(self, most: int | None = None, timer: Callable[[], float] = clocks.monotonic):
        self._most = most
        self._timer = timer
        self._calls: dict[str, dict[str, float]] = {}
        self._streams: Counter[tuple[str, str]] = Counter()

    def reserve(self, account: str, call_id: str) -> bool:
        """Whether the account may have this call; if so, it is counted."""
        if self._most is None:
            return True
        now = self._timer()
        calls = {each: until for each, until in self._of(account).items() if until > now}
        if call_id not in calls and len(calls) >= self._most:
            return False
        calls.setdefault(call_id, now + RESERVED_SECONDS)
        self._calls[account] = calls
        return True

    def begin(self, account: str, call_id: str) -> None:
        """A stream of the call has started; the one before it may not have ended yet."""
        if self._most is not None:
            self._streams[account, call_id] += 1
            self._calls.setdefault(account, {})[call_id] = math.inf

    def end(self, account: str, call_id: str) -> None:
        """A stream of the call has ended."""
        self._streams[account, call_id] -= 1
        if self._streams[account, call_id] > 0:
            return
        del self._streams[account, call_id]
        calls = self._of(account)
        calls.pop(call_id, None)
        if not calls:
            self._calls.pop(account, None)

    def _of(self, account: str) -> dict[str, float]:
        return self._calls.get(account, {})
