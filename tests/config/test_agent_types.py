"""The kinds of agents: their voices, by the recorded cases, and their prompts."""

from __future__ import annotations

import doctest
import json
from pathlib import Path
from typing import Any

import pytest

from aybiza.config import agent_types
from aybiza.config.agent_types import (
    get_optimal_voice_for_context,
    get_system_prompt,
)
from aybiza.config.agents import Agent

RECORDED = Path(__file__).resolve().parents[1] / "golden" / "fn_get_optimal_voice_for_context.json"


@pytest.mark.parametrize("case", json.loads(RECORDED.read_text(encoding="utf-8"))["cases"])
def test_the_voice_is_the_recorded_one(case: dict[str, Any]) -> None:
    assert get_optimal_voice_for_context(case["input"]["context"]) == case["output"]


GREETING: dict[str, Any] = {"name": "Desk", "greeting": "Hello."}
KINDS = ("customer_service", "technical_support", "sales_assistant")


@pytest.mark.parametrize("kind", [*KINDS, "concierge"])
def test_an_agent_without_a_voice_and_a_prompt_has_those_of_its_type(kind: str) -> None:
    agent = Agent(type=kind, **GREETING)
    assert agent.voice == get_optimal_voice_for_context({"agent_type": kind}, rules="call")
    assert agent.system_prompt == get_system_prompt({"type": kind})


def test_each_kind_has_a_voice_and_a_prompt_of_its_own() -> None:
    agents = [Agent(type=kind, **GREETING) for kind in KINDS]
    assert len({agent.voice for agent in agents}) == 3
    assert len({agent.system_prompt for agent in agents}) == 3
    assert all(agent.voice.startswith("aura-2-") for agent in agents)


def test_an_agents_own_voice_and_prompt_are_kept() -> None:
    agent = Agent(voice="aura-2-zeus-en", system_prompt="You sell tea.", **GREETING)
    assert (agent.voice, agent.system_prompt) == ("aura-2-zeus-en", "You sell tea.")


def test_a_kind_that_is_not_known_is_customer_service() -> None:
    assert get_system_prompt({"type": "concierge"}) == get_system_prompt({})


def test_custom_instructions_come_behind_the_prompt() -> None:
    prompt = get_system_prompt({"type": "sales_assistant", "custom_instructions": "Sell tea."})
    assert prompt.endswith("\n\nCUSTOM INSTRUCTIONS:\nSell tea.")
    assert prompt.startswith(agent_types.agent_types()["sales_assistant"]["system_prompt"].strip())


def test_the_examples_hold() -> None:
    ran = doctest.testmod(agent_types)
    assert ran.attempted > 0
    assert ran.failed == 0
