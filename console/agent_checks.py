"""Whether agents can be used, and what callers would not like about them.

    named(["config/agents"], settings)       what is looked at: agents, files, routes
    checked("clinic", settings, policy)      a verdict an agent; notes are no faults
    passed_over(left)                        notes on what servers tell that is no tool

Contract: reads files. Errors: none; what cannot be read is a verdict.
Source: specification 002, "Common Failures to Pre-empt".
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aybiza.claude.choice import Policy
from aybiza.config.agent_types import agent_types
from aybiza.config.agents import Agent, AgentError, available, load_agent
from aybiza.config.languages import unheard
from aybiza.config.phrases import translations
from aybiza.config.routes import DEFAULT, Route, load_routes
from aybiza.config.settings import Settings
from aybiza.config.toml_file import TomlError, read_toml
from aybiza.console.answering import answering, own_policy, tool_files
from aybiza.emulators.bedrock.rules import SUFFIX

if TYPE_CHECKING:
    from aybiza.dialogue.tools.tool_files import ToolFiles

LONG_PROMPT_WORDS = 500
LONG_ANSWER_TOKENS = 1_000
TOLD_NAMES = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """What there is to say of an agent, or of a file that holds none."""

    name: str
    ok: bool
    says: str
    notes: list[str] = field(default_factory=list)


def named(files: Sequence[str], settings: Settings) -> list[str]:
    """See the module."""
    if not files:
        own = [] if settings.agent in available() else [settings.agent]
        routes = [str(settings.routes_file)] if settings.routes_file else []
        return [*available(), *own, *routes]
    found: list[str] = []
    for name in files:
        folder = Path(name)
        if not folder.is_dir():
            found.append(name)
            continue
        inside = sorted(folder.glob("*.toml"))
        # One that holds none is named itself, so that nothing checked does not pass for all well.
        found += [str(path) for path in inside if _holds_agents(path)] or [name]
    return list(dict.fromkeys(found))


def checked(name: str, settings: Settings, policy: Policy) -> Iterator[Verdict]:
    """See the module."""
    path = Path(name)
    if path.is_dir():
        yield Verdict(name, False, "no agents in this folder: they are files that end in .toml")
        return
    routes = name.endswith(".toml") and "routes" in _table(path)
    try:
        if routes:
            found = [*load_routes(path, "clinic").routes]
        else:
            agent = load_agent(name)
            found = [Route(DEFAULT, agent, agent.name, source=name)]
    except AgentError as error:
        for problem in error.problems:
            yield Verdict(name, False, problem.removeprefix(f"{name}: "))
        return
    tools: ToolFiles | None = None
    try:
        tools = tool_files(settings)
        for route in found:
            where = f"{name} {route.name}" if routes else name
            yield _verdict(where, route, settings, policy, tools)
    except ValueError as error:
        yield Verdict(name, False, f"AYBIZA_TOOLS_FILE: {error}")
    finally:
        if tools is not None:
            asyncio.run(tools.aclose())


def _verdict(
    where: str, route: Route, settings: Settings, policy: Policy, tools: ToolFiles
) -> Verdict:
    try:
        answering(route, settings, policy, tools)
    except ValueError as error:
        return Verdict(where, False, str(error).removeprefix(f"{where}: "))
    own = own_policy(route.agent, settings, policy)
    left = tools.passed_over(route.agent)
    notes = [*_notes(route.agent), *_loops(route), *_sampling(route, own), *passed_over(left)]
    return Verdict(where, True, route.agent.name, notes)


def passed_over(left: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What servers tell that is no tool of the agent's."""
    for table, names in left.items():
        more = f" and {len(names) - TOLD_NAMES} more" if len(names) > TOLD_NAMES else ""
        told = ", ".join(names[:TOLD_NAMES]) + more
        yield f"tools: [{table}] leaves out {told}; `aybiza tools try` has the reasons"


def _notes(agent: Agent) -> Iterator[str]:
    """What can be used, and still is not as callers would like it."""
    words = len(agent.system_prompt.split()) + len(agent.custom_instructions.split())
    if words > LONG_PROMPT_WORDS:
        yield f"system_prompt has {words} words: over {LONG_PROMPT_WORDS} each answer is slower"
    if agent.max_tokens > LONG_ANSWER_TOKENS:
        yield f"max_tokens = {agent.max_tokens}: nobody listens to so long an answer"
    if "end_call" not in agent.tools:
        yield "tools: without end_call the agent never hangs up"
    if agent.type not in (known := agent_types()):
        near = difflib.get_close_matches(agent.type, known, n=1)
        meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        if "system_prompt" not in agent.model_fields_set:
            yield f"type = {agent.type!r} has no prompt of its own; {meant}"
    if (
        agent.silence_timeout_s
        and agent.max_duration_s
        and (agent.silence_timeout_s >= agent.max_duration_s)
    ):
        yield "silence_timeout_s: the call is over by max_duration_s before anybody is asked"
    if "transfer_to_person" in agent.tools and not agent.transfer_numbers:
        yield "tools: transfer_to_person needs [transfer_numbers]: nobody is ever called"
    if agent.hours and agent.zone is None:
        yield "hours: without a zone they go by the clock of the node"
    tag = agent.language.partition("-")[0]
    if tag not in ("en", "multi", *translations()):
        yield f"language = {agent.language!r}: what the file leaves out is said in English"
    spoken = agent.voice.rpartition("-")[2]
    if tag != "multi" and len(spoken) == 2 and spoken != tag:
        yield f"voice = {agent.voice!r} speaks {spoken!r}, and the language is {agent.language!r}"
    yield from (told for told in map(unheard, _listeners(agent)) if told)


def _listeners(agent: Agent) -> Iterator[tuple[str, str]]:
    """The recognisers that the agent listens by, each with a language that it is to hear."""
    for tag in agent.languages or (agent.language,):
        speaking = agent.speaking(tag)
        yield speaking.listen_model, speaking.language


def _loops(route: Route) -> Iterator[str]:
    """Who would be put through to the agent that they speak with."""
    agent = route.agent
    called = {f"transfer_numbers.{name}": to for name, to in agent.transfer_numbers.items()}
    if agent.fallback_number is not None:
        called["fallback_number"] = agent.fallback_number
    for key, to in called.items():
        if to in route.numbers:
            yield f"{key}: {to} is a number of this route: the agent itself would answer"


def _sampling(route: Route, policy: Policy) -> Iterator[str]:
    """What of the agent's sampling the models that may answer do not take."""
    given = route.agent.model_fields_set & {"temperature", "top_p", "top_k"}
    kinds = {profile.model.sampling for profile in policy.models}
    if given and "none" in kinds:
        yield f"{', '.join(sorted(given))}: some of AWS_BEDROCK_MODELS takes none of it"
    if {"temperature", "top_p"} <= given and "one_of" in kinds:
        yield "top_p: some of AWS_BEDROCK_MODELS takes one of both, and has temperature"


def _holds_agents(path: Path) -> bool:
    """Whether a file of a folder is one of agents or routes, and not of rules or of a caller."""
    if path.name.endswith(SUFFIX):
        return False
    table = _table(path)
    return not table or not {"steps", "step", "rules", "persona"} & set(table)


def _table(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path)[1]
    except TomlError:
        return {}
