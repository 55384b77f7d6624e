"""What the service refuses although the client library lets it pass.

Contract: `refusal` takes the decoded model id and the body of a Converse or ConverseStream request
and returns the first thing that the service would not accept, or None. Pure. The checks stand in
one table, in the order in which they are made; each yields its messages lazily.
Errors: returned, not raised, as `Refusal` (status, error code, message).
Source: Bedrock: Converse request, Claude tool use, Claude extended thinking, inference profiles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from aybiza.emulators.bedrock import catalogue
from aybiza.emulators.bedrock.catalogue import ADAPTIVE, BUDGET, Model
from aybiza.emulators.bedrock.reply import signature

Body = Mapping[str, Any]
Problems = Iterator[str]

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_METADATA = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,\-.]{0,256}")
_BLOCKS = frozenset(
    {
        "text",
        "image",
        "document",
        "video",
        "audio",
        "toolUse",
        "toolResult",
        "guardContent",
        "cachePoint",
        "reasoningContent",
        "citationsContent",
        "searchResult",
        "toolAddition",
        "toolRemoval",
    }
)
_ADDITIONAL_FIELDS = frozenset(
    {"thinking", "top_k", "anthropic_beta", "anthropic_version", "output_config"}
)
_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_SERVICE_TIERS = ("priority", "default", "flex", "reserved")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer: HTTP status, error code, message."""

    status: int
    code: str
    message: str


def refusal(model_id: str, body: object) -> Refusal | None:
    """Why the service would not take this request; None when it would."""
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
    return None


def thinking_mode(model: Model, body: Body) -> str | None:
    """`budget`, `adaptive`, or None when the model answers without thinking."""
    asked = _additional(body).get("thinking")
    kind = asked.get("type") if isinstance(asked, Mapping) else None
    if kind == "enabled":
        return BUDGET
    return ADAPTIVE if kind == "adaptive" or model.always_thinks else None


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


def _content(model: Model, body: Body) -> Problems:
    for at, message in enumerate(body["messages"]):
        if not message["content"]:
            yield (
                f"The content field in the Message object at messages.{at} is empty. "
                "Add a ContentBlock object to the content field and try again."
            )
        for index, block in enumerate(message["content"]):
            where = f"messages.{at}.content.{index}"
            if len(block) != 1 or not block.keys() <= _BLOCKS:
                yield f"{where}: exactly one known content block member has to be set."
            elif "text" in block and not str(block["text"]).strip():
                yield (
                    f"The text field in the ContentBlock object at {where} is blank. "
                    "Add text to the text field, and try again."
                )
            elif "toolUse" in block:
                yield from _tool_use(where, message["role"], block["toolUse"])
            elif "toolResult" in block:
                yield from _tool_result(where, message["role"], block["toolResult"])
    for index, block in enumerate(body.get("system", [])):
        if not isinstance(block, Mapping) or not str(block.get("text", "-")).strip():
            yield f"The text field in the SystemContentBlock object at system.{index} is blank."


def _tool_use(where: str, role: str, tool_use: Mapping[str, Any]) -> Problems:
    if role != "assistant":
        yield f"{where}: toolUse blocks can only be in assistant messages."
    for member in ("name", "toolUseId"):
        if not _NAME.fullmatch(str(tool_use.get(member, ""))):
            yield (
                f"Value {str(tool_use.get(member))!r:.80} at '{where}.toolUse.{member}' failed to "
                "satisfy constraint: Member must satisfy regular expression pattern: "
                "[a-zA-Z0-9_-]+, and have length between 1 and 64"
            )
    if not isinstance(tool_use.get("input"), Mapping):
        yield (
            f"The format of the value at {where}.toolUse.input is invalid. "
            "Provide a json object for the field and try again."
        )


def _tool_result(where: str, role: str, result: Mapping[str, Any]) -> Problems:
    if role != "user":
        yield f"{where}: toolResult blocks can only be in user messages."
    if result.get("status", "success") not in ("success", "error"):
        yield f"{where}.toolResult.status: has to be success or error."
    if result.get("status") == "error" and not result.get("content"):
        yield (
            f"The content field at {where}.toolResult cannot be empty when status value is error."
        )


def _tool_history(model: Model, body: Body) -> Problems:
    messages = body["messages"]
    used = [_ids(message, "toolUse") for message in messages]
    answered = [_ids(message, "toolResult") for message in messages]
    if any(used) or any(answered):
        if not body.get("toolConfig", {}).get("tools"):
            yield (
                "The toolConfig field must be defined when using toolUse and toolResult "
                "content blocks."
            )
        everything = [tool_id for ids in used for tool_id in ids]
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


def _tools(model: Model, body: Body) -> Problems:
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
    if len(set(names)) != len(names):
        yield "toolConfig.tools: tool names must be unique."
    choice = config.get("toolChoice")
    if choice is None:
        return
    if not isinstance(choice, Mapping) or len(choice) != 1:
        yield "toolConfig.toolChoice: exactly one of auto, any, tool has to be set."
        return
    if "tool" in choice and _member(choice, "tool", "name") not in names:
        yield "toolConfig.toolChoice.tool.name: no tool in toolConfig.tools has this name."
    if "auto" not in choice:
        if model.always_thinks:
            yield "tool_choice: this model does not support forcing tool use."
        elif thinking_mode(model, body) is not None:
            yield "Thinking may not be enabled when tool_choice forces tool use."


def _sampling(model: Model, body: Body) -> Problems:
    config = body.get("inferenceConfig", {})
    temperature, top_p = config.get("temperature"), config.get("topP")
    given = [name for name in ("temperature", "topP") if config.get(name) is not None]
    if _additional(body).get("top_k") is not None:
        given.append("top_k")
    for name in ("temperature", "topP"):
        value = config.get(name)
        if value is not None and not (_is_number(value) and 0 <= value <= 1):
            yield f"{name}: has to be a number from 0 to 1, not {value!r:.40}."
    if model.sampling == "none" and given:
        yield f"`{given[0]}` is not supported by this model. Remove it and try again."
    if temperature is not None and top_p is not None:
        yield (
            "The model returned the following errors: `temperature` and `top_p` cannot both be "
            "specified for this model. Please use only one."
        )
    if thinking_mode(model, body) is not None:
        if temperature is not None and temperature != 1:
            yield "`temperature` may only be set to 1 when thinking is enabled."
        if "top_k" in given:
            yield "`top_k` must be unset when thinking is enabled."
        if _is_number(top_p) and top_p < 0.95:
            yield "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled."
    stops = config.get("stopSequences", [])
    if not isinstance(stops, list) or not all(isinstance(s, str) and s.strip() for s in stops):
        yield "stopSequences: has to be a list of texts that are not blank."
    most = config.get("maxTokens")
    if most is not None and not (isinstance(most, int) and most >= 1):
        yield "maxTokens: has to be a whole number from 1."
    elif most is not None and most > model.max_output:
        yield (
            f"The maximum tokens you requested exceeds the model limit of {model.max_output}. "
            f"Try again with a maximum tokens value that is lower than {model.max_output}."
        )


def _thinking(model: Model, body: Body) -> Problems:
    fields = _additional(body)
    for name in fields:
        if name not in _ADDITIONAL_FIELDS:
            yield f"{name}: Extra inputs are not permitted"
    asked = fields.get("thinking")
    if asked is None:
        return
    kind = asked.get("type") if isinstance(asked, Mapping) else None
    if kind == "disabled":
        if model.always_thinks:
            yield "thinking.type: this model always thinks; `disabled` is not supported."
    elif kind == "adaptive":
        if ADAPTIVE not in model.thinking:
            yield "adaptive thinking is not supported on this model"
    elif kind == "enabled":
        yield from _budget(model, body, asked.get("budget_tokens"))
    else:
        yield "thinking: Input should be an object with a type of enabled, adaptive or disabled"


def _budget(model: Model, body: Body, budget: object) -> Problems:
    most = body.get("inferenceConfig", {}).get("maxTokens", 4096)
    if BUDGET not in model.thinking:
        yield (
            '"thinking.type.enabled" is not supported for this model. '
            'Use "thinking.type.adaptive" and effort to control thinking.'
        )
    if not isinstance(budget, int) or budget < 1024:
        yield "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
    elif isinstance(most, int) and budget >= most:
        yield "`max_tokens` must be greater than `thinking.budget_tokens`."


def _reasoning(model: Model, body: Body) -> Problems:
    messages = body["messages"]
    for at, message in enumerate(messages):
        for index, block in enumerate(message["content"]):
            signed = block.get("reasoningContent", {}).get("reasoningText")
            where = f"messages.{at}.content.{index}"
            if isinstance(signed, Mapping) and signed.get("signature") != signature(
                str(signed.get("text", ""))
            ):
                yield f"{where}: Invalid `signature` in `thinking` block"
    if thinking_mode(model, body) == BUDGET and _ids(messages[-1], "toolResult"):
        first = messages[-2]["content"][0]
        if "reasoningContent" not in first:
            yield (
                f"messages.{len(messages) - 2}.content.0.type: Expected `thinking` or "
                f"`redacted_thinking`, but found `{'tool_use' if 'toolUse' in first else 'text'}`. "
                "When `thinking` is enabled, a final `assistant` message must start with a "
                "thinking block."
            )


def _extras(model: Model, body: Body) -> Problems:
    metadata = body.get("requestMetadata")
    if metadata is not None:
        if not 1 <= len(metadata) <= 16:
            yield "requestMetadata: 1 to 16 pairs are allowed."
        for pair in metadata.items():
            if not all(_METADATA.fullmatch(str(part)) for part in pair):
                yield f"requestMetadata: {pair[0]!r:.40} or its value has characters not allowed."
    latency = _member(body, "performanceConfig", "latency")
    if latency not in (None, "standard"):
        yield f"performanceConfig.latency: {latency!r:.40} is not supported for this model."
    tier = _member(body, "serviceTier", "type")
    if tier is not None and tier not in _SERVICE_TIERS:
        yield f"serviceTier.type: {tier!r:.40} is not one of {', '.join(_SERVICE_TIERS)}."
    for owner in (body.get("outputConfig"), _additional(body).get("output_config")):
        effort = owner.get("effort") if isinstance(owner, Mapping) else None
        if effort is not None and effort not in _EFFORTS:
            yield f"output_config.effort: {effort!r:.40} is not one of {', '.join(_EFFORTS)}."
        elif effort is not None and ADAPTIVE not in model.thinking:
            yield "output_config.effort: this model does not support the effort parameter."
    guardrail = body.get("guardrailConfig")
    if guardrail is not None:
        for member in ("guardrailIdentifier", "guardrailVersion"):
            if not _member(body, "guardrailConfig", member):
                yield f"guardrailConfig.{member}: is missing."


def _cache_points(model: Model, body: Body) -> Problems:
    places = [
        body.get("toolConfig", {}).get("tools", []),
        body.get("system", []),
        *(message["content"] for message in body["messages"]),
    ]
    points = [block["cachePoint"] for place in places for block in place if "cachePoint" in block]
    if len(points) > 4:
        yield f"A maximum of 4 blocks with cache_control may be provided. Found {len(points)}."
    for point in points:
        if not isinstance(point, Mapping) or point.get("type") != "default":
            yield "cachePoint.type: has to be default."
        elif point.get("ttl", "5m") not in ("5m", "1h"):
            yield f"cachePoint.ttl: {point['ttl']!r:.40} is not one of 5m, 1h."


_CHECKS: tuple[Callable[[Model, Body], Problems], ...] = (
    _conversation,
    _content,
    _tool_history,
    _tools,
    _thinking,
    _sampling,
    _reasoning,
    _cache_points,
    _extras,
)


def _ids(message: Mapping[str, Any], member: str) -> list[str]:
    return [str(b[member].get("toolUseId")) for b in message["content"] if member in b]


def _additional(body: Body) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = body.get("additionalModelRequestFields", {})
    return fields


def _member(body: Body, outer: str, inner: str) -> Any:
    owner = body.get(outer)
    return owner.get(inner) if isinstance(owner, Mapping) else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
