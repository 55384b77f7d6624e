"""CallOutgoing: what is special about a call that was placed from here. Part of CallActor.

    outgoing = CallOutgoing(vm, context, conversation)
    outgoing.entered(entry)          for each entry of the journal

While it matters who has answered, tones in the caller's audio are told to the call as `ToneHeard`.
Who has answered, and whether a message was left, is told to the node's ledger of such calls, which
may be on another node. A call that came in costs nothing here. Errors: none.
"""

from __future__ import annotations

from typing import Final

import structlog

from aybiza.actors import names
from aybiza.actors.call.call_context import CallContext
from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.runtime import VM
from aybiza.dialogue.conversation import Conversation
from aybiza.dialogue.events import ToneHeard
from aybiza.dialogue.journal import VOICEMAIL, Answered, Ended, Entry
from aybiza.dialogue.outbound.dialler import Heard
from aybiza.dialogue.outbound.ledger import MACHINE, UNKNOWN
from aybiza.dialogue.outbound.who_answers import WATCH_SECONDS
from aybiza.speech.beep import BeepWatch

MOST_BYTES: Final = 4_000
"""Of audio that comes at once, so much is looked at: half a second."""

log = structlog.get_logger(__name__)


class CallOutgoing:
    """See the module."""

    def __init__(self, vm: VM, context: CallContext, conversation: Conversation) -> None:
        self._vm = vm
        self._line = context.line
        self._conversation = conversation
        self._beeps = BeepWatch()
        self._until = vm.now() + WATCH_SECONDS
        self._line.placed = bool(conversation.dialled)
        self._line.tones = self._listen if conversation.dialled else None

    def entered(self, entry: Entry) -> None:
        """See the module."""
        conversation = self._conversation
        if not conversation.dialled:
            return
        match entry:
            case Answered(by, why):
                call_id = self._line.call_id
                log.info("call_answered", call_id=call_id, by=by, why=why)
                emit(self._vm, events.CALL_ANSWERED, call_id=call_id, by=by, why=why)
                self._tell(by)
            case Ended(reason):
                self._line.tones = None
                turn = conversation.turn
                heard = turn is not None and not turn.unheard()
                self._tell(conversation.answered or UNKNOWN, left=reason == VOICEMAIL and heard)

    def _tell(self, by: str, *, left: bool = False) -> None:
        self._vm.cast(names.outbound(self._vm), Heard(self._conversation.dialled, by, left))

    def _listen(self, mulaw: bytes) -> None:
        if self._conversation.answered != MACHINE and self._vm.now() > self._until:
            self._line.tones = None
            return
        for beep in self._beeps.feed(mulaw[-MOST_BYTES:]):
            self._line.post(ToneHeard(beep.hertz, beep.seconds))
