"""What the model is told before the conversation.

Contract: pure. Errors: none.
Source: specification 000, section 3 (`get_system_prompt`, `determine_response_length`).
"""

from __future__ import annotations

from datetime import date

from aybiza.config.agents import Agent


def system_prompt(agent: Agent, today: date | None = None) -> str:
    """The agent's prompt, the words the call was opened with, and the day if it is given."""
    parts = [agent.system_prompt, f'You have opened the call with: "{agent.greeting}"']
    if today is not None:
        parts.append(f"Today is {today:%A}, {today:%d %B %Y}.")
    return "\n\n".join(parts)


def length_prompt(words: int) -> str:
    """How many words the next answer may have: a limit and not an aim.

    For a text of its own behind the prompt, which stays the same from turn to turn.
    """
    return (
        f"Your next answer has {words} words at the very most. Shorter is better, and where you"
        " have been given a shorter limit, keep to that one."
    )
