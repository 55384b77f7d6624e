"""How a turn of the caller ended, as the entry that ends it tells. Pure.

answered     by a model
cached       by an answer from before: no model could be had
apology      by the agent's words for an error
refused      a filter or a guardrail withheld the answer, or a quota is reached
interrupted  the caller went on, or hung up, before the answer was complete
"""

from __future__ import annotations

from typing import Final, Literal

from aybiza.dialogue.conversation import STOPPED_BY_A_FILTER, Conversation
from aybiza.dialogue.journal import AnswerComplete, CallerTurn, Ended, Entry

Outcome = Literal["answered", "cached", "apology", "refused", "interrupted"]

_OF_STOP_REASON: Final[dict[str, Outcome]] = {
    "cached": "cached",
    "error": "apology",
    "quota": "refused",
    "cancelled": "interrupted",
    **dict.fromkeys(STOPPED_BY_A_FILTER, "refused"),
}


def outcome_of(stop_reason: str) -> Outcome:
    """What an answer with this stop reason was to the caller."""
    return _OF_STOP_REASON.get(stop_reason, "answered")


def turn_over(conversation: Conversation, entry: Entry) -> tuple[int, Outcome] | None:
    """The turn of the caller that `entry`, which is folded already, ends, and how."""
    match entry:
        case AnswerComplete(number, stop_reason):
            turn = conversation.turns.get(number)
            return (number, outcome_of(stop_reason)) if turn and turn.caller else None
        case CallerTurn(number):
            turn = conversation.turns.get(number - 1)
        case Ended():
            turn = conversation.turn
        case _:
            return None
    cut_short = turn is not None and bool(turn.caller) and not turn.complete
    return (turn.number, "interrupted") if turn is not None and cut_short else None
