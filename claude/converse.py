"""The Converse request: from a conversation to the arguments of boto3's `converse_stream`.

Purpose: one place that knows the request's shape and what Bedrock refuses.
Contract: `normalise_messages` turns any history into one that Bedrock takes; `converse_request`
adds the rest and leaves out every parameter that the model does not accept. Both are pure and
leave their arguments unchanged.
Errors: `ValueError` for a tool definition or limit that no request can carry (a fault of
configuration, never of a history).
Source: Bedrock runtime API, Converse; Anthropic's tool-use rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from claude.models import Sampling, profile_of

Block = dict[str, Any]
Message = dict[str, Any]

# Said in the caller's place where Bedrock wants a user message and the conversation has none: a
# phone agent speaks first, and a turn taken up again may end with the agent's own words.
CALL_BEGINS: Final = "[The call has been connected.]"
GO_ON: Final = "[Please go on.]"
NO_RESULT: Final = "The tool gave no result."
_NO_CONTENT: Final = "[no content]"

_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NOT_ID = re.compile(r"[^A-Za-z0-9_-]")
_NOT_METADATA = re.compile(r"[^a-zA-Z0-9\s:_@$#=/+,.-]", re.ASCII)
_ID_LENGTH: Final = 64
_METADATA_LENGTH: Final = 256
_MAX_STOP_SEQUENCES: Final = 2500


def converse_request(
    model: str,
    messages: Iterable[Mapping[str, Any]],
    *,
    system: str | Sequence[str] = (),
    tools: Sequence[Mapping[str, Any]] = (),
    max_tokens: int = 300,
    temperature: float | None = None,
    top_p: float | None = None,
    stop_sequences: Sequence[str] = (),
    call_id: str | None = None,
    tenant_id: str | None = None,
) -> dict[str, Any]:
    """Arguments for `client.converse_stream(**request)`.

    model: model id, inference-profile id or ARN. messages: `{"role", "content"}` in order; content
    is a list of Converse blocks or a string. system: one text or several. tools: `{"toolSpec":
    {...}}`. max_tokens: at least 1, lowered to the model's limit. temperature, top_p: 0 to 1; at
    most one is sent, temperature before top_p, and none to a model that takes none. call_id,
    tenant_id: for the invocation log, reduced to the characters that `requestMetadata` allows.
    """
    if max_tokens < 1:
        raise ValueError(f"max_tokens must be at least 1, not {max_tokens}")
    profile = profile_of(model)
    history = normalise_messages(messages)
    inference: dict[str, Any] = {"maxTokens": min(max_tokens, profile.max_output_tokens)}
    if profile.sampling is Sampling.ONE_OF:
        if temperature is not None:
            inference["temperature"] = _unit(temperature)
        elif top_p is not None:
            inference["topP"] = _unit(top_p)
    if stops := [stop for stop in stop_sequences if stop.strip()]:
        inference["stopSequences"] = stops[:_MAX_STOP_SEQUENCES]

    request: dict[str, Any] = {
        "modelId": model,
        "messages": history,
        "inferenceConfig": inference,
    }
    if texts := _texts([system] if isinstance(system, str) else system):
        request["system"] = texts
    if specs := _tool_specs(tools) or _specs_for_history(history):
        request["toolConfig"] = {"tools": specs}
    if metadata := _metadata({"call": call_id, "tenant": tenant_id}):
        request["requestMetadata"] = metadata
    return request


def normalise_messages(messages: Iterable[Mapping[str, Any]]) -> list[Message]:
    """The same conversation in a form that Bedrock accepts.

    It begins and ends with a user message; roles alternate (neighbours of one role are merged); no
    text is empty; each toolUse is answered by exactly one toolResult, at the head of the next user
    message (a missing one becomes an error result), and no toolResult stands without its toolUse;
    reasoning that was never signed, or that nothing follows, is left out. Blocks other than text,
    toolUse, toolResult and reasoningContent, and messages of other roles, are left out.
    """
    turns = _merge((message.get("role"), _blocks(message)) for message in messages)
    history: list[Message] = []
    seen: set[str] = set()
    owed: dict[str, Block] = {}
    for role, blocks in turns:
        if role == "assistant":
            content, owed = _assistant_content(blocks, seen)
        else:
            content, owed = _user_content(blocks, owed), {}
        _append(history, role, content)
    if owed:
        _append(history, "user", list(owed.values()))
    if not history or history[0]["role"] != "user":
        history.insert(0, {"role": "user", "content": [{"text": CALL_BEGINS}]})
    if history[-1]["role"] != "user":
        history.append({"role": "user", "content": [{"text": GO_ON}]})
    return history


def _merge(messages: Iterable[tuple[object, list[Block]]]) -> list[tuple[str, list[Block]]]:
    merged: list[tuple[str, list[Block]]] = []
    for role, blocks in messages:
        if role not in ("user", "assistant") or not blocks:
            continue
        if merged and merged[-1][0] == role:
            merged[-1][1].extend(blocks)
        else:
            merged.append((str(role), blocks))
    return merged


def _append(history: list[Message], role: str, content: list[Block]) -> None:
    if not content:
        return
    if history and history[-1]["role"] == role:
        history[-1]["content"].extend(content)
    else:
        history.append({"role": role, "content": content})


def _assistant_content(blocks: list[Block], seen: set[str]) -> tuple[list[Block], dict[str, Block]]:
    """The assistant's blocks, and an error result for each toolUse in case none follows."""
    content: list[Block] = []
    owed: dict[str, Block] = {}
    for block in blocks:
        if "toolUse" in block:
            tool_use_id = block["toolUse"]["toolUseId"]
            if tool_use_id in seen:
                continue
            seen.add(tool_use_id)
            owed[tool_use_id] = tool_result(tool_use_id, NO_RESULT, error=True)
        if "toolResult" not in block:
            content.append(block)
    while content and "reasoningContent" in content[-1]:
        content.pop()
    return content, owed


def _user_content(blocks: list[Block], owed: dict[str, Block]) -> list[Block]:
    results = dict(owed)
    answered: set[str] = set()
    rest: list[Block] = []
    for block in blocks:
        if "toolResult" in block:
            tool_use_id = block["toolResult"]["toolUseId"]
            if tool_use_id in owed and tool_use_id not in answered:
                results[tool_use_id] = block
                answered.add(tool_use_id)
        elif "text" in block:
            rest.append(block)
    return [*results.values(), *rest]


def tool_result(tool_use_id: str, content: object, *, error: bool = False) -> Block:
    """A toolResult block; `content` is a text or anything that JSON can carry."""
    blocks = [{"text": content}] if isinstance(content, str) else [{"json": content}]
    return _tool_result(
        {
            "toolUseId": tool_use_id,
            "content": blocks,
            "status": "error" if error else "success",
        }
    )


def _blocks(message: Mapping[str, Any]) -> list[Block]:
    content = message.get("content")
    if isinstance(content, str):
        content = [{"text": content}]
    if not isinstance(content, Sequence):
        return []
    blocks = (_block(block) for block in content if isinstance(block, Mapping))
    return [block for block in blocks if block is not None]


def _block(block: Mapping[str, Any]) -> Block | None:
    match block:
        case {"text": str(text)}:
            return _text(text)
        case {"toolUse": {"toolUseId": str(tool_use_id), "name": str(name), **rest}}:
            arguments = _json_value(rest.get("input"))
            return {
                "toolUse": {
                    "toolUseId": _identifier(tool_use_id),
                    "name": _identifier(name),
                    "input": arguments if isinstance(arguments, dict) else {},
                }
            }
        case {"toolResult": {"toolUseId": str()} as result}:
            return _tool_result(result)
        case {"reasoningContent": {"redactedContent": bytes(redacted)}} if redacted:
            return {"reasoningContent": {"redactedContent": redacted}}
        case {
            "reasoningContent": {"reasoningText": {"text": str(text), "signature": str(signature)}}
        } if signature:
            signed = {"text": text, "signature": signature}
            return {"reasoningContent": {"reasoningText": signed}}
    return None


def _tool_result(result: Mapping[str, Any]) -> Block:
    given = result.get("content")
    given = given if isinstance(given, Sequence) and not isinstance(given, str) else []
    content = [piece for piece in map(_result_piece, given) if piece is not None]
    return {
        "toolResult": {
            "toolUseId": _identifier(result["toolUseId"]),
            "content": content or [{"text": _NO_CONTENT}],
            "status": "error" if result.get("status") == "error" else "success",
        }
    }


def _result_piece(piece: object) -> Block | None:
    match piece:
        case {"text": str(text)}:
            return _text(text)
        case {"json": value}:
            encoded = _json_value(value)
            if encoded is None:
                return None if value is None else _text(str(value))
            # Bedrock takes an object here and nothing else.
            return {"json": encoded if isinstance(encoded, dict) else {"result": encoded}}
    return None


def _json_value(value: object) -> Any:
    """A copy of `value` as JSON carries it; None if JSON cannot."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        return json.loads(_encodable(text))
    except (TypeError, ValueError, RecursionError):
        return None


def _text(text: str) -> Block | None:
    return {"text": _encodable(text)} if text.strip() else None


def _encodable(text: str) -> str:
    """`text` with lone surrogates replaced, which UTF-8 cannot carry."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _identifier(text: str) -> str:
    return _NOT_ID.sub("_", text)[:_ID_LENGTH] or "_"


def _texts(texts: Sequence[str]) -> list[Block]:
    return [block for block in map(_text, texts) if block is not None]


def _tool_specs(tools: Sequence[Mapping[str, Any]]) -> list[Block]:
    specs: list[Block] = []
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
        schema = {"inputSchema": {"json": {"type": "object"}}}
        specs.append({"toolSpec": {**schema, **spec}})
    return specs


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


def _unit(value: float) -> float:
    return min(max(float(value), 0.0), 1.0)
