"""Which stand-in model answers for an agent, and for each agent of a node that has several.

Contract: `stand_in("desk.toml")` is a responder: the rules of `desk.rules.toml` where that file
lies beside the agent's; the clinic's front desk for the clinic and for an agent that works with
the clinic's tools; else a plain model that repeats what it understood and says goodbye.
`stand_in_of("desk.toml", Path("routes.toml"))` answers each request as the stand-in of its agent
does. A request tells its agent by how its system prompt begins; of agents with the same prompt, by
the greeting. What no agent has asked, such as a summary, is answered for the first agent. Agents
that were changed since are read again.
Errors: `AgentError` for agents and routes, `RulesError` for rules that cannot be read. What cannot
be read later leaves the agents as they were.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from aybiza.config.agent_types import get_system_prompt
from aybiza.config.agents import FOLDER, Agent, AgentError, is_path, load_agent
from aybiza.config.file_names import path_of
from aybiza.config.routes import Files, load_routes, stamps
from aybiza.emulators.bedrock.clinic.results import TOOLS
from aybiza.emulators.bedrock.continuation import Body, Responder
from aybiza.emulators.bedrock.reply import Reply
from aybiza.emulators.bedrock.responder import respond
from aybiza.emulators.bedrock.rules import Rules, RulesError, load_rules, rules_beside

_ANYBODYS = {"end_call", "transfer_to_person"}
"""Tools of the clinic that any agent has a use for."""


def stand_in(agent: str) -> Responder:
    """The responder for the agent of this name or file, as AYBIZA_AGENT names it."""
    tools = set(load_agent(agent).tools)
    rules = rules_beside(_file_of(agent))
    if rules.exists():
        return load_rules(rules)
    return respond if tools & (TOOLS - _ANYBODYS) else Rules()


def stand_in_of(agent: str, routes: Path | None) -> Responder:
    """The responder for `agent` and all agents of the file `routes`; see the module."""
    return stand_in(agent) if routes is None else _Several(agent, routes)


class _Several:
    """The responder of a node with several agents."""

    def __init__(self, default: str, routes: Path) -> None:
        self._default = default
        self._routes = routes
        self._desks: list[tuple[Agent, Responder]] = []
        self._files: Files = {}
        self._read()

    def __call__(self, body: Body) -> Reply | Awaitable[Reply]:
        """The reply of the agent that asks."""
        self._read_again()
        return self._responder(_told(body))(body)

    def _responder(self, told: str) -> Responder:
        fitting = [
            (len(prompt), bool(agent.greeting) and agent.greeting in told, -place)
            for place, (agent, _) in enumerate(self._desks)
            if told.startswith(prompt := _prompt(agent))
        ]
        return self._desks[-max(fitting)[2] if fitting else 0][1]

    def _read(self) -> None:
        found = load_routes(self._routes, self._default)
        sources = list(dict.fromkeys(route.source for route in found))
        rules = [rules_beside(_file_of(source)) for source in sources]
        agents = {route.source: route.agent for route in found}
        self._desks = [(agents[source], stand_in(source)) for source in sources]
        self._files = {**found.files, **stamps(rules)}

    def _read_again(self) -> None:
        now = stamps(self._files)
        if now != self._files:
            self._files = now
            with suppress(AgentError, RulesError):
                self._read()


def _file_of(agent: str) -> Path:
    return path_of(agent) if is_path(agent) else FOLDER / f"{agent}.toml"


def _prompt(agent: Agent) -> str:
    return get_system_prompt(
        {"system_prompt": agent.system_prompt, "custom_instructions": agent.custom_instructions}
    )


def _told(body: Mapping[str, Any]) -> str:
    system = body.get("system") or ()
    if isinstance(system, str):
        return system
    return "\n\n".join(str(block["text"]) for block in system if "text" in block)
