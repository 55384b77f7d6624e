"""A request of Converse as the body of a chat completion.

    body = chat_body(request, "gpt-4o-mini")       for POST …/chat/completions

The conversation is the same: the system's texts become one message, tool uses `tool_calls`, each
result a message of its own ahead of the words beside it. What has no place there is left out:
thoughts, cache points, the guardrail, `top_k`, metadata. A request that Converse takes makes a body
whose tool calls are all answered, for its history has that (`aybiza.claude.messages`).

Pure. Errors: none for a request of `converse_request`.
Source: Bedrock runtime API, ConverseStream; OpenAI, create chat completion.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from aybiza.claude.chat.models import name_of

Block = Mapping[str, Any]
Body = dict[str, Any]

MOST_STOPS: Final = 4
_SAMPLING: Final = (("temperature", "temperature"), ("topP", "top_p"))


def chat_body(request: Mapping[str, Any], *, limit: str = "max_completion_tokens") -> Body:
    """See the module. `limit`: how the service calls the most tokens of an answer.

    >>> body = chat_body({"modelId": "openai:small", "messages": [
    ...     {"role": "user", "content": [{"text": "Hello."}]}]})
    >>> body["model"], body["messages"]
    ('small', [{'role': 'user', 'content': 'Hello.'}])
    """
    inference = request.get("inferenceConfig", {})
    body: Body = {
        "model": name_of(str(request["modelId"])),
        "messages": [*_system(request.get("system", ())), *_messages(request["messages"])],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if "maxTokens" in inference:
        body[limit] = inference["maxTokens"]
    body |= {theirs: inference[ours] for ours, theirs in _SAMPLING if ours in inference}
    if stops := inference.get("stopSequences"):
        body["stop"] = list(stops)[:MOST_STOPS]
    tools = request.get("toolConfig", {})
    if specs := [tool["toolSpec"] for tool in tools.get("tools", ()) if "toolSpec" in tool]:
        body["tools"] = [_tool(spec) for spec in specs]
        if choice := _choice(tools.get("toolChoice")):
            body["tool_choice"] = choice
    return body


def _system(blocks: Iterable[Block]) -> Iterator[Body]:
    if text := _text(blocks):
        yield {"role": "system", "content": text}


def _messages(messages: Iterable[Mapping[str, Any]]) -> Iterator[Body]:
    for message in messages:
        content, role = message["content"], message["role"]
        yield from _said(content) if role == "assistant" else _heard(content)


def _said(content: Iterable[Block]) -> Iterator[Body]:
    text = _text(content)
    calls = [_call(block["toolUse"]) for block in content if "toolUse" in block]
    if calls:
        yield {"role": "assistant", "content": text or None, "tool_calls": calls}
    elif text:
        yield {"role": "assistant", "content": text}


def _heard(content: Iterable[Block]) -> Iterator[Body]:
    for block in content:
        if "toolResult" in block:
            result = block["toolResult"]
            told = {"role": "tool", "tool_call_id": result["toolUseId"]}
            yield {**told, "content": _result(result)}
    if text := _text(content):
        yield {"role": "user", "content": text}


def _text(blocks: Iterable[Block]) -> str:
    return "\n\n".join(block["text"] for block in blocks if "text" in block)


def _call(use: Mapping[str, Any]) -> Body:
    arguments = json.dumps(use["input"], ensure_ascii=False)
    function = {"name": use["name"], "arguments": arguments}
    return {"id": use["toolUseId"], "type": "function", "function": function}


def _result(result: Mapping[str, Any]) -> str:
    pieces = (
        piece["text"] if "text" in piece else json.dumps(piece["json"], ensure_ascii=False)
        for piece in result["content"]
        if "text" in piece or "json" in piece
    )
    told = "\n".join(pieces)
    return f"Error: {told}" if result.get("status") == "error" else told


def _tool(spec: Mapping[str, Any]) -> Body:
    # A schema of an object without members is refused there.
    parameters = {"properties": {}, **spec["inputSchema"]["json"]}
    function = {"name": spec["name"], "parameters": parameters}
    if description := spec.get("description"):
        function["description"] = description
    return {"type": "function", "function": function}


def _choice(choice: Mapping[str, Any] | None) -> Any:
    match choice:
        case {"auto": _}:
            return "auto"
        case {"any": _}:
            return "required"
        case {"tool": {"name": name}}:
            return {"type": "function", "function": {"name": name}}
    return None
