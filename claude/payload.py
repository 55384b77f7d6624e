"""What a model is asked, whoever asks: `build_enhanced_payload`, by the rules of a port or a call.

Contract: pure, and leaves its arguments unchanged. The same parts are put together in every rule
set: the messages, the limit of the answer, the prompt with the rules of spoken style behind it, the
tools of a model that is given any, the budget of one that thinks. The specification writes them as
the body of InvokeModel, as it is printed; a call as the arguments of ConverseStream, which today's
models take (`aybiza.claude.converse`).
Errors: `UnknownModel` where the specification raises; those of `converse_request` in a call.
Source: Bedrock guide, section 2 (`build_enhanced_payload`, `enhance_system_prompt_for_voice`);
Claude 4 guide, "Voice-Optimized Prompts".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aybiza.claude.converse import converse_request
from aybiza.claude.elixir import truthy
from aybiza.claude.models import ModelProfile, determine_max_tokens, profile_of, supports_tool_use
from aybiza.claude.thinking import Thinking
from aybiza.config.rule_sets import Rules

_DEFAULT_THINKING_BUDGET: Final = 5000
_TEMPERATURE: Final = 0.3

VOICE_GUIDELINES: Final = """
HOW TO SPEAK ON THE PHONE:
- Say it in fewer than 50 words, so that the caller never waits for you; in more only if asked to.
- Talk as people talk; the words are heard, not read.
- Leave out signs and punctuation that nobody can pronounce.
- Prefer contractions such as I'm, you'll and can't.
- Finish with a plain ending, the next step, or one clear question.
"""


def enhance_system_prompt_for_voice(system_prompt: str) -> str:
    """The system prompt with the rules of spoken style behind it.

    >>> enhance_system_prompt_for_voice("You answer for a shop.").splitlines()[:2]
    ['You answer for a shop.', 'HOW TO SPEAK ON THE PHONE:']
    """
    return system_prompt + VOICE_GUIDELINES


def enhance_for_voice(prompt: str) -> str:
    """The prompt with the rules of spoken style behind it.

    >>> enhance_for_voice("Be brief.").startswith("Be brief.")
    True
    """
    return enhance_system_prompt_for_voice(prompt)


def build_conversation_messages(prompt: str, context: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The context's `conversation_history` with the prompt behind it, if it says anything.

    >>> build_conversation_messages("Hello.", {})
    [{'role': 'user', 'content': 'Hello.'}]
    """
    history = list(context.get("conversation_history") or ())
    return [*history, {"role": "user", "content": prompt}] if prompt else history


@dataclass(frozen=True, slots=True)
class _Parts:
    """What is asked. system: None for none. tools: None where the model is given none."""

    messages: Sequence[Mapping[str, Any]]
    max_tokens: int | None
    system: str | None
    tools: Any
    budget: int | None


def build_enhanced_payload(
    prompt: str,
    context: Mapping[str, Any],
    options: Mapping[str, Any],
    model_id: str | ModelProfile,
    *,
    rules: Rules = "specification",
) -> dict[str, Any]:
    """The request for one answer.

    context: `conversation_history`, `system_prompt`, `tools`. options: `max_tokens`, `temperature`,
    `tool_choice`, `extended_thinking`, `thinking_budget`; the specification's also `top_p` and
    `top_k`, a call's whatever `converse_request` takes, and `more_system`, texts behind the prompt
    that change more often than it does. Raises UnknownModel in the specification's rules.

    >>> payload = build_enhanced_payload(
    ...     "Hello.", {}, {}, "anthropic.claude-3-haiku-20240307-v1:0")
    >>> payload["max_tokens"], payload["top_k"]
    (256, 250)
    >>> sonnet = "anthropic.claude-sonnet-5"
    >>> build_enhanced_payload("Hello.", {}, {}, sonnet, rules="call")["messages"]
    [{'role': 'user', 'content': [{'text': 'Hello.'}]}]
    """
    profile = model_id if isinstance(model_id, ModelProfile) else profile_of(model_id)
    system, tools = context.get("system_prompt"), context.get("tools")
    given = profile.model.tools if rules == "call" else supports_tool_use(profile.id, rules=rules)
    thinks = profile.model.thinking and truthy(options.get("extended_thinking"))
    budget = options.get("thinking_budget", _DEFAULT_THINKING_BUDGET)
    parts = _Parts(
        messages=build_conversation_messages(prompt, context),
        max_tokens=determine_max_tokens(profile.id, options, rules=rules),
        system=enhance_system_prompt_for_voice(str(system)) if truthy(system) else None,
        tools=tools if truthy(tools) and given else None,
        budget=min(budget, profile.model.max_output) if thinks else None,
    )
    return _WRITTEN[rules](parts, options, profile)


def _as_printed(parts: _Parts, options: Mapping[str, Any], profile: ModelProfile) -> dict[str, Any]:
    body: dict[str, Any] = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": parts.max_tokens,
        "messages": parts.messages,
        "temperature": options.get("temperature", _TEMPERATURE),
        "top_p": options.get("top_p", 0.9),
        "top_k": options.get("top_k", 250),
    }
    if parts.system is not None:
        body["system"] = parts.system
    if parts.tools is not None:
        body |= {"tools": parts.tools, "tool_choice": options.get("tool_choice", "auto")}
    if parts.budget is not None:
        body |= {"thinking": True, "budget_tokens": parts.budget}
    return body


_OURS: Final = frozenset(
    ("max_tokens", "words", "extended_thinking", "thinking_budget", "more_system")
)


def _as_converse(
    parts: _Parts, options: Mapping[str, Any], profile: ModelProfile
) -> dict[str, Any]:
    assert parts.max_tokens is not None
    system = (parts.system, *options.get("more_system", ()))
    thinking = None if parts.budget is None else Thinking(parts.budget)
    return converse_request(
        profile,
        parts.messages,
        system=[text for text in system if text],
        tools=parts.tools or (),
        max_tokens=parts.max_tokens,
        **{
            "temperature": _TEMPERATURE,
            "thinking": thinking,
            **{name: value for name, value in options.items() if name not in _OURS},
        },
    )


_Written = Callable[[_Parts, Mapping[str, Any], ModelProfile], dict[str, Any]]
_WRITTEN: Final[Mapping[Rules, _Written]] = {
    "printed": _as_printed,
    "specification": _as_printed,
    "call": _as_converse,
}
