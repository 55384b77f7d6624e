"""Whose each call is: a call belongs to the carrier and the account by which it came in.

Call ids are the carriers' own words. Without this, who may speak for one carrier could name a call
of another and be given its line. A call is its owner's from its webhook or its stream's start on,
while it has a stream, and `KEPT_SECONDS` longer, for callers who come back by their redirect, or
from somebody whom they were put through to.

Pure but for the clock. Bounded by the node's calls and `MOST` calls that have no stream.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from aybiza.config import clocks

KEPT_SECONDS: Final = 4 * 3600.0
"""No carrier keeps a call, or a dialled leg of it, for longer unless it is asked to."""
MOST: Final = 20_000

Owner = tuple[str, str]
"""A carrier's name, and the account, or an empty string where it is not told."""


class CallOwners:
    """See the module. `timer`: monotonic, in seconds."""

    def __init__(self, timer: Callable[[], float] = clocks.monotonic) -> None:
        self._timer = timer
        self._streams: Counter[str] = Counter()
        self._live: dict[str, Owner] = {}
        # Those without a stream, with the time at which they are forgotten; the oldest first.
        self._kept: dict[str, tuple[Owner, float]] = {}

    def may_have(self, call_id: str, carrier: str, account: str = "") -> bool:
        """Whether the call is this carrier's and account's, or nobody's yet."""
        owner = self._owner(call_id)
        return owner is None or _same(owner, (carrier, account))

    def knows(self, call_id: str) -> bool:
        """Whether the call is somebody's."""
        return self._owner(call_id) is not None

    def claim(self, call_id: str, carrier: str, account: str = "") -> None:
        """The call, which they may have, is theirs."""
        if call_id not in self._live:
            self._keep(call_id, self._owner(call_id) or (carrier, account))

    def begin(self, call_id: str, carrier: str, account: str = "") -> None:
        """A stream of the call, which they may have, has started."""
        kept = self._kept.pop(call_id, None)
        self._live.setdefault(call_id, kept[0] if kept else (carrier, account))
        self._streams[call_id] += 1

    def end(self, call_id: str) -> None:
        """A stream of the call has ended."""
        self._streams[call_id] -= 1
        if self._streams[call_id] <= 0:
            del self._streams[call_id]
            owner = self._live.pop(call_id, None)
            if owner is not None:
                self._keep(call_id, owner)

    def _owner(self, call_id: str) -> Owner | None:
        if call_id in self._live:
            return self._live[call_id]
        owner, until = self._kept.get(call_id, (None, 0.0))
        return owner if until > self._timer() else None

    def _keep(self, call_id: str, owner: Owner) -> None:
        self._kept.pop(call_id, None)
        if len(self._kept) >= MOST:
            del self._kept[next(iter(self._kept))]
        self._kept[call_id] = owner, self._timer() + KEPT_SECONDS


def _same(owner: Owner, other: Owner) -> bool:
    accounts_fit = not owner[1] or not other[1] or owner[1] == other[1]
    return owner[0] == other[0] and accounts_fit
