"""A refused request, without everything that a model may refuse.

Contract: `repaired(request)` is the same conversation with the same tools and nothing else: no
sampling, thinking, effort, cache points, guardrail, tool choice, latency or service tier, and no
more tokens than any model gives. Pure. It equals its argument if there was nothing to leave out:
then another attempt would be refused as well.
Errors: none.
Source: specification 000, `fix_payload_and_retry`; Bedrock runtime API, Converse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

SMALLEST_OUTPUT_LIMIT: Final = 4_096
_KEPT_BLOCKS: Final = frozenset({"text", "toolUse", "toolResult"})


def repaired(request: Mapping[str, Any]) -> dict[str, Any]:
    """See the module."""
    made: dict[str, Any] = {"modelId": request["modelId"]}
    messages = [
        {"role": message["role"], "content": content}
        for message in request.get("messages", [])
        if (content := [block for block in message["content"] if _KEPT_BLOCKS & set(block)])
    ]
    made["messages"] = messages
    limit = request.get("inferenceConfig", {}).get("maxTokens", SMALLEST_OUTPUT_LIMIT)
    made["inferenceConfig"] = {"maxTokens": min(limit, SMALLEST_OUTPUT_LIMIT)}
    if system := [block for block in request.get("system", []) if "text" in block]:
        made["system"] = system
    tools = [tool for tool in request.get("toolConfig", {}).get("tools", []) if "toolSpec" in tool]
    if tools:
        made["toolConfig"] = {"tools": tools}
    if "requestMetadata" in request:
        made["requestMetadata"] = request["requestMetadata"]
    return made
