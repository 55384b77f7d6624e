"""What Bedrock refuses in a Converse request, written down independently of the code under test.

What each model takes stands in a table of its own: neither the catalogue nor the emulator is asked.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any


@dataclass(frozen=True)
class Takes:
    """limit: of maxTokens. thinking: `b`udget, `a`daptive, al`w`ays. sampling: how many of
    temperature and topP. prefill: whether the answer may be begun."""

    limit: int
    thinking: str
    sampling: int
    prefill: bool = False


HAIKU_4_5 = "anthropic.claude-haiku-4-5-20251001-v1:0"
SONNET_4_5 = "anthropic.claude-sonnet-4-5-20250929-v1:0"
OPUS_4_5 = "anthropic.claude-opus-4-5-20251101-v1:0"

MODELS = {
    HAIKU_4_5: Takes(64_000, "b", 1, prefill=True),
    SONNET_4_5: Takes(64_000, "b", 1, prefill=True),
    OPUS_4_5: Takes(64_000, "b", 1, prefill=True),
    "anthropic.claude-sonnet-4-6": Takes(64_000, "ab", 1),
    "anthropic.claude-opus-4-6-v1": Takes(128_000, "ab", 1),
    "anthropic.claude-opus-4-7": Takes(128_000, "a", 0),
    "anthropic.claude-opus-4-8": Takes(128_000, "a", 0),
    "anthropic.claude-haiku-5-5": Takes(128_000, "a", 0),
    "anthropic.claude-sonnet-5": Takes(128_000, "a", 0),
    "anthropic.claude-opus-5": Takes(128_000, "a", 0),
    "anthropic.claude-sonnet-5-5": Takes(128_000, "w", 0),
    "anthropic.claude-opus-5-5": Takes(128_000, "w", 0),
}
# These think unless they are told not to.
THINK_UNASKED = {
    "anthropic.claude-haiku-5-5",
    "anthropic.claude-sonnet-5",
    "anthropic.claude-opus-5",
}
# What every model takes, whatever it is.
STRICTEST = Takes(4_096, "", 0)
# Kept for an hour by 4.5 and later; all that are in service.
HOUR = set(MODELS)
FIELDS = {"thinking", "top_k"}

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
METADATA = re.compile(r"[a-zA-Z0-9 \t\r\n\f\v:_@$#=/+,.-]{1,256}")


def refusals(request: dict[str, Any]) -> list[str]:
    """Every reason for which Bedrock would answer ValidationException; empty if it would not."""
    reasons: list[str] = []
    messages = request["messages"]
    if not messages:
        return ["no messages"]
    json.dumps(request, allow_nan=False, ensure_ascii=False, default=repr).encode("utf-8")
    takes = MODELS.get(request["modelId"].partition(".")[2], STRICTEST)
    roles = [message["role"] for message in messages]
    if roles[0] != "user":
        reasons.append("the first message must be the user's")
    if roles[-1] != "user" and (not takes.prefill or thinks(request)):
        reasons.append("the answer must not be begun")
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
        points = ["cachePoint" in block for block in content]
        if any(points[:-1]) or points[0]:
            reasons.append("a cache point must follow what it keeps")
        if "reasoningContent" in content[-1]:
            reasons.append("a message must not end with reasoning")
        if not takes.thinking and any("reasoningContent" in block for block in content):
            reasons.append("reasoning for a model that does not think")
    if owed:
        reasons.append("toolUse without results at the end")
    if used and not request.get("toolConfig", {}).get("tools"):
        reasons.append("toolConfig must be present when the history has tool blocks")
    for tool in request.get("toolConfig", {}).get("tools", []):
        if "cachePoint" in tool:
            continue
        if not NAME.fullmatch(tool["toolSpec"]["name"]) or "inputSchema" not in tool["toolSpec"]:
            reasons.append("bad toolSpec")
    for text in request.get("system", []):
        if "cachePoint" not in text and not text["text"].strip():
            reasons.append("empty system text")
    reasons.extend(_parameter_refusals(request, takes))
    reasons.extend(_thinking_refusals(request, takes))
    reasons.extend(_choice_refusals(request, takes))
    reasons.extend(_cache_refusals(request))
    return reasons


def thinks(request: dict[str, Any]) -> bool:
    """Whether the model will think, or may."""
    base = request["modelId"].partition(".")[2]
    kind = request.get("additionalModelRequestFields", {}).get("thinking", {}).get("type")
    if kind is None:
        return base in THINK_UNASKED or MODELS.get(base, STRICTEST).thinking == "w"
    return kind in ("enabled", "adaptive")


def _thinking_refusals(request: dict[str, Any], takes: Takes) -> list[str]:
    fields = request.get("additionalModelRequestFields", {})
    reasons = [f"unknown field {name}" for name in fields if name not in FIELDS]
    effort = request.get("outputConfig", {}).get("effort")
    if effort is not None and (
        effort not in ("low", "medium", "high") or takes.thinking in ("", "b")
    ):
        reasons.append(f"effort {effort}")
    match fields.get("thinking"):
        case None:
            pass
        case {"type": "enabled", "budget_tokens": int(budget), **rest} if not rest:
            if "b" not in takes.thinking:
                reasons.append("no budget is taken")
            if not 1024 <= budget < request["inferenceConfig"]["maxTokens"]:
                reasons.append(f"budget {budget}")
            last = request["messages"][-1]["content"][0]
            if "toolResult" in last:
                before = request["messages"][-2]["content"][0]
                if "reasoningContent" not in before:
                    reasons.append("thinking cannot begin in the middle of a tool loop")
        case {"type": "adaptive", **rest} if not rest:
            if "a" not in takes.thinking and takes.thinking != "w":
                reasons.append("no adaptive thinking is taken")
        case {"type": "disabled", **rest} if not rest:
            if "a" not in takes.thinking:
                reasons.append("thinking cannot be disabled")
        case other:
            reasons.append(f"thinking {other}")
    return reasons


def _choice_refusals(request: dict[str, Any], takes: Takes) -> list[str]:
    config = request.get("toolConfig", {})
    names = [tool["toolSpec"]["name"] for tool in config.get("tools", []) if "toolSpec" in tool]
    match config.get("toolChoice"):
        case None:
            return []
        case {"auto": {**inner}, **rest} if not rest and not inner:
            return []
        case {"any": {**inner}, **rest} if not rest and not inner:
            forced = True
        case {"tool": {"name": str(name), **inner}, **rest} if not rest and not inner:
            forced = name in names
        case _:
            forced = False
    if not forced:
        return ["bad toolChoice"]
    return ["no tool can be forced"] if thinks(request) or takes is STRICTEST else []


def _cache_refusals(request: dict[str, Any]) -> list[str]:
    places = [request.get("toolConfig", {}).get("tools", []), request.get("system", [])]
    places += [message["content"] for message in request["messages"]]
    points = [block["cachePoint"] for place in places for block in place if "cachePoint" in block]
    base = request["modelId"].partition(".")[2]
    reasons = ["more than four cache points"] if len(points) > 4 else []
    allowed = [{"type": "default"}] + [{"type": "default", "ttl": "1h"}] * (base in HOUR)
    return reasons + ["bad cache point" for point in points if point not in allowed]


def _block_refusals(block: dict[str, Any], role: str) -> list[str]:
    if len(block) != 1:
        return ["a block has exactly one member"]
    match block:
        case {"cachePoint": dict()}:
            return [] if role == "user" else ["cache point in an answer"]
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


def _parameter_refusals(request: dict[str, Any], takes: Takes) -> list[str]:
    reasons = []
    inference = request["inferenceConfig"]
    if not 1 <= inference["maxTokens"] <= takes.limit:
        reasons.append("maxTokens")
    sampling = [name for name in ("temperature", "topP") if name in inference]
    if len(sampling) > takes.sampling:
        reasons.append(f"{' and '.join(sampling)} cannot be specified")
    if not all(0 <= inference[name] <= 1 for name in sampling):
        reasons.append("sampling out of range")
    top_k = request.get("additionalModelRequestFields", {}).get("top_k")
    if top_k is not None and not (takes.sampling and 1 <= top_k <= 500):
        reasons.append("top_k")
    if thinks(request) and (sampling or top_k is not None):
        reasons.append("sampling while it thinks")
    guardrail = request.get("guardrailConfig")
    if guardrail is not None and not (
        guardrail["guardrailIdentifier"]
        and guardrail["guardrailVersion"]
        and guardrail["trace"] in ("enabled", "disabled")
        and guardrail["streamProcessingMode"] in ("sync", "async")
    ):
        reasons.append("guardrail")
    metadata = request.get("requestMetadata")
    if metadata is not None and not metadata:
        reasons.append("empty requestMetadata")
    if not all(METADATA.fullmatch(text) for pair in (metadata or {}).items() for text in pair):
        reasons.append("requestMetadata pattern")
    return reasons
