"""CallRecording: a call's consent to be recorded, and what follows from it. Part of CallActor.

Contract: `opening` has what is to be said of it; `entered` is told of each entry of the journal,
and enters the consent that it brings (`remember`). The recording begins when the consent stands in
the journal, and goes on, on another line, when the caller is back. Errors: none.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog

from aybiza.actors.call.call_context import CallContext
from aybiza.actors.recordings.recordings_actor import begin, wait
from aybiza.actors.runtime import VM
from aybiza.dialogue.conversation import Conversation
from aybiza.dialogue.journal import REFUSED, CallerTurn, Entry, encode
from aybiza.dialogue.recorded import decided, terms_of

log = structlog.get_logger(__name__)


class CallRecording:
    """See the module."""

    def __init__(
        self,
        vm: VM,
        context: CallContext,
        conversation: Conversation,
        remember: Callable[[list[dict[str, Any]], None], None],
    ) -> None:
        self._vm = vm
        self._context = context
        self._conversation = conversation
        self._remember = remember
        self._terms = terms_of(context.agent, context.caller)
        if self._terms is not None and conversation.recording != REFUSED:
            wait(vm, context.line)

    @property
    def opening(self) -> tuple[str, str]:
        """What is said ahead of the greeting, and behind it."""
        return (self._terms.before, self._terms.behind) if self._terms else ("", "")

    def go_on(self) -> None:
        """Record, if the caller has consented."""
        if self._terms is None or self._conversation.recording in (None, REFUSED):
            return
        context = self._context
        expires = context.about(time.time() - (self._vm.now() - context.opened)).expires
        if begin(self._vm, context.line, expires):
            log.info("recording_begun", call_id=context.call_id)

    def entered(self, entry: Entry) -> None:
        """See the module."""
        tape = self._context.line.tape
        if tape is not None and isinstance(entry, CallerTurn) and entry.text:
            # What was entered by keys is complete.
            tape.resume(self._context.line.clock())
        consent = decided(self._terms, self._conversation, entry) if self._terms else None
        if consent is not None:
            self._conversation.apply(consent)
            self._remember([encode(consent)], None)
            log.info("recording_consent", call_id=self._context.call_id, how=consent.how)
            self.go_on()
            if consent.how == REFUSED:
                self._context.line.tape = None
