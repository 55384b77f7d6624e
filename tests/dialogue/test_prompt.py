"""What the model is told before the conversation."""

from __future__ import annotations

from datetime import date

from aybiza.config.agents import load_agent
from aybiza.dialogue.prompt import WordLimits, length_prompt, system_prompt

AGENT = load_agent("clinic")


def test_the_prompt_is_the_agent_s_with_the_words_that_opened_the_call() -> None:
    text = system_prompt(AGENT)
    assert text.startswith(AGENT.system_prompt)
    assert f'"{AGENT.greeting}"' in text
    assert "Today" not in text


def test_the_day_is_told_in_words() -> None:
    assert system_prompt(AGENT, date(2026, 3, 2)).endswith("Today is Monday, 02 March 2026.")


def test_the_length_is_a_limit_that_gives_way_to_a_shorter_one() -> None:
    text = length_prompt(WordLimits(150, 75, 300))
    assert "150 words at the very most; 75 where" in text
    assert "a shorter limit, keep to that one" in text
