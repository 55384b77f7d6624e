"""What the doors refuse: counted in the metrics, and told in the log once a minute at most.

An attack is thousands of refusals; a line for each would be one more way to harm the node. The
first is logged at once, then the sums since the last line, with the address of the latest one.

Contract: `refusals(door, reason, address)`; `reason` is a word of `REASONS`. Never raises, never
waits. `timer`: monotonic, in seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

import structlog

from aybiza.config import clocks

LOG_SECONDS: Final = 60.0

REASONS: Final = (
    "connections",  # more unfinished requests in all than the doors hold; the oldest goes
    "connections_of_address",  # the same, of one address
    "slow",  # a request that was not whole in time
    "tls",  # a TLS handshake that failed
    "malformed",  # no HTTP, no websocket handshake, or a Host that is none
    "too_large",  # headers or a body beyond the bounds
    "flood",  # more bytes than a stream has, before its start or later
    "rate",  # more requests a minute of an address than allowed
    "origin",  # a request that somebody else's web page has a browser send
    "signature",  # no signature of the carrier's, or a wrong one
    "page",  # what only the console's page asks for, not from that page
    "nobody",  # a handshake at a path where no websocket is
    "console",  # an operator's page without the token
    "guesses",  # the same, too often in a minute
    "form",  # a webhook that no carrier would send
    "seal",  # an address for a carrier to ask at, which was not given to it
    "repeated",  # a signed request once more, whose call goes on by the stream of its answer
    "owner",  # a call that is another carrier's or account's
    "caller",  # more calls or minutes an hour than a caller may have
    "account",  # more calls at a time than an account may have
    "token",  # a stream's start without a token that is taken
)

log = structlog.get_logger(__name__)


class Refusals:
    """Counts and logs them; `count(door, reason)` adds one to the metrics."""

    def __init__(
        self,
        count: Callable[[str, str], None] = lambda door, reason: None,
        timer: Callable[[], float] = clocks.monotonic,
    ) -> None:
        self._count = count
        self._timer = timer
        self._since: Counter[str] = Counter()
        self._logged: float | None = None

    def __call__(self, door: str, reason: str, address: str) -> None:
        """One more, at the `http` or the `media` door."""
        self._count(door, reason)
        self._since[f"{door}/{reason}"] += 1
        now = self._timer()
        if self._logged is None or now - self._logged >= LOG_SECONDS:
            self._logged = now
            log.warning("door_refused", refused=dict(self._since), latest=address)
            self._since.clear()
