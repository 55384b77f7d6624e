"""Who answers on a route of a node: the agent with its limits, its tools, and its models.

Contract: `answering` opens nothing, and takes a third of a second for the first agent of a
language, whose words it reads before there are calls; recordings of an agent's prompts are read
then, too. An agent's own tools' file is loaded at its first answering. Each agent has the tools
that it names, with a consent and a count of writes of its own.
Errors: `ValueError` for tools that there are not, for prompts that cannot be heard, and for what
the node's settings do not give; the text names the agent's file, the line and the key.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aybiza.actors.switchboard import Answering
from aybiza.claude.chat.models import chat_profile
from aybiza.claude.choice import Policy
from aybiza.config.agents import Agent, is_path
from aybiza.config.file_names import path_of
from aybiza.config.others import is_elevenlabs
from aybiza.config.prices import load as load_prices
from aybiza.config.routes import Route
from aybiza.config.settings import Settings
from aybiza.config.toml_file import TomlError, read_toml
from aybiza.config.toml_lines import placed
from aybiza.dialogue import mood
from aybiza.dialogue.consent import ConsentGate
from aybiza.dialogue.toolbox import Toolbox
from aybiza.dialogue.tools.catalogue import ToolsError
from aybiza.dialogue.tools.tool_files import ToolFiles
from aybiza.speech.prompts import load_prompts
from aybiza.speech.spoken_text import warm
from aybiza.speech.wav import AudioError


def answering(
    route: Route,
    settings: Settings,
    policy: Policy,
    files: ToolFiles,
    toolbox: Toolbox | None = None,
) -> Answering:
    """See the module. `toolbox` takes the place of the tools that the agent names."""
    try:
        return _answering(route, settings, policy, files, toolbox)
    except ToolsError as error:
        raise ValueError(placed_fault(route, f"tools_file: {'; '.join(error.problems)}")) from None
    except ValueError as error:
        raise ValueError(placed_fault(route, str(error))) from None


def placed_fault(route: Route, fault: str) -> str:
    """A fault of a route's agent, which begins with the key, with the place of that key.

    >>> from aybiza.config.agents import load_agent
    >>> placed_fault(Route("default", load_agent("winery"), "Wine"), "model: there is none")
    'Hillside Wines: model: there is none'
    """
    if not is_path(route.source):
        return f"{route.agent.name}: {fault}"
    path = path_of(route.source)
    try:
        text, _ = read_toml(path)
    except TomlError:  # it has changed since it was read
        return f"{path}: {fault}"
    return f"{placed(path, text, (fault.partition(':')[0],))}: {fault}"


def _answering(
    route: Route,
    settings: Settings,
    policy: Policy,
    files: ToolFiles,
    toolbox: Toolbox | None,
) -> Answering:
    agent = with_limits(route.agent, settings)
    for language in {agent.language, *agent.languages}:
        warm(language)
    if agent.analysis is not None and agent.analysis.sentiment:
        mood.warm()
    gate = ConsentGate(agent.language, agent.languages)
    policy = own_policy(agent, settings, policy)
    try:
        box = toolbox or files.toolbox(agent, gate)
        numbers = files.numbers(agent)
    except ToolsError:
        raise
    except ValueError as error:
        raise ValueError(f"tools: {error}") from None
    try:
        audio = load_prompts(agent)
    except AudioError as error:
        raise ValueError(f"prompts: {error}") from None
    return Answering(agent, box, policy, route.tenant, route.name, numbers, audio)


def own_policy(agent: Agent, settings: Settings, policy: Policy) -> Policy:
    """How the agent's models are chosen. Raises `ValueError` where the node's settings do not
    give what the agent's file asks for; its text begins with the key."""
    if agent.recording is not None and settings.recordings is None:
        raise ValueError("recording: set AYBIZA_RECORDINGS to a folder for them")
    if any(map(is_elevenlabs, agent.voices)) and settings.elevenlabs_api_key is None:
        raise ValueError("voice: set ELEVENLABS_API_KEY for a voice of ElevenLabs'")
    own = policy.preferring(agent.model, agent.model_rule)
    if agent.last_model is None:
        return own
    if settings.openai_api_key is None:
        raise ValueError("last_model: set OPENAI_API_KEY to that service's key")
    if settings.guardrail is not None:
        raise ValueError(
            "last_model: its answers would pass no guardrail, and AYBIZA_GUARDRAIL asks for one"
        )
    prices = load_prices(settings.prices_file)
    return replace(own, last=chat_profile(agent.last_model, prices))


def tool_files(settings: Settings) -> ToolFiles:
    """The tools of `AYBIZA_TOOLS_FILE` and, as they are met, of agents' own files; to be closed by
    the caller. Raises `ToolsError`."""
    return ToolFiles(settings.tools_file, region=settings.aws_region, environment=os.environ)


def with_limits(agent: Agent, settings: Settings) -> Agent:
    """The agent with the node's limits where it has none of its own."""
    limits: Mapping[str, Any] = {
        "silence_timeout_s": agent.silence_timeout_s or float(settings.silence_timeout_seconds),
        "max_duration_s": agent.max_duration_s or float(settings.max_call_seconds),
    }
    return agent.model_copy(update=dict(limits))
