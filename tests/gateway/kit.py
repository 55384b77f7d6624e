"""Who answers at a door of the tests."""

from __future__ import annotations

from datetime import date

from aybiza.actors.switchboard import Answering, Switchboard
from aybiza.claude.choice import Policy
from aybiza.config.agents import Agent
from aybiza.config.catalogue import shipped
from aybiza.config.settings import load
from aybiza.dialogue.toolbox import NoTools

POLICY = Policy.of(load({}), shipped(), today=date(2026, 1, 5))


def switchboard(agent: Agent) -> Switchboard:
    """One on which this agent answers every call."""
    return Switchboard.of_one(Answering(agent, NoTools(), POLICY, agent.name))
