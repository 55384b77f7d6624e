"""Signed webhooks that have been answered: nobody takes a live call's line by one of them.

Twilio and SignalWire sign no time, so who has recorded a signed webhook may send it once more, and
its answer gives the line of its call. A carrier does so as long as it has no answer, and never when
it has opened the stream of one: every way back to us has a time and a count in its address. So a
request that has been answered is refused while its call has a stream that began behind the answer.

Who sends one once more may write it anew: `signature.signed_part` is what stays the same.

Contract: `repeats` says whether a request may not be answered any more; `begin` and `end` are told
of streams. Pure. Bounded by the node's calls and the last `MOST` requests. Errors: none.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Final

MOST: Final = 20_000


class Answered:
    """See the module."""

    def __init__(self) -> None:
        self._streams: Counter[str] = Counter()
        # How many streams had begun on this node when the last one of the call had.
        self._latest: dict[str, int] = {}
        # The same, when the request was answered first; the oldest request first.
        self._answered: dict[bytes, int] = {}
        self._begun = 0

    def repeats(self, call_id: str, signed: bytes) -> bool:
        """Whether the call goes on by a stream that began behind the answer to the request of which
        this was signed; if not, it is answered now."""
        request = hashlib.sha256(signed).digest()
        first = self._answered.setdefault(request, self._begun)
        if len(self._answered) > MOST:
            del self._answered[next(iter(self._answered))]
        return self._latest.get(call_id, 0) > first

    def begin(self, call_id: str) -> None:
        """A stream of the call has started."""
        self._begun += 1
        self._streams[call_id] += 1
        self._latest[call_id] = self._begun

    def end(self, call_id: str) -> None:
        """A stream of the call has ended."""
        self._streams[call_id] -= 1
        if self._streams[call_id] <= 0:
            del self._streams[call_id]
            self._latest.pop(call_id, None)
