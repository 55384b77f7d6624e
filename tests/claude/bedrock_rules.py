"""What Bedrock refuses in a Converse request, written down independently of the code under test."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
METADATA = re.compile(r"[a-zA-Z0-9 \t\r\n\f\v:_@$#=/+,.-]{1,256}")


def refusals(request: dict[str, Any]) -> list[str]:
    """Every reason for which Bedrock would answer ValidationException; empty if it would not."""
    reasons: list[str] = []
    messages = request["messages"]
    if not messages:
        return ["no messages"]
    json.dumps(request, allow_nan=False, ensure_ascii=False, default=repr).encode("utf-8")
    roles = [message["role"] for message in messages]
    if roles[0] != "user" or roles[-1] != "user":
        reasons.append("the first and the last message must be the user's")
    if any(role == after for role, after in pairwise(roles)):
        reasons.append("roles must alternate")
    used: set[str] = set()
    owed: set[str] = set()
    for message in messages:
        content = message["content"]
        if not content:
            reasons.append("empty content")
        results = [block["toolResult"]["toolUseId"] for block in content if "toolResult" in block]
        if set(results) != owed or len(results) != len(owed):
            reasons.append(f"results {results} do not answer {sorted(owed)}")
        kinds = ["toolResult" in block for block in content]
        if kinds != sorted(kinds, reverse=True):
            reasons.append("results must come first")
        owed = set()
        for block in content:
            reasons.extend(_block_refusals(block, message["role"]))
            if "toolUse" in block:
                tool_use_id = block["toolUse"]["toolUseId"]
                if tool_use_id in used:
                    reasons.append("toolUse ids must be unique")
                used.add(tool_use_id)
                owed.add(tool_use_id)
        if "reasoningContent" in content[-1]:
            reasons.append("a message must not end with reasoning")
    if owed:
        reasons.append("toolUse without results at the end")
    if used and not request.get("toolConfig", {}).get("tools"):
        reasons.append("toolConfig must be present when the history has tool blocks")
    for tool in request.get("toolConfig", {}).get("tools", []):
        if not NAME.fullmatch(tool["toolSpec"]["name"]) or "inputSchema" not in tool["toolSpec"]:
            reasons.append("bad toolSpec")
    for text in request.get("system", []):
        if not text["text"].strip():
            reasons.append("empty system text")
    reasons.extend(_parameter_refusals(request))
    return reasons


def _block_refusals(block: dict[str, Any], role: str) -> list[str]:
    if len(block) != 1:
        return ["a block has exactly one member"]
    match block:
        case {"text": str(text)}:
            return [] if text.strip() else ["empty text"]
        case {"toolUse": {"toolUseId": str(tool_use_id), "name": str(name), "input": dict()}}:
            good = role == "assistant" and NAME.fullmatch(tool_use_id) and NAME.fullmatch(name)
            return [] if good else ["bad toolUse"]
        case {"toolResult": {"content": list(content), "toolUseId": str(tool_use_id)} as result}:
            fits = role == "user" and bool(content) and bool(NAME.fullmatch(tool_use_id))
            fits = fits and result.get("status") in ("success", "error")
            fits = fits and all(_good_result(piece) for piece in content)
            return [] if fits else ["bad toolResult"]
        case {"reasoningContent": {"reasoningText": {"signature": str(signature), "text": str()}}}:
            return [] if signature and role == "assistant" else ["bad reasoning"]
        case {"reasoningContent": {"redactedContent": bytes(redacted)}}:
            return [] if redacted and role == "assistant" else ["bad reasoning"]
    return [f"unknown block {list(block)}"]


def _good_result(piece: dict[str, Any]) -> bool:
    match piece:
        case {"text": str(text)}:
            return bool(text.strip())
        case {"json": dict()}:
            return True
    return False


def _parameter_refusals(request: dict[str, Any]) -> list[str]:
    reasons = []
    inference = request["inferenceConfig"]
    if inference["maxTokens"] < 1:
        reasons.append("maxTokens")
    if "temperature" in inference and "topP" in inference:
        reasons.append("temperature and topP cannot both be specified")
    if not all(0 <= inference.get(name, 0) <= 1 for name in ("temperature", "topP")):
        reasons.append("sampling out of range")
    metadata = request.get("requestMetadata")
    if metadata is not None and not metadata:
        reasons.append("empty requestMetadata")
    if not all(METADATA.fullmatch(text) for pair in (metadata or {}).items() for text in pair):
        reasons.append("requestMetadata pattern")
    return reasons
