"""A chat completion's request as the body of a Converse request, for the stand-in that answers.

Contract: pure; for a body without a problem (`checks`). Errors: none.
Source: OpenAI, create chat completion; Bedrock: Converse request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Body = dict[str, Any]


def converse_body(body: Mapping[str, Any]) -> Body:
    """See the module.

    >>> converse_body({"model": "m", "messages": [{"role": "user", "content": "Hi."}]})
    {'messages': [{'role': 'user', 'content': [{'text': 'Hi.'}]}]}
    """
    made: Body = {"messages": []}
    system = []
    for message in body["messages"]:
        if message["role"] in ("system", "developer"):
            system.append({"text": _text(message)})
            continue
        role = "assistant" if message["role"] == "assistant" else "user"
        content = _content(message)
        before = made["messages"][-1] if made["messages"] else None
        if before is not None and before["role"] == role:
            before["content"] += content
        else:
            made["messages"].append({"role": role, "content": content})
    if system:
        made["system"] = system
    if tools := body.get("tools"):
        made["toolConfig"] = {"tools": [_spec(tool["function"]) for tool in tools]}
    return made


def _content(message: Mapping[str, Any]) -> list[Body]:
    text = _text(message)
    if message["role"] == "tool":
        result = {"toolUseId": message["tool_call_id"], "content": [_result(text)]}
        return [{"toolResult": {**result, "status": "success"}}]
    uses = [
        {
            "toolUse": {
                "toolUseId": call["id"],
                "name": call["function"]["name"],
                "input": _json(call["function"]["arguments"]),
            }
        }
        for call in message.get("tool_calls") or ()
    ]
    return [*([{"text": text}] if text else []), *uses]


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    return " ".join(str(part.get("text", "")) for part in content or ())


def _result(text: str) -> Body:
    value = _json(text)
    return {"json": value} if value else {"text": text}


def _json(text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _spec(function: Mapping[str, Any]) -> Body:
    schema = function.get("parameters", {"type": "object"})
    spec = {"name": function["name"], "inputSchema": {"json": schema}}
    return {"toolSpec": {**spec, "description": function.get("description", "")}}
