"""The default model: the front desk of a clinic, without a state of its own.

Contract: `respond` reads the whole conversation out of a Converse request (messages, tool uses and
their results, the tools that may be used) and gives the next reply. The same request always gets
the same reply. Text in brackets is not the caller's but about the call.
Errors: none; results that are no JSON objects count as failed.
Source: Bedrock: Converse request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from aybiza.emulators.bedrock.clinic.conversation import GREETING, STILL_THERE, Conversation
from aybiza.emulators.bedrock.clinic.desk import Desk
from aybiza.emulators.bedrock.continuation import Body, merged, text_of
from aybiza.emulators.bedrock.reply import Reply, say

ABOUT_THE_CALL = re.compile(r"^\s*(?:\([^()]*\)|\[[^\[\]]*\])\s*$")
_BEGINS = re.compile(r"connect|begin|start|greet|answer|pick", re.I)


def respond(body: Body) -> Reply:
    """The front desk's next reply."""
    conversation = Conversation(Desk(offered_tools(body)))
    used: dict[str, str] = {}
    reply = say(GREETING)
    for message in merged(body["messages"]):
        text = text_of(message)
        if message["role"] == "assistant":
            used |= {
                str(u.get("toolUseId")): str(u.get("name")) for u in _blocks(message, "toolUse")
            }
            if text:
                conversation.said(text)
            continue
        results = results_of(message)
        for identity, result in results:
            reply = conversation.learn(used.get(identity, ""), result)
        if ABOUT_THE_CALL.match(text):
            reply = say(GREETING if _BEGINS.search(text) else STILL_THERE)
        elif text or not results:
            reply = conversation.hear(text)
    return reply


def offered_tools(body: Body) -> frozenset[str]:
    """The names of the tools that a request offers."""
    config = body.get("toolConfig")
    tools = config.get("tools", []) if isinstance(config, Mapping) else []
    specs = [tool.get("toolSpec") for tool in tools if isinstance(tool, Mapping)]
    return frozenset(str(spec.get("name")) for spec in specs if isinstance(spec, Mapping))


def results_of(message: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The results of tools in a message: the id of each use, and the JSON object that it gave."""
    return [
        (str(result.get("toolUseId")), _result(result)) for result in _blocks(message, "toolResult")
    ]


def _blocks(message: Mapping[str, Any], member: str) -> list[Mapping[str, Any]]:
    return [block[member] for block in message["content"] if member in block]


def _result(tool_result: Mapping[str, Any]) -> Mapping[str, Any]:
    """The JSON object in a tool's result; an error when there is none."""
    failed = tool_result.get("status") == "error"
    contents = tool_result.get("content")
    for content in contents if isinstance(contents, list) else []:
        if not isinstance(content, Mapping):
            continue
        found = content.get("json")
        if found is None and "text" in content:
            try:
                found = json.loads(content["text"])
            except (ValueError, TypeError):
                continue
        if isinstance(found, Mapping):
            return {"error": "failed", **found} if failed else found
    return {"error": "failed"}
