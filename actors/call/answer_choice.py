"""What an answer is asked with: the model, the ways to go on, the tools, the words it may have.

Contract: nothing here waits. Errors: those of `aybiza.claude.choice` and `tool_specs`, for what no
request can carry. Source: specification 000, section 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from operator import is_
from typing import Any
from weakref import WeakKeyDictionary

from aybiza.actors.call.call_context import CallContext
from aybiza.claude.choice import Choice, choose_model
from aybiza.claude.converse import tool_specs
from aybiza.claude.payload import build_enhanced_payload
from aybiza.claude.prompt_cache import Measured
from aybiza.claude.selection import determine_response_length
from aybiza.dialogue.prompt import WordLimits
from aybiza.dialogue.toolbox import Toolbox


def choice_of(
    context: CallContext, said: str, messages: Sequence[Mapping[str, Any]], *, degrade: bool
) -> Choice:
    """The model for an answer to `said`; `degrade`: the money calls for a cheaper one."""
    return choose_model(
        context.policy,
        said,
        {
            "call_sid": context.call_id,
            "conversation_history": messages,
            "tools": context.toolbox.specs(),
            "agent_type": context.agent.type,
            "cloudflare_country": context.country,
        },
        {"max_tokens": context.agent.max_tokens, "degrade": degrade},
    )


@cache
def word_limits(agent_type: str) -> WordLimits:
    """How many words the answers of such an agent have: the rule's own figures for its cases."""
    context = {"agent_type": agent_type}
    usual, brief, full = (
        determine_response_length(said, context) for said in ("", "briefly", "in detail")
    )
    return WordLimits(usual, brief, full)


_SPECS: WeakKeyDictionary[Toolbox, tuple[list[dict[str, Any]], Measured]] = WeakKeyDictionary()


def ready_tools(toolbox: Toolbox) -> Measured:
    """The toolbox's tools, made ready for requests when they are new."""
    specs = toolbox.specs()
    known, ready = _SPECS.get(toolbox, ([], Measured()))
    if len(known) != len(specs) or not all(map(is_, known, specs)):
        ready = tool_specs(specs)
        _SPECS[toolbox] = [*specs], ready
    return ready


def request_of(
    context: CallContext,
    model: str,
    messages: Sequence[Mapping[str, Any]],
    system: Sequence[str],
    choice: Choice,
    *,
    max_tokens: int,
    keep_reasoning: bool = True,
) -> dict[str, Any]:
    """The request for the next message. system: the agent's prompt, and what changes behind it."""
    return build_enhanced_payload(
        "",
        {
            "conversation_history": messages,
            "system_prompt": system[0],
            "tools": ready_tools(context.toolbox),
        },
        {
            "more_system": list(system[1:]),
            "max_tokens": max_tokens,
            **context.agent.sampling,
            "thinking": choice.thinking,
            "cache": "5m",
            "cache_history": not context.agent.health_data,
            "guardrail": context.guardrail,
            "keep_reasoning": keep_reasoning,
            "call_id": context.call_id,
            "tenant_id": context.tenant or None,
        },
        context.policy.profile(model),
        rules="call",
    )
