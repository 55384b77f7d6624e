"""The Converse request: from a conversation to the arguments of boto3's `converse_stream`.

Purpose: one place that knows the request's shape and what each model refuses of it. Contract:
`converse_request` is pure, leaves its arguments unchanged, and drops or translates every parameter
that the model behind the id does not take: thinking, sampling, forced tools, prefill, cache points.
Errors: `ValueError` for a tool definition, tool choice or limit that no request can carry (a fault
of configuration, never of a history).
Source: Bedrock runtime API, Converse; Anthropic's rules on thinking, sampling and tools.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from aybiza.claude.messages import (
    CALL_BEGINS,
    GO_ON,
    NO_RESULT,
    Block,
    Message,
    normalise_messages,
    text_block,
    tool_result,
)
from aybiza.claude.models import ModelProfile, profile_of
from aybiza.claude.prompt_cache import Measured, with_cache_points
from aybiza.claude.thinking import Plan, Thinking, plan
from aybiza.config.catalogue import Model, Ttl

__all__ = [
    "CALL_BEGINS",
    "GO_ON",
    "NO_RESULT",
    "Guardrail",
    "Thinking",
    "converse_request",
    "normalise_messages",
    "tool_result",
    "tool_specs",
]

_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NOT_METADATA = re.compile(r"[^a-zA-Z0-9\s:_@$#=/+,.-]", re.ASCII)
_METADATA_LENGTH: Final = 256
_MAX_STOP_SEQUENCES: Final = 2500
_MAX_TOP_K: Final = 500


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A guardrail of Amazon Bedrock: its id or ARN, and its version (`DRAFT` or a number).

    It looks at the answer beside the stream, so that it does not hold back the first word.
    """

    identifier: str
    version: str
    trace: bool = False

    @classmethod
    def of(cls, setting: str | None) -> Self | None:
        """The guardrail of AYBIZA_GUARDRAIL: its id or ARN, a colon, its version."""
        if setting is None:
            return None
        identifier, _, version = setting.rpartition(":")
        return cls(identifier, version)


def converse_request(
    model: str | ModelProfile,
    messages: Iterable[Mapping[str, Any]],
    *,
    system: str | Sequence[str] = (),
    tools: Sequence[Mapping[str, Any]] = (),
    tool_choice: str | Mapping[str, Any] | None = None,
    max_tokens: int = 300,
    temperature: float | None = None,
    top_p: float | None = None,
    top_k: int | None = None,
    stop_sequences: Sequence[str] = (),
    thinking: Thinking | None = None,
    prefill: str | None = None,
    cache: Ttl | None = None,
    cache_history: bool = True,
    guardrail: Guardrail | None = None,
    keep_reasoning: bool = True,
    call_id: str | None = None,
    tenant_id: str | None = None,
) -> dict[str, Any]:
    """Arguments for `client.converse_stream(**request)`.

    model: what to ask: a model id, inference-profile id or ARN, or the profile of a choice.
    messages: `{"role", "content"}` in order; content is a list of Converse blocks or a string.
    system: one text or several. tools: `{"toolSpec": {...}}`; what `tool_specs` has made of them
    saves the checks.

    tool_choice: "auto", "any" or `{"tool": {"name": …}}`, also as Converse writes the first two;
    a choice that forces a tool is dropped where the model refuses it, and while it thinks.
    max_tokens: for the answer, at least 1; lowered to the model's limit, raised by what thinking
    may take. temperature, top_p: 0 to 1, top_k: 1 to 500; dropped while the model thinks. Where
    only one is taken, temperature goes before top_p. thinking: None asks it not to think.
    prefill: how the answer begins; dropped where it is refused, and while the model thinks.
    cache: how long Bedrock may keep the beginning, None: not at all; without cache_history no
    message of it. keep_reasoning: False after
    another model's reasoning, which this one may not read. call_id, tenant_id: for the invocation
    log, reduced to the characters that `requestMetadata` allows.
    """
    if max_tokens < 1:
        raise ValueError(f"max_tokens must be at least 1, not {max_tokens}")
    profile = model if isinstance(model, ModelProfile) else profile_of(model)
    takes = profile.model
    history = normalise_messages(
        messages, reasoning=keep_reasoning and bool(takes.thinking), tools=takes.tools
    )
    planned = plan(takes, thinking, max_tokens, resumes=not _tools_without_thought(history))
    request: dict[str, Any] = {"modelId": profile.id, "messages": history}
    if texts := _texts([system] if isinstance(system, str) else system):
        request["system"] = texts
    given = tools if isinstance(tools, Measured) else tool_specs(tools)
    choice = _tool_choice(tool_choice, given)
    if takes.tools and (specs := given or _specs_for_history(history)):
        request["toolConfig"] = {"tools": specs}
        if choice and (_is_free(choice) or (takes.forced_tools and not planned.thinks)):
            request["toolConfig"]["toolChoice"] = choice
    if cache is not None:
        request = with_cache_points(request, takes, cache, history=cache_history)
    begun = text_block((prefill or "").rstrip())
    if begun and takes.prefill and not planned.thinks:
        request["messages"] = [*request["messages"], {"role": "assistant", "content": [begun]}]

    inference, fields = _inference(takes, planned, temperature, top_p, top_k)
    if stops := [stop for stop in stop_sequences if stop.strip()]:
        inference["stopSequences"] = stops[:_MAX_STOP_SEQUENCES]
    request["inferenceConfig"] = inference
    if fields:
        request["additionalModelRequestFields"] = fields
    if planned.effort is not None:
        request["outputConfig"] = {"effort": planned.effort}
    if guardrail is not None:
        request["guardrailConfig"] = _guardrail(guardrail)
    if metadata := _metadata({"call": call_id, "tenant": tenant_id}):
        request["requestMetadata"] = metadata
    return request


def _tools_without_thought(history: Sequence[Message]) -> bool:
    """Whether it ends with results of tools that were asked for without thinking."""
    if not any("toolResult" in block for block in history[-1]["content"]):
        return False
    return "reasoningContent" not in history[-2]["content"][0]


def _inference(
    model: Model,
    planned: Plan,
    temperature: float | None,
    top_p: float | None,
    top_k: int | None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """`inferenceConfig`, and the fields that Converse has no member for."""
    inference: dict[str, Any] = {"maxTokens": planned.max_tokens}
    fields = dict(planned.fields)
    if model.sampling == "none" or planned.thinks:
        return inference, fields
    for name, value in (("temperature", temperature), ("topP", top_p)):
        taken = model.sampling == "free" or "temperature" not in inference
        if value is not None and not math.isnan(value) and taken:
            inference[name] = min(max(float(value), 0.0), 1.0)
    if top_k is not None:
        fields["top_k"] = min(max(top_k, 1), _MAX_TOP_K)
    return inference, fields


def _tool_choice(choice: str | Mapping[str, Any] | None, tools: Sequence[Block]) -> Block | None:
    """Converse's `toolChoice`; None for none, or without tools to choose from."""
    if isinstance(choice, str):
        choice = {choice: {}}
    if not choice or not tools:
        return None
    match choice:
        case {"auto": _, **rest} if not rest:
            return {"auto": {}}
        case {"any": _, **rest} if not rest:
            return {"any": {}}
        case {"tool": {"name": str(name)}, **rest} if not rest:
            names = [tool["toolSpec"]["name"] for tool in tools]
            if name not in names:
                raise ValueError(
                    f"tool_choice names {name!r}, which is none of the tools {', '.join(names)}"
                )
            return {"tool": {"name": name}}
    raise ValueError(f'tool_choice must be "auto", "any" or {{"tool": {{"name": …}}}}: {choice!r}')


def _is_free(choice: Mapping[str, Any]) -> bool:
    return "auto" in choice


def _guardrail(guardrail: Guardrail) -> dict[str, Any]:
    return {
        "guardrailIdentifier": guardrail.identifier,
        "guardrailVersion": guardrail.version,
        "trace": "enabled" if guardrail.trace else "disabled",
        "streamProcessingMode": "async",
    }


def _texts(texts: Sequence[str]) -> list[Block]:
    return [block for block in map(text_block, texts) if block is not None]


def tool_specs(tools: Sequence[Mapping[str, Any]]) -> Measured:
    """Tools as requests carry them, checked once for many requests. Raises ValueError."""
    specs = Measured()
    names: set[str] = set()
    for tool in tools:
        spec = tool.get("toolSpec")
        name = spec.get("name") if isinstance(spec, Mapping) else None
        if not isinstance(spec, Mapping) or not isinstance(name, str):
            raise ValueError(f"a tool must be {{'toolSpec': {{'name': …}}}}, not {tool!r}")
        if not _TOOL_NAME.fullmatch(name):
            raise ValueError(
                f"tool name {name!r}: use 1 to 64 letters, digits, underscores or hyphens"
            )
        if name in names:
            raise ValueError(f"tool name {name!r} is given twice; names must be unique")
        names.add(name)
        specs.append({"toolSpec": {**_described(spec), **_schema(name, spec)}})
    return specs


def _described(spec: Mapping[str, Any]) -> Block:
    """The tool without a description that says nothing, which is refused."""
    blank = not str(spec.get("description") or "").strip()
    return {key: value for key, value in spec.items() if key != "description" or not blank}


def _schema(name: str, spec: Mapping[str, Any]) -> Block:
    schema = spec.get("inputSchema", {"json": {"type": "object"}})
    match schema:
        case {"json": {"type": "object"}}:
            return {"inputSchema": schema}
    raise ValueError(
        f'tool {name!r}: inputSchema must be {{"json": {{"type": "object"}}}}, not {schema!r:.80}'
    )


def _specs_for_history(history: list[Message]) -> list[Block]:
    """Stand-ins for tools that a history speaks of: Bedrock refuses such a history without any."""
    names = {
        block["toolUse"]["name"]: None
        for message in history
        for block in message["content"]
        if "toolUse" in block
    }
    return [
        {
            "toolSpec": {
                "name": name,
                "description": "No longer available. Do not use.",
                "inputSchema": {"json": {"type": "object"}},
            }
        }
        for name in names
    ]


def _metadata(pairs: Mapping[str, str | None]) -> dict[str, str]:
    cleaned = {
        key: _NOT_METADATA.sub("_", value)[:_METADATA_LENGTH]
        for key, value in pairs.items()
        if value is not None
    }
    return {key: value for key, value in cleaned.items() if value.strip()}
