"""Which stand-in model answers for an agent.

Contract: `stand_in("desk.toml")` is a responder: the rules of `desk.rules.toml` where that file
lies beside the agent's; the clinic's front desk for the clinic and for an agent that works with
the clinic's tools; else a plain model that repeats what it understood and says goodbye.
Errors: `AgentError` for an agent, `RulesError` for rules that cannot be read.
"""

from __future__ import annotations

from pathlib import Path

from aybiza.config.agents import FOLDER, is_path, load_agent
from aybiza.emulators.bedrock.clinic.results import TOOLS
from aybiza.emulators.bedrock.continuation import Responder
from aybiza.emulators.bedrock.responder import respond
from aybiza.emulators.bedrock.rules import Rules, load_rules, rules_beside

_ANYBODYS = {"end_call", "transfer_to_person"}
"""Tools of the clinic that any agent has a use for."""


def stand_in(agent: str) -> Responder:
    """The responder for the agent of this name or file, as AYBIZA_AGENT names it."""
    tools = set(load_agent(agent).tools)
    file = Path(agent).expanduser() if is_path(agent) else FOLDER / f"{agent}.toml"
    rules = rules_beside(file)
    if rules.exists():
        return load_rules(rules)
    return respond if tools & (TOOLS - _ANYBODYS) else Rules()
