"""The names of OpenTelemetry's conventions for generative AI: all of them stand here.

They are still being made; who follows a newer version of them changes this module.

Errors: none.
Source: OpenTelemetry, "Semantic conventions for generative AI", 1.37 (`gen_ai.*`), and the general
ones for errors, clouds and services.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

AGENT: Final = "gen_ai.agent.name"
CONVERSATION: Final = "gen_ai.conversation.id"
ERROR: Final = "error.type"
OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
REGION: Final = "cloud.region"
REQUEST_MODEL: Final = "gen_ai.request.model"
STOP_REASONS: Final = "gen_ai.response.finish_reasons"
TOOL: Final = "gen_ai.tool.name"
TENANT: Final = "aybiza.tenant"
TURN: Final = "aybiza.turn"
OUTCOME: Final = "aybiza.outcome"

USAGE: Final[Mapping[str, str]] = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_creation.input_tokens",
}

BEDROCK: Final = "aws.bedrock"
CHAT: Final = "chat"
EXECUTE_TOOL: Final = "execute_tool"
INVOKE_AGENT: Final = "invoke_agent"


def of_request(measured: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a request to a model."""
    found: dict[str, Any] = {OPERATION: CHAT, PROVIDER: BEDROCK}
    found |= {REQUEST_MODEL: told.get("model"), REGION: told.get("region")}
    if told.get("stop_reason"):
        found[STOP_REASONS] = [told["stop_reason"]]
    return {**found, **{USAGE[name]: measured[name] for name in USAGE if name in measured}}
