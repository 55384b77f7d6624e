"""Putting a caller through: what can come of it, and what is said of it. Pure.

A call that is put through is out of the agent's hands until the carrier says what came of it. The
journal then has `Transferring(to)`, with the name of a destination, and later `Transferred(to,
outcome)`. Only a person who was reached ends the conversation; with any other outcome the caller is
back with the agent.

    completed   the person was reached, and their call is over
    busy        the line there was busy
    no-answer   nobody answered in time
    declined    somebody answered and did not take the call
    failed      the carrier could not put the call through, or there is no such destination
    canceled    the caller hung up before anybody answered

Source: Twilio, "TwiML `<Dial>`": `DialCallStatus`, `DialBridged`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aybiza.config.agents import Agent
from aybiza.dialogue.conversation import Conversation
from aybiza.dialogue.journal import REACHED

FAILED: Final = "failed"
DECLINED: Final = "declined"
GAVE_UP: Final = "canceled"

SUMMARY_CHARACTERS: Final = 400

_OF_STATUS: Final = {
    "completed": REACHED,
    "answered": REACHED,
    "busy": "busy",
    "no-answer": "no-answer",
    "failed": FAILED,
    "canceled": GAVE_UP,
}
_OVER: Final = frozenset(("completed", "canceled"))


def outcome_of(form: Mapping[str, str]) -> str | None:
    """What the webhook behind a `<Dial>` tells; None if it tells of none. A status that is not
    known is a failure."""
    status = form.get("DialCallStatus")
    if not status:
        return None
    outcome = _OF_STATUS.get(status, FAILED)
    return DECLINED if outcome == REACHED and form.get("DialBridged") == "false" else outcome


def is_caller_gone(form: Mapping[str, str]) -> bool:
    """Whether the caller's own call was over when the webhook was asked."""
    return form.get("CallStatus") in _OVER


def summary(conversation: Conversation, begins: str) -> str:
    """What a person is told of a call before it is theirs: how the caller began and what was said
    last, word for word, in at most `SUMMARY_CHARACTERS` behind `begins`."""
    said = [turn.caller for turn in conversation.turns.values() if turn.caller]
    if not said:
        return ""
    first, *others = said
    kept: list[str] = []
    room = SUMMARY_CHARACTERS - len(first)
    for text in reversed(others):
        room -= len(text) + 1
        if room < 0:
            break
        kept.insert(0, text)
    return f"{begins} {' '.join([first, *kept])[:SUMMARY_CHARACTERS]}"


def words_after(agent: Agent, outcome: str) -> str:
    """What the agent says to a caller who is back from a transfer with this outcome."""
    words = {
        "busy": agent.transfer_busy,
        "no-answer": agent.transfer_unanswered,
        DECLINED: agent.transfer_unanswered,
    }
    return words.get(outcome, agent.transfer_failed)
