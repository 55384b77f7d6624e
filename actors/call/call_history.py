"""How much of a long call the model is told, and how the rest is made short. Part of CallActor.

    history.sum_up()             a request is made: long before it is too long, have a summary made
    history.summarised(message)  one has come, or none
    history.shorten()            before a request: by rules, where it is too long all the same

Contract: what is made short stands in the journal (`Condensed`) before anybody is asked by it.
Errors: none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from aybiza.actors import names
from aybiza.actors.call.call_context import CallContext
from aybiza.actors.call.summary_actor import Summarise, Summarised
from aybiza.actors.runtime import VM, Pid
from aybiza.dialogue.condense import condensed, to_shorten
from aybiza.dialogue.conversation import Conversation
from aybiza.dialogue.journal import Condensed, encode

SUMMARIES_MISSED: Final = 2
"""After so many without a result the rules shorten the history, when it is too long."""


class CallHistory:
    """See the module."""

    def __init__(
        self,
        vm: VM,
        to: Pid,
        context: CallContext,
        conversation: Conversation,
        remember: Callable[[list[dict[str, Any]], None], None],
    ) -> None:
        self._vm = vm
        self._to = to
        self._context = context
        self._conversation = conversation
        self._remember = remember
        self._summing_up, self._missed = False, 0

    def sum_up(self) -> None:
        """See the module."""
        if self._summing_up or self._missed >= SUMMARIES_MISSED:
            return
        draft = to_shorten(self._conversation, self._context.agent.history_tokens)
        if draft is not None and draft.tokens > 0:
            self._summing_up = True
            self._vm.cast(names.SUMMARIES, Summarise(self._context, self._to, draft))

    def summarised(self, message: Summarised) -> None:
        """See the module."""
        self._summing_up = False
        if message.entry is None:
            self._missed += 1
        elif message.turn > self._conversation.condensed.turn:
            self._condense(message.entry)

    def shorten(self) -> None:
        """See the module."""
        tokens = self._context.agent.history_tokens
        if (shorter := condensed(self._conversation, tokens)) is not None:
            self._condense(shorter)

    def _condense(self, shorter: Condensed) -> None:
        """From the next request on the model is told of the beginning in short."""
        self._summing_up, self._missed = False, 0
        self._conversation.apply(shorter)
        self._remember([encode(shorter)], None)
