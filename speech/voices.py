"""Which Aura voice an agent speaks with.

Purpose: the specification's voice table. Contract: pure, always answers. Errors: none.
Source: Bedrock guide, section 3 (`get_optimal_voice_for_context`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

DEFAULT_AGENT_TYPE: Final = "customer_service"
DEFAULT_VOICE: Final = "aura-stella-en"

VOICE_OF_AGENT_TYPE: Final = {
    "technical_support": "aura-perseus-en",
    "sales_assistant": "aura-luna-en",
    "customer_service": "aura-asteria-en",
}


def get_optimal_voice_for_context(context: Mapping[str, Any]) -> str:
    """The voice for `agent_type`; missing counts as customer service, any other gets the
    default."""
    agent_type = context.get("agent_type", DEFAULT_AGENT_TYPE)
    return VOICE_OF_AGENT_TYPE.get(agent_type, DEFAULT_VOICE)
