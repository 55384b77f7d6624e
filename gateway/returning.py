"""What becomes of a call that is back from its stream: hung up, put through, spoken to, or goes on.

`returning` is pure: the conversation and the webhook's form in, the answer and what is to be
written into the journal out. `None` for an answer: the agent goes on with the call.

=========================  ========================================================================
the conversation           the answer
=========================  ========================================================================
goes on                    none
is to be put through       `<Dial>` with the number of the destination; its action comes here again
was put through            by what came of it: reached, `<Hangup>`; else none, and the agent says so
ended by a fault           `<Say>` to wait, and once more a stream, if it is the first since the
                           caller heard something and the agent has not said goodbye; else the
                           fallback number behind words to wait, or else the last words; neither
                           where the last words were heard
ended                      `<Hangup>`
=========================  ========================================================================

Where that is none, `<Say>` to wait goes before it if the caller has heard nothing for long.

Only numbers that stand in the agent's file or the tools' file are dialled: the journal has a name.
A destination without a number is a failed transfer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from aybiza.actors.switchboard import Answering
from aybiza.dialogue.conversation import Conversation
from aybiza.dialogue.journal import FAULT, REACHED, TRANSFER, Ended, Entry, Transferred
from aybiza.dialogue.transfer import FAILED, is_caller_gone, outcome_of, summary
from aybiza.gateway import twiml

KEY_SECONDS: Final = 8
_CALLER_ID_STARTS: Final = "+"


@dataclass(frozen=True, slots=True)
class Transfers:
    """Whom callers may be put through to: `numbers` by name, and for how many `seconds` it rings
    there. `begins`: what the summary begins with that the person hears first; empty: there is none.
    `accept`: what asks them for a key; empty: the call is theirs without one."""

    numbers: Mapping[str, str] = field(default_factory=dict)
    seconds: int = 25
    begins: str = ""
    accept: str = ""

    @classmethod
    def of(cls, answering: Answering) -> Transfers:
        """Those of who answers the call, and what the agent says of them."""
        agent, style = answering.agent, answering.agent.transfer_style
        return cls(
            {**answering.destinations, **agent.transfer_numbers},
            agent.transfer_timeout_s,
            agent.transfer_summary if style != "cold" else "",
            agent.transfer_accept if style == "accept" else "",
        )


@dataclass(frozen=True, slots=True)
class Next:
    """Write `entries`, then answer with `document` or let the agent go on, behind `words` of the
    carrier's."""

    document: str | None = None
    words: str = ""
    entries: tuple[Entry, ...] = ()


GOES_ON: Final = Next()
SILENT_SECONDS: Final = 2.0
"""An agent that was to say something so long ago may have no voice; the carrier has one."""
MOST_FAULTS: Final = 2
"""Lines that fail one after another, without a word between them, end the call."""


def returning(
    conversation: Conversation,
    form: Mapping[str, str],
    transfers: Transfers,
    action: str,
    *,
    whisper: str = "",
    wait_words: str = "",
    last_words: str = "",
    fallback_number: str | None = None,
    silent: float = 0.0,
) -> Next:
    """See the module. `action`: where a transfer says what came of it; `whisper`: where it asks
    what the person hears first; `silent`: for how many seconds the caller waits and has heard
    nothing."""
    if conversation.ended is None:
        following = GOES_ON
    elif conversation.ended == FAULT:
        words = last_words if fallback_number is None else wait_words
        following = _after_fault(conversation, wait_words, words, fallback_number)
    elif conversation.ended == TRANSFER and conversation.transfer is not None:
        following = _transferring(conversation.transfer, form, transfers, action, whisper)
    else:
        following = Next(twiml.hangup())
    goes_on = following.document is None and not following.words
    return (
        replace(following, words=wait_words) if goes_on and silent >= SILENT_SECONDS else following
    )


def _transferring(
    to: str, form: Mapping[str, str], transfers: Transfers, action: str, whisper: str
) -> Next:
    outcome = outcome_of(form)
    if outcome is not None:
        told = Transferred(to, outcome)
        if outcome == REACHED:
            return Next(twiml.hangup(), entries=(told,))
        if is_caller_gone(form):
            return Next(twiml.hangup(), entries=(told, Ended("hangup")))
        return Next(entries=(told,))
    number = transfers.numbers.get(to)
    if number is None:
        return Next(entries=(Transferred(to, FAILED),))
    called = form.get("To", "")
    caller_id = called if called.startswith(_CALLER_ID_STARTS) else ""
    whisper = whisper if transfers.begins else ""
    seconds = transfers.seconds
    return Next(twiml.dial(number, action, seconds=seconds, caller_id=caller_id, whisper=whisper))


def whispered(
    conversation: Conversation, form: Mapping[str, str], transfers: Transfers, again: str
) -> str:
    """What the person hears who has answered, before the caller is connected. `again`: where the
    key is told that takes the call; without a key the carrier hangs up there and says so at the
    transfer's action (`DialBridged`). A call of which nothing is known is put through without a
    word of it, for the caller is waiting."""
    if form.get("Digits"):
        return twiml.nothing()
    if conversation.transfer is None and conversation.turns:
        return twiml.hangup()
    words = summary(conversation, transfers.begins)
    if transfers.accept:
        return twiml.ask_key([words, transfers.accept], again, KEY_SECONDS)
    return twiml.say(words)


def _after_fault(
    conversation: Conversation, wait_words: str, words: str, number: str | None
) -> Next:
    if conversation.faults < MOST_FAULTS and conversation.closing is None:
        return Next(words=wait_words)
    turn = conversation.turn
    said = conversation.closing == FAULT and turn is not None and not turn.unheard()
    return Next(twiml.last_words("" if said else words, number))
