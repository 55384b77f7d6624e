"""The kinds of agents, with the prompt and the voice of each: `agent_types.toml` of this package.

An agent whose file has no `system_prompt` or no `voice` has those of its `type`
(`aybiza.config.agents`). Reads a file at its first use: call it before the event loop has calls to
carry. Contract: always answers. Errors: none.
Source: Bedrock guide, section 3 (`@voice_system_prompts`, `get_system_prompt`,
`get_optimal_voice_for_context`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from aybiza.config.rule_sets import Rules

FILE: Final = Path(__file__).with_name("agent_types.toml")
DEFAULT_TYPE: Final = "customer_service"
_OTHER: Final = "other"


@cache
def agent_types() -> Mapping[str, Mapping[str, Any]]:
    """The kinds by name."""
    return MappingProxyType(tomllib.loads(FILE.read_text(encoding="utf-8")))


def get_system_prompt(agent_config: Mapping[str, Any]) -> str:
    """What the model is told before a conversation.

    agent_config: `type`, which is customer service unless it is one of the kinds; `system_prompt`,
    which takes the place of the kind's own; `custom_instructions`, which come behind it.

    >>> print(get_system_prompt({"type": "sales_assistant"}).splitlines()[0])
    You advise people who think of buying something, and want to know what they need.
    >>> get_system_prompt({"system_prompt": "You sell tea.", "custom_instructions": "Be brief."})
    'You sell tea.\\n\\nCUSTOM INSTRUCTIONS:\\nBe brief.'
    """
    kinds = agent_types()
    kind = kinds.get(agent_config.get("type", DEFAULT_TYPE), kinds[DEFAULT_TYPE])
    default = kind.get("system_prompt", kinds[DEFAULT_TYPE]["system_prompt"]).strip()
    base = agent_config.get("system_prompt") or default
    own = agent_config.get("custom_instructions", "")
    return f"{base}\n\nCUSTOM INSTRUCTIONS:\n{own}" if own else str(base)


def get_optimal_voice_for_context(
    context: Mapping[str, Any], *, rules: Rules = "specification"
) -> str:
    """Deepgram's voice for the context's `agent_type`, missing: customer service. The specification
    names voices of Aura-1, a call speaks with Aura-2's, where there is one in its `language`.

    >>> get_optimal_voice_for_context({"agent_type": "technical_support"})
    'aura-perseus-en'
    >>> get_optimal_voice_for_context({"agent_type": "technical_support"}, rules="call")
    'aura-2-arcas-en'
    >>> get_optimal_voice_for_context({"language": "de-AT"}, rules="call")
    'aura-2-viktoria-de'
    """
    kinds = agent_types()
    kind = kinds.get(context.get("agent_type", DEFAULT_TYPE), kinds[_OTHER])
    if rules != "call":
        return str(kind["aura_1"])
    tag = str(context.get("language") or "").partition("-")[0]
    voice: str = kind["voices"].get(tag, kind["voice"])
    return voice
