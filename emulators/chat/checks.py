"""What a chat completion's request is refused for, in the service's own words. Pure.

    problem(body)        `Problem(message, param, code)`, or None

Contract: the first thing that is wrong. Errors: none.
Source: OpenAI, create chat completion: parameters, errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

MOST_STOPS: Final = 4
MOST_TOOLS: Final = 128
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NAMES: Final = (
    "frequency_penalty logit_bias logprobs max_completion_tokens max_tokens messages metadata model"
    " n parallel_tool_calls presence_penalty reasoning_effort response_format seed service_tier"
    " stop store stream stream_options temperature tool_choice tools top_logprobs top_p user"
)
_KNOWN: Final = frozenset(_NAMES.split())
_BOUNDS: Final = {"temperature": (0, 2), "top_p": (0, 1)}
_LIMITS: Final = ("max_tokens", "max_completion_tokens")


class Problem(NamedTuple):
    """What is wrong, and with which member."""

    message: str
    param: str | None = None
    code: str | None = None


def problem(body: object) -> Problem | None:
    """See the module."""
    if not isinstance(body, Mapping):
        return Problem("We could not parse the JSON body of your request.")
    return next((found for check in _CHECKS for found in check(body)), None)


def _members(body: Mapping[str, Any]) -> Iterator[Problem]:
    for name in body:
        if name not in _KNOWN:
            yield Problem(f"Unrecognized request argument supplied: {name}")
    if not isinstance(body.get("model"), str) or not body["model"]:
        yield Problem("you must provide a model parameter")
    if all(name in body for name in _LIMITS):
        told = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        yield Problem(told, "max_tokens", "invalid_parameter_combination")
    if "stream_options" in body and body.get("stream") is not True:
        told = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        yield Problem(told, "stream_options")


def _numbers(body: Mapping[str, Any]) -> Iterator[Problem]:
    for name, (least, most) in _BOUNDS.items():
        value = body.get(name, least)
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield Problem(f"Invalid type for '{name}': expected a decimal.", name, "invalid_type")
        elif not least <= value <= most:
            told = f"Invalid '{name}': must be from {least} to {most}."
            yield Problem(told, name, "decimal_out_of_range")
    for name in _LIMITS:
        value = body.get(name, 1)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            told = f"Invalid '{name}': integer below minimum value."
            yield Problem(told, name, "integer_below_min_value")
    stop = body.get("stop", [])
    if isinstance(stop, list) and len(stop) > MOST_STOPS:
        yield Problem(f"'stop' has at most {MOST_STOPS} texts.", "stop", "array_above_max_length")


def _messages(body: Mapping[str, Any]) -> Iterator[Problem]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        told = "Invalid 'messages': empty array. Expected an array with minimum length 1."
        yield Problem(told, "messages", "empty_array")
        return
    owed: list[str] = []
    for at, message in enumerate(messages):
        where = f"messages.[{at}]"
        role = message.get("role") if isinstance(message, Mapping) else None
        if role not in ("system", "developer", "user", "assistant", "tool"):
            yield Problem(f"Invalid value: {role!r}.", f"{where}.role", "invalid_value")
            return
        if role == "tool":
            if message.get("tool_call_id") not in owed:
                yield Problem(
                    "Invalid parameter: messages with role 'tool' must be a response to a"
                    " preceeding message with 'tool_calls'.",
                    f"{where}.role",
                )
                return
            owed.remove(message["tool_call_id"])
        elif owed:
            yield _unanswered(owed, where)
            return
        calls = message.get("tool_calls") if role == "assistant" else None
        if calls is None and not isinstance(message.get("content"), str | list):
            told = "Invalid value for 'content': expected a string, got null."
            yield Problem(told, f"{where}.content")
            return
        if calls is not None:
            if wrong := next(_calls(calls, where), None):
                yield wrong
                return
            owed = [call["id"] for call in calls]
    if owed:
        yield _unanswered(owed, f"messages.[{len(messages)}]")


def _unanswered(owed: list[str], where: str) -> Problem:
    return Problem(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to"
        f" each 'tool_call_id'. The following tool_call_ids did not have response messages:"
        f" {', '.join(owed)}",
        f"{where}.role",
    )


def _calls(calls: object, where: str) -> Iterator[Problem]:
    if not isinstance(calls, list) or not calls:
        yield Problem("Invalid 'tool_calls': empty array.", f"{where}.tool_calls", "empty_array")
        return
    seen = set()
    for call in calls:
        match call:
            case {
                "id": str(identity),
                "type": "function",
                "function": {"name": str(name), "arguments": str()},
            } if identity not in seen and _NAME.fullmatch(name):
                seen.add(identity)
            case _:
                yield Problem("Invalid tool call.", f"{where}.tool_calls", "invalid_value")


def _tools(body: Mapping[str, Any]) -> Iterator[Problem]:
    tools = body.get("tools")
    if tools is None:
        if "tool_choice" in body:
            told = "'tool_choice' is only allowed when 'tools' are specified."
            yield Problem(told, "tool_choice")
        return
    if not isinstance(tools, list) or not 1 <= len(tools) <= MOST_TOOLS:
        yield Problem("Invalid 'tools': empty array, or too many.", "tools", "empty_array")
        return
    for at, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, Mapping) else None
        function = function if isinstance(function, Mapping) else {}
        name = function.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            told = f"Invalid 'tools[{at}].function.name': string does not match pattern."
            yield Problem(told, f"tools[{at}].function.name", "invalid_value")
            return
        schema = function.get("parameters", {"type": "object", "properties": {}})
        if schema.get("type") != "object" or "properties" not in schema:
            told = (
                f"Invalid schema for function '{name}': In context=(), object schema missing"
                " properties."
            )
            yield Problem(told, f"tools[{at}].function.parameters", "invalid_function_parameters")


_CHECKS: Final[tuple[Callable[[Mapping[str, Any]], Iterator[Problem]], ...]] = (
    _members,
    _numbers,
    _messages,
    _tools,
)
