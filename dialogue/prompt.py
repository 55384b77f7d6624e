"""What the model is told before the conversation.

Source: specification 000, section 3, `get_system_prompt`.
"""

from __future__ import annotations

from datetime import date

from config.agents import Agent


def system_prompt(agent: Agent, today: date | None = None) -> str:
    """The agent's prompt, the words the call was opened with, and the day if it is given."""
    parts = [agent.system_prompt, f'You have opened the call with: "{agent.greeting}"']
    if today is not None:
        parts.append(f"Today is {today:%A}, {today:%d %B %Y}.")
    return "\n\n".join(parts)
