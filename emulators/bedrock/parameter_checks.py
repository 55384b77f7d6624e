"""What the service refuses about how a model is asked: limits, sampling, thinking, extras. Pure.

Contract: each function is a check (see `request_body`).
Errors: none.
Source: Bedrock: Converse inferenceConfig, requestMetadata, performanceConfig, guardrailConfig;
Claude extended thinking.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from aybiza.emulators.bedrock.catalogue import ADAPTIVE, BUDGET, Model
from aybiza.emulators.bedrock.reply import signature
from aybiza.emulators.bedrock.request_body import (
    MODEL_SAID,
    Body,
    Problems,
    additional,
    ids,
    is_number,
    member,
    thinking_mode,
)

STOP_SEQUENCES = 2500

_METADATA = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,\-.]{0,256}")
_GUARDRAIL_VERSION = re.compile(r"DRAFT|[1-9][0-9]{0,7}")
_ADDITIONAL_FIELDS = frozenset(
    {"thinking", "top_k", "anthropic_beta", "anthropic_version", "output_config"}
)
_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_SERVICE_TIERS = ("priority", "default", "flex", "reserved")


def sampling(model: Model, body: Body) -> Problems:
    """Temperature, topP, stop sequences and maxTokens within what the model takes."""
    config = body.get("inferenceConfig", {})
    temperature, top_p = config.get("temperature"), config.get("topP")
    given = [name for name in ("temperature", "topP") if config.get(name) is not None]
    if additional(body).get("top_k") is not None:
        given.append("top_k")
    for name in ("temperature", "topP"):
        value = config.get(name)
        if value is not None and not (is_number(value) and 0 <= value <= 1):
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
        if is_number(top_p) and top_p < 0.95:
            yield "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled."
    stops = config.get("stopSequences", [])
    if not isinstance(stops, list) or not all(isinstance(s, str) and s.strip() for s in stops):
        yield "stopSequences: has to be a list of texts that are not blank."
    elif len(stops) > STOP_SEQUENCES:
        yield (
            "Value at 'inferenceConfig.stopSequences' failed to satisfy constraint: Member must "
            f"have length less than or equal to {STOP_SEQUENCES}"
        )
    most = config.get("maxTokens")
    if most is not None and not (isinstance(most, int) and most >= 1):
        yield "maxTokens: has to be a whole number from 1."
    elif most is not None and most > model.max_output:
        yield (
            f"The maximum tokens you requested exceeds the model limit of {model.max_output}. "
            f"Try again with a maximum tokens value that is lower than {model.max_output}."
        )


def thinking(model: Model, body: Body) -> Problems:
    """Thinking of a kind that the model has, with a budget that makes sense."""
    fields = additional(body)
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


def reasoning(model: Model, body: Body) -> Problems:
    """Thoughts come back as they were, first in their message and never last."""
    messages = body["messages"]
    for at, message in enumerate(messages):
        for index, block in enumerate(message["content"]):
            signed = block.get("reasoningContent", {}).get("reasoningText")
            where = f"messages.{at}.content.{index}"
            if isinstance(signed, Mapping) and signed.get("signature") != signature(
                str(signed.get("text", ""))
            ):
                yield f"{where}: Invalid `signature` in `thinking` block"
        thoughts = ["reasoningContent" in block for block in message["content"]]
        spoken = [block for block in message["content"] if "cachePoint" not in block]
        if any(thoughts) and message["role"] != "assistant":
            yield f"messages.{at}: reasoningContent blocks can only be in assistant messages."
        elif any(thoughts) and not thoughts[0]:
            yield (
                f"{MODEL_SAID}messages.{at}.content.0: If an assistant message contains any "
                "thinking blocks, the first block must be `thinking` or `redacted_thinking`."
            )
        elif spoken and "reasoningContent" in spoken[-1]:
            yield (
                f"{MODEL_SAID}messages.{at}.content.{len(spoken) - 1}: The final block in an "
                "assistant message cannot be `thinking`."
            )
    if thinking_mode(model, body) == BUDGET and ids(messages[-1], "toolResult"):
        first = messages[-2]["content"][0]
        if "reasoningContent" not in first:
            yield (
                f"messages.{len(messages) - 2}.content.0.type: Expected `thinking` or "
                f"`redacted_thinking`, but found `{'tool_use' if 'toolUse' in first else 'text'}`. "
                "When `thinking` is enabled, a final `assistant` message must start with a "
                "thinking block."
            )


def extras(model: Model, body: Body) -> Problems:
    """Metadata, latency, tier, effort and guardrail in their form."""
    metadata = body.get("requestMetadata")
    if metadata is not None:
        if not 1 <= len(metadata) <= 16:
            yield "requestMetadata: 1 to 16 pairs are allowed."
        for pair in metadata.items():
            if not all(_METADATA.fullmatch(str(part)) for part in pair):
                yield f"requestMetadata: {pair[0]!r:.40} or its value has characters not allowed."
    latency = member(body, "performanceConfig", "latency")
    if latency not in (None, "standard"):
        yield f"performanceConfig.latency: {latency!r:.40} is not supported for this model."
    tier = member(body, "serviceTier", "type")
    if tier is not None and tier not in _SERVICE_TIERS:
        yield f"serviceTier.type: {tier!r:.40} is not one of {', '.join(_SERVICE_TIERS)}."
    for owner in (body.get("outputConfig"), additional(body).get("output_config")):
        effort = owner.get("effort") if isinstance(owner, Mapping) else None
        if effort is not None and effort not in _EFFORTS:
            yield f"output_config.effort: {effort!r:.40} is not one of {', '.join(_EFFORTS)}."
        elif effort is not None and ADAPTIVE not in model.thinking:
            yield "output_config.effort: this model does not support the effort parameter."
    guardrail = body.get("guardrailConfig")
    if guardrail is not None:
        for name in ("guardrailIdentifier", "guardrailVersion"):
            if not member(body, "guardrailConfig", name):
                yield f"guardrailConfig.{name}: is missing."
        version = str(member(body, "guardrailConfig", "guardrailVersion") or "DRAFT")
        if not _GUARDRAIL_VERSION.fullmatch(version):
            yield f"guardrailConfig.guardrailVersion: {version!r:.40} is no DRAFT and no number."
