"""How a call leaves its stream when its conversation is over, beyond the closing of the stream.

    ended by the agent, or   the carrier's API, or the switch, ends the call; the stream is closed
    by an operator           whatever comes of that
    to be put through, and   the switch is told; what comes of it stands in the journal. Who was not
    the carrier asks no      reached is brought back by the switch, or by the closing of the stream
    webhook                  if the switch did not take the order
    anything else            nothing: a webhook follows, or the caller is gone

A caller who is back from a switch before it was told what came of the transfer was not put through:
`settle` says so in the journal.

Errors: none. What fails is logged and gone on from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from aybiza.actors.runtime import VM
from aybiza.dialogue.journal import CLOSED, TRANSFER, VOICEMAIL, Ended, Entry, Transferred
from aybiza.dialogue.transfer import FAILED, GAVE_UP
from aybiza.gateway.carriers.codec import Start
from aybiza.gateway.control.control import Control, ControlError, Switch
from aybiza.gateway.known_of import note, remembered
from aybiza.gateway.returning import Transfers

FROM_HERE: Final = frozenset(
    ("goodbye", "silence", "duration", "quota", CLOSED, "hangup", "machine", VOICEMAIL)
)
"""The reasons of `Ended` for which the carrier is told to end the call. A caller who has hung up is
gone by then, so a hang-up that is left to tell of was an operator's."""

TransfersOf = Callable[[Start], Transfers]


def to_nobody(_: Start) -> Transfers:
    """There is nobody to be put through to."""
    return Transfers()


log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Leaving:
    """See the module. `control`: what the carrier can be told by, None if by nothing;
    `transfers_of` a stream: whom its caller may be put through to; `asks`: whether the carrier asks
    a webhook when a stream is over."""

    control: Control | None = None
    transfers_of: TransfersOf = to_nobody
    asks: bool = True

    def puts_through(self, ended: str) -> bool:
        """Whether a call that ended so is put through from here."""
        return ended == TRANSFER and not self.asks

    async def hang_up(self, start: Start, ended: str) -> None:
        """Have the carrier end a call that was ended here. Waits no longer than `Control`."""
        if self.control is None or ended not in FROM_HERE:
            return
        try:
            await self.control.hang_up(start)
        except ControlError as error:
            log.warning("hang_up_failed", call_id=start.call_sid, reason=str(error))

    async def put_through(self, vm: VM, start: Start) -> str:
        """Put the caller through, and write down what comes of it, which is returned."""
        call_id = start.call_sid
        conversation, journal = await remembered(vm, call_id)
        to = conversation.transfer
        if to is None:
            return FAILED
        transfers = self.transfers_of(start)
        number = transfers.numbers.get(to)
        outcome = FAILED
        if isinstance(self.control, Switch) and number is not None:
            try:
                outcome = await self.control.put_through(start, number, transfers.seconds)
            except ControlError as error:
                log.warning("transfer_failed", call_id=call_id, to=to, reason=str(error))
        else:
            why = "no number of this name" if number is None else "no control door of the switch"
            log.warning("transfer_failed", call_id=call_id, to=to, reason=why)
        gone: tuple[Entry, ...] = (Ended("hangup"),) if outcome == GAVE_UP else ()
        await note(vm, call_id, journal, (Transferred(to, outcome), *gone))
        return outcome

    async def settle(self, vm: VM, call_id: str) -> None:
        """The caller is on a new stream: nobody is being put through any more."""
        if self.asks:
            return
        conversation, journal = await remembered(vm, call_id)
        if conversation.ended == TRANSFER and conversation.transfer is not None:
            await note(vm, call_id, journal, (Transferred(conversation.transfer, FAILED),))
