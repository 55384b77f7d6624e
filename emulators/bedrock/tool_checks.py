"""What the service refuses about tools: their specifications, uses and results. Pure.

Contract: `tools` and `tool_history` are checks (see `request_body`); `tool_use` and `tool_result`
yield what is wrong with one block. Names of input properties are looked at on the top level only,
as the service does.
Errors: none.
Source: Bedrock: Converse toolConfig, ToolUseBlock, ToolResultBlock; Claude tool use.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from aybiza.emulators.bedrock.catalogue import Model
from aybiza.emulators.bedrock.request_body import (
    MODEL_SAID,
    Body,
    Problems,
    ids,
    member,
    thinking_mode,
)

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_PROPERTY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_RESULT_BLOCKS = frozenset({"text", "json", "image", "document", "video", "searchResult"})
_AT_NO_TOP_LEVEL = ("oneOf", "allOf", "anyOf")


def tool_use(where: str, role: str, tool_use: Mapping[str, Any]) -> Problems:
    """A use: by the assistant, with a name, an id and an object for input."""
    if role != "assistant":
        yield f"{where}: toolUse blocks can only be in assistant messages."
    for name in ("name", "toolUseId"):
        if not _NAME.fullmatch(str(tool_use.get(name, ""))):
            yield (
                f"Value {str(tool_use.get(name))!r:.80} at '{where}.toolUse.{name}' failed to "
                "satisfy constraint: Member must satisfy regular expression pattern: "
                "[a-zA-Z0-9_-]+, and have length between 1 and 64"
            )
    if not isinstance(tool_use.get("input"), Mapping):
        yield (
            f"The format of the value at {where}.toolUse.input is invalid. "
            "Provide a json object for the field and try again."
        )


def tool_result(where: str, role: str, result: Mapping[str, Any]) -> Problems:
    """A result: by the user, of known blocks that are not blank."""
    if role != "user":
        yield f"{where}: toolResult blocks can only be in user messages."
    if result.get("status", "success") not in ("success", "error"):
        yield f"{where}.toolResult.status: has to be success or error."
    if result.get("status") == "error" and not result.get("content"):
        yield (
            f"The content field at {where}.toolResult cannot be empty when status value is error."
        )
    blocks = result.get("content")
    if not isinstance(blocks, list):
        yield f"{where}.toolResult.content: has to be a list of content blocks."
        return
    for index, block in enumerate(blocks):
        yield from _result_block(f"{where}.toolResult.content.{index}", block)


def _result_block(where: str, block: object) -> Problems:
    if not isinstance(block, Mapping) or len(block) != 1 or not block.keys() <= _RESULT_BLOCKS:
        yield f"{where}: exactly one known content block member has to be set."
    elif "text" in block and not str(block["text"]).strip():
        yield (
            f"The text field in the ContentBlock object at {where} is blank. "
            "Add text to the text field, and try again."
        )
    elif "json" in block and (not isinstance(block["json"], Mapping) or _typed(block["json"])):
        yield (
            f"The format of the value at {where}.json is invalid. "
            "Provide a json object for the field and try again."
        )


def _typed(value: object, nested: bool = False) -> bool:
    """Whether a `__type` stands in a nested object, which the service takes for its own."""
    if isinstance(value, Mapping):
        own = nested and "__type" in value
        return own or any(_typed(inner, nested=True) for inner in value.values())
    return isinstance(value, list) and any(_typed(inner, nested=True) for inner in value)


def tool_history(model: Model, body: Body) -> Problems:
    """Each use has one result, in the next message, before anything else."""
    messages = body["messages"]
    used = [ids(message, "toolUse") for message in messages]
    answered = [ids(message, "toolResult") for message in messages]
    if any(used) or any(answered):
        if not body.get("toolConfig", {}).get("tools"):
            yield (
                "The toolConfig field must be defined when using toolUse and toolResult "
                "content blocks."
            )
        everything = [tool_id for in_message in used for tool_id in in_message]
        if len(set(everything)) != len(everything):
            yield "messages: `tool_use` ids must be unique"
    for at, message in enumerate(messages):
        expected = used[at - 1] if at else []
        missing = [tool_id for tool_id in expected if tool_id not in answered[at]]
        if missing:
            yield (
                f"Expected toolResult blocks at messages.{at}.content for the following Ids: "
                f"{', '.join(missing)}"
            )
        if len(answered[at]) > len(expected) or set(answered[at]) - set(expected):
            yield (
                f"The number of toolResult blocks at messages.{at}.content exceeds the number of "
                "toolUse blocks of previous turn."
            )
        kinds = ["toolResult" in block for block in message["content"]]
        if kinds != sorted(kinds, reverse=True):
            yield (
                f"messages.{at}: `tool_use` ids were found without `tool_result` blocks "
                f"immediately after: {', '.join(answered[at])}."
            )
    if used[-1]:
        yield "messages: the last message uses tools whose results are missing."


def tools(model: Model, body: Body) -> Problems:
    """Tools have names, descriptions and schemas that the model takes; a choice is one of them."""
    config = body.get("toolConfig", {})
    specs = [tool["toolSpec"] for tool in config.get("tools", []) if "toolSpec" in tool]
    names = [str(spec.get("name")) if isinstance(spec, Mapping) else "" for spec in specs]
    for at, (spec, name) in enumerate(zip(specs, names, strict=True)):
        where = f"toolConfig.tools.{at}.member.toolSpec"
        if not _NAME.fullmatch(name):
            yield (
                f"Value {name!r:.80} at '{where}.name' failed to satisfy constraint: Member "
                "must satisfy regular expression pattern: [a-zA-Z0-9_-]+, and have length "
                "between 1 and 64"
            )
        schema = spec.get("inputSchema") if isinstance(spec, Mapping) else None
        document = schema.get("json") if isinstance(schema, Mapping) else None
        if not isinstance(document, Mapping) or document.get("type") != "object":
            yield f"The value at {where}.inputSchema.json.type must be one of the following: object"
            continue
        if "description" in spec and not str(spec["description"]).strip():
            yield (
                f"Value {spec['description']!r:.80} at '{where}.description' failed to satisfy "
                "constraint: Member must have length greater than or equal to 1"
            )
        problem = _schema_problem(json.dumps(document, sort_keys=True, default=str))
        if problem:
            yield f"{MODEL_SAID}tools.{at}.custom.input_schema{problem}"
    if len(set(names)) != len(names):
        yield f"{MODEL_SAID}tools: Tool names must be unique."
    choice = config.get("toolChoice")
    if choice is None:
        return
    if not isinstance(choice, Mapping) or len(choice) != 1:
        yield "toolConfig.toolChoice: exactly one of auto, any, tool has to be set."
        return
    if "tool" in choice and member(choice, "tool", "name") not in names:
        yield "toolConfig.toolChoice.tool.name: no tool in toolConfig.tools has this name."
    if "auto" not in choice:
        if model.always_thinks:
            yield "tool_choice: this model does not support forcing tool use."
        elif thinking_mode(model, body) is not None:
            yield "Thinking may not be enabled when tool_choice forces tool use."


@lru_cache(maxsize=1024)
def _schema_problem(document: str) -> str:
    """What the model does not take of a tool's schema, given as JSON; "" when it takes it."""
    schema = json.loads(document)
    named = schema.get("properties", {})
    if isinstance(named, Mapping) and not all(map(_PROPERTY.fullmatch, named)):
        return ".properties: Property keys should match pattern '^[a-zA-Z0-9_.-]{1,64}$'"
    if any(word in schema for word in _AT_NO_TOP_LEVEL):
        return ": input_schema does not support oneOf, allOf, or anyOf at the top level"
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError:
        return (
            ": JSON schema is invalid. It must match JSON Schema draft 2020-12 "
            "(https://json-schema.org/draft/2020-12)."
        )
    return ""
