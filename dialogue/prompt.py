"""What the model is told before the conversation.

Contract: pure. Errors: none.
Source: specification 000, section 3 (`get_system_prompt`, `determine_response_length`).
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from aybiza.config.agents import Agent

UNHEARD_GREETING = "The caller broke in before anything of your greeting was heard."


def system_prompt(agent: Agent, today: date | None = None, greeted: str | None = None) -> str:
    """The agent's prompt, the words the call was opened with, and the day if it is given.

    `greeted`: what the caller has heard of the greeting; None: all of it.
    """
    opened = agent.greeting if greeted is None else greeted
    said = f'You have opened the call with: "{opened}"'
    parts = [agent.system_prompt, said if opened else UNHEARD_GREETING]
    if today is not None:
        parts.append(f"Today is {today:%A}, {today:%d %B %Y}.")
    return "\n\n".join(parts)


class WordLimits(NamedTuple):
    """How many words an answer may have: usually, where the caller wants it brief, and where the
    caller asks for an explanation."""

    usual: int
    brief: int
    full: int


def length_prompt(limits: WordLimits) -> str:
    """How many words an answer may have: a limit and not an aim.

    It is the same for every turn of a call, since all that a model has kept of the history is worth
    nothing once a word before it changes.
    """
    return (
        f"An answer has {limits.usual} words at the very most; {limits.brief} where the caller"
        f" wants it quick or brief, {limits.full} where the caller asks for an explanation or for"
        " details. Shorter is better, and where you have been given a shorter limit, keep to that"
        " one."
    )
