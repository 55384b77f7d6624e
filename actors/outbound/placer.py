"""What places calls: a carrier's API as OutboundActor sees it (`aybiza.gateway.control.placing`).

Contract: both take at most a few seconds, never block the loop, and raise nothing. An order that
may have reached the carrier is answered without a code and without a call: nobody knows then.
"""

from __future__ import annotations

from typing import Protocol

from aybiza.dialogue.outbound.dialler import Answer, Told
from aybiza.dialogue.outbound.ledger import Attempted


class Placer(Protocol):
    """See the module."""

    async def place(self, attempt: Attempted) -> Answer:
        """Have the carrier place the call."""

    async def look_up(self, attempt: Attempted, call_id: str) -> Told | None:
        """What the carrier knows of it, by its id or, if that is not known, by its numbers; with an
        empty status if nothing. None: it could not be asked."""
