"""What becomes of a call that is back from its stream: hung up, put through, spoken to, or goes on.

`returning` is pure: the conversation and the webhook's form in, the answer and what is to be
written into the journal out. `None` for an answer: the agent goes on with the call.

=========================  ========================================================================
the conversation           the answer
=========================  ========================================================================
goes on                    none
is to be put through       `<Dial>` with the number of the destination; its action comes here again
was put through            by what came of it: reached, `<Hangup>`; else none, and the agent says so
ended by a fault           the last words, unless they were heard; then the fallback number
ended                      `<Hangup>`
=========================  ========================================================================

Only numbers that stand in the agent's file or the tools' file are dialled: the journal has a name.
A destination without a number is a failed transfer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from aybiza.dialogue.conversation import Conversation
from aybiza.dialogue.journal import FAULT, TRANSFER, Ended, Entry, Transferred
from aybiza.dialogue.transfer import FAILED, REACHED, is_caller_gone, outcome_of
from aybiza.gateway import twiml

_CALLER_ID_STARTS: Final = "+"


@dataclass(frozen=True, slots=True)
class Transfers:
    """Whom callers may be put through to: `numbers` by name, and for how many `seconds` it rings
    there."""

    numbers: Mapping[str, str] = field(default_factory=dict)
    seconds: int = 25


@dataclass(frozen=True, slots=True)
class Next:
    """Write `entries`, then answer with `document` or let the agent go on."""

    document: str | None = None
    entries: tuple[Entry, ...] = ()


GOES_ON: Final = Next()


def returning(
    conversation: Conversation,
    form: Mapping[str, str],
    transfers: Transfers,
    action: str,
    *,
    last_words: str = "",
    fallback_number: str | None = None,
) -> Next:
    """See the module. `action`: where a transfer says what came of it."""
    if conversation.ended is None:
        return GOES_ON
    if conversation.ended == FAULT:
        return Next(_after_fault(conversation, last_words, fallback_number))
    if conversation.ended != TRANSFER or conversation.transfer is None:
        return Next(twiml.hangup())
    to = conversation.transfer
    outcome = outcome_of(form)
    if outcome is not None:
        told = Transferred(to, outcome)
        if outcome == REACHED:
            return Next(twiml.hangup(), (told,))
        if is_caller_gone(form):
            return Next(twiml.hangup(), (told, Ended("hangup")))
        return Next(None, (told,))
    number = transfers.numbers.get(to)
    if number is None:
        return Next(None, (Transferred(to, FAILED),))
    called = form.get("To", "")
    caller_id = called if called.startswith(_CALLER_ID_STARTS) else ""
    return Next(twiml.dial(number, action, seconds=transfers.seconds, caller_id=caller_id))


def _after_fault(conversation: Conversation, last_words: str, number: str | None) -> str:
    turn = conversation.turn
    said = conversation.closing == FAULT and turn is not None and not turn.unheard()
    return twiml.last_words("" if said else last_words, number)
