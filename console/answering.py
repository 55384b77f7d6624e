"""Who answers on a route of a node: the agent with its limits, its tools, and its models.

Contract: `answering` opens nothing, and takes a third of a second for the first agent of a
language, whose words it reads before there are calls. `tools` are the node's
(`AYBIZA_TOOLS_FILE`), of which each agent has those that it names, with a consent and a count of
writes of its own.
Errors: `ValueError` for tools that there are not.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aybiza.actors.switchboard import Answering
from aybiza.claude.choice import Policy
from aybiza.config.agents import Agent
from aybiza.config.routes import Route
from aybiza.config.settings import Settings
from aybiza.dialogue.consent import ConsentGate
from aybiza.dialogue.toolbox import NoTools, Toolbox, toolbox_for
from aybiza.speech.spoken_text import warm

if TYPE_CHECKING:
    from aybiza.dialogue.tools.catalogue import Tools


def answering(
    route: Route,
    settings: Settings,
    policy: Policy,
    tools: Tools | None,
    toolbox: Toolbox | None = None,
) -> Answering:
    """See the module. `toolbox` takes the place of the tools that the agent names."""
    agent = with_limits(route.agent, settings)
    warm(agent.language)
    gate = ConsentGate(agent.language)
    own = tools.registry.only(tools.registry.names, gate) if tools else NoTools()
    try:
        policy = policy.preferring(agent.model, agent.model_rule)
    except ValueError as error:
        raise ValueError(f"{agent.name}: {error}") from None
    try:
        box = toolbox or toolbox_for(agent.tools, own, gate, tuple(agent.transfer_numbers))
    except ValueError as error:
        raise ValueError(f"{agent.name}: tools: {error}") from None
    of_tools = tools.destinations.values() if tools else ()
    numbers = {to.name: to.number for to in of_tools}
    return Answering(agent, box, policy, route.tenant, route.name, numbers)


def own_tools(settings: Settings) -> Tools | None:
    """The tools of `AYBIZA_TOOLS_FILE`, to be closed by the caller. Raises `ToolsError`."""
    if settings.tools_file is None:
        return None
    from aybiza.dialogue.tools.catalogue import load_tools

    return load_tools(settings.tools_file, region=settings.aws_region, environment=os.environ)


def with_limits(agent: Agent, settings: Settings) -> Agent:
    """The agent with the node's limits where it has none of its own."""
    limits: Mapping[str, Any] = {
        "silence_timeout_s": agent.silence_timeout_s or float(settings.silence_timeout_seconds),
        "max_duration_s": agent.max_duration_s or float(settings.max_call_seconds),
    }
    return agent.model_copy(update=dict(limits))
