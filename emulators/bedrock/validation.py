"""What the service refuses although the client library lets it pass.

Contract: `refusal` takes the decoded model id and the body of a Converse or ConverseStream request
and returns the first thing that the service would not accept, or None. Pure. The checks stand in
one table, in the order in which they are made; each yields its messages lazily.
Errors: returned, not raised, as `Refusal` (status, error code, message).
Source: Bedrock: Converse request, Claude tool use, Claude extended thinking, inference profiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from aybiza.emulators.bedrock import catalogue
from aybiza.emulators.bedrock.cache_checks import cache_points
from aybiza.emulators.bedrock.catalogue import Model
from aybiza.emulators.bedrock.content_checks import content, media
from aybiza.emulators.bedrock.parameter_checks import extras, reasoning, sampling, thinking
from aybiza.emulators.bedrock.request_body import (
    Body,
    Check,
    Problems,
    input_tokens,
    thinking_mode,
)
from aybiza.emulators.bedrock.tool_checks import tool_history, tools

TOO_LONG = "Input is too long for requested model."

__all__ = ["TOO_LONG", "Refusal", "refusal", "thinking_mode"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer: HTTP status, error code, message."""

    status: int
    code: str
    message: str


def refusal(model_id: str, body: object, most_tokens: int | None = None) -> Refusal | None:
    """Why the service would not take this request; None when it would.

    `most_tokens`: how many tokens the model reads at most; None: as many as its context has.
    """
    if not isinstance(body, Mapping):
        return Refusal(400, "SerializationException", "The request body is not a JSON object.")
    try:
        model = catalogue.find(model_id)
    except catalogue.EndOfLife as error:
        return Refusal(404, "ResourceNotFoundException", str(error))
    except LookupError as error:
        return _invalid(str(error))
    wrong_shape = next(_shape(body), None)
    if wrong_shape is not None:
        return Refusal(400, "SerializationException", wrong_shape)
    for check in _CHECKS:
        for message in check(model, body):
            return _invalid(message)
    if input_tokens(body) > (model.context if most_tokens is None else most_tokens):
        return _invalid(TOO_LONG)
    return None


def _invalid(message: str) -> Refusal:
    return Refusal(400, "ValidationException", message)


def _shape(body: Body) -> Problems:
    """The types without which the other checks cannot look."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        yield "messages: a list of at least one message is needed."
        return
    for at, message in enumerate(messages):
        content = message.get("content") if isinstance(message, Mapping) else None
        if not isinstance(content, list) or not all(isinstance(b, Mapping) for b in content):
            yield f"messages.{at}: an object with role and a list of content blocks is needed."
            return
        for block in content:
            for member in ("toolUse", "toolResult", "reasoningContent"):
                if member in block and not isinstance(block[member], Mapping):
                    yield f"messages.{at}: {member} has to be an object."
    for member, kind in (
        ("system", list),
        ("toolConfig", Mapping),
        ("inferenceConfig", Mapping),
        ("additionalModelRequestFields", Mapping),
        ("requestMetadata", Mapping),
    ):
        if member in body and not isinstance(body[member], kind):
            yield f"{member}: has to be {'a list' if kind is list else 'an object'}."
    tools = body.get("toolConfig", {}).get("tools", [])
    if not isinstance(tools, list) or not all(isinstance(tool, Mapping) for tool in tools):
        yield "toolConfig.tools: a list of tools is needed."


def _conversation(model: Model, body: Body) -> Problems:
    messages = body["messages"]
    roles = [message.get("role") for message in messages]
    for at, role in enumerate(roles):
        if role == "system" and not model.system_messages:
            yield f"messages.{at}.role: this model does not take system messages in between."
        elif role not in ("user", "assistant", "system"):
            yield f"messages.{at}.role: {role!r:.40} is not one of user, assistant, system."
    spoken = [role for role in roles if role != "system"]
    if spoken[:1] != ["user"]:
        yield (
            "A conversation must start with a user message. "
            "Try again with a conversation that starts with a user message."
        )
    if any(one == other for one, other in pairwise(spoken)):
        yield (
            "A conversation must alternate between user and assistant roles. Make sure the "
            "conversation alternates between user and assistant roles and try again."
        )
    if spoken[-1] == "assistant":
        if not model.prefill or thinking_mode(model, body) is not None:
            yield (
                "This model does not support assistant message prefill. "
                "The conversation must end with a user message."
            )
        last = messages[-1]["content"][-1:]
        if last and str(last[0].get("text", "")).endswith((" ", "\n", "\t")):
            yield "messages: final assistant content cannot end with trailing whitespace"


_CHECKS: tuple[Check, ...] = (
    _conversation,
    content,
    media,
    tool_history,
    tools,
    thinking,
    sampling,
    reasoning,
    cache_points,
    extras,
)
