"""How a model's message ends, and what follows: stop reason × spoken × tools → act.

`Outcomes` is asked once a message of an answer. What it says is a row of `TABLE`; an act that asks
the model again has its limit in `LIMITS`, and another act in its place when that is reached.

    outcomes = Outcomes()
    outcomes.act("max_tokens", spoken=True, tools="none")     -> Act.GO_ON
    outcomes.act("max_tokens", spoken=True, tools="cut")      -> Act.MORE_ROOM

Contract: pure; any stop reason is answered, an unknown one as `end_turn`. A tool use that
`max_tokens` has cut off is never run: half an input may be a whole one by accident.
Errors: none. Source: Bedrock runtime API, `StopReason`; Anthropic, stop reasons.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal

Tools = Literal["none", "whole", "cut"]
"""The tool uses of a message: none, all whole, or the last one cut off."""


class Act(StrEnum):
    """What to do after a message."""

    DONE = "done"
    """The answer is complete."""
    USE_TOOLS = "use_tools"
    """Run the tools and give their results back."""
    GO_ON = "go_on"
    """Keep what was said and ask for the rest."""
    ASK_AGAIN = "ask_again"
    """Nothing came: ask once more."""
    MORE_ROOM = "more_room"
    """Nothing usable came for want of tokens: ask again with twice as many."""
    SHORTEN = "shorten"
    """The history is too long for the model: ask again with less of it."""
    BLOCKED = "blocked"
    """It was withheld; what was said in its place is the end. Its words leave the history."""
    WORDS = "words"
    """Say the agent's own words for an error."""


Case = tuple[bool, Tools]
"""Whether the message had anything to say, and its tools."""

_SILENT: Final[Case] = (False, "none")
_SPOKEN: Final[Case] = (True, "none")


def _row(silent: Act, spoken: Act, whole: Act, cut: Act) -> Mapping[Case, Act]:
    return {
        _SILENT: silent,
        _SPOKEN: spoken,
        (False, "whole"): whole,
        (True, "whole"): whole,
        (False, "cut"): cut,
        (True, "cut"): cut,
    }


_ENDED: Final = _row(Act.ASK_AGAIN, Act.DONE, Act.USE_TOOLS, Act.USE_TOOLS)
_WITHHELD: Final = _row(Act.BLOCKED, Act.BLOCKED, Act.BLOCKED, Act.BLOCKED)
_MALFORMED: Final = _row(Act.ASK_AGAIN, Act.GO_ON, Act.ASK_AGAIN, Act.ASK_AGAIN)

TABLE: Final[Mapping[str, Mapping[Case, Act]]] = {
    "end_turn": _ENDED,
    "stop_sequence": _ENDED,
    "tool_use": _ENDED,
    # A longer thought has no end of its own: it goes on, it does not stop in mid-sentence.
    "max_tokens": _row(Act.MORE_ROOM, Act.GO_ON, Act.USE_TOOLS, Act.MORE_ROOM),
    "pause_turn": _row(Act.GO_ON, Act.GO_ON, Act.USE_TOOLS, Act.ASK_AGAIN),
    "guardrail_intervened": _WITHHELD,
    "content_filtered": _WITHHELD,
    "refusal": _WITHHELD,
    "malformed_model_output": _MALFORMED,
    "malformed_tool_use": _MALFORMED,
    "model_context_window_exceeded": _row(Act.SHORTEN, Act.SHORTEN, Act.SHORTEN, Act.SHORTEN),
}
"""Every stop reason of Converse and of the models behind it."""

LIMITS: Final[Mapping[Act, tuple[int, Act]]] = {
    Act.GO_ON: (2, Act.DONE),
    Act.ASK_AGAIN: (1, Act.WORDS),
    Act.MORE_ROOM: (2, Act.WORDS),
    Act.SHORTEN: (3, Act.WORDS),
}
"""How often in an answer, and what then."""

WITHHELD: Final = frozenset(reason for reason, row in TABLE.items() if row is _WITHHELD)
"""The stop reasons of an answer whose turn must not be shown to the model again."""


class Outcomes:
    """The acts of one answer; see the module."""

    def __init__(self) -> None:
        self._taken: Counter[Act] = Counter()

    def act(self, stop_reason: str, *, spoken: bool, tools: Tools) -> Act:
        """What follows a message that ended with `stop_reason`. `spoken`: whether it had a sentence
        to say."""
        act = TABLE.get(stop_reason, _ENDED)[spoken, tools]
        limit = LIMITS.get(act)
        if limit is None:
            return act
        most, then = limit
        self._taken[act] += 1
        return act if self._taken[act] <= most else then
