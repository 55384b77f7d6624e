"""The specification's request payload, and the spoken-style rules it adds to a prompt.

Purpose: `build_enhanced_payload` and its parts answer as the specification does, for a port to be
checked against. What goes to Bedrock is `aybiza.claude.converse.converse_request`, which takes the
prompt rules from here. Contract: pure.
Errors: `UnknownModel` for a model that the specification does not list.
Source: Bedrock guide, section 2 (`build_enhanced_payload`, `determine_max_tokens`,
`supports_tool_use?`, `enhance_system_prompt_for_voice`); Claude 4 guide, "Voice-Optimized Prompts".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aybiza.claude.elixir import truthy
from aybiza.claude.spec_models import CLAUDE_3_7_SONNET, MODEL_CAPABILITIES, capabilities

_DEFAULT_THINKING_BUDGET: Final = 5000
_MAX_THINKING_BUDGET: Final = 64_000

VOICE_GUIDELINES: Final = """
HOW TO SPEAK ON THE PHONE:
- Say it in fewer than 50 words, so that the caller never waits for you.
- Talk as people talk; the words are heard, not read.
- Leave out signs and punctuation that nobody can pronounce.
- Prefer contractions such as I'm, you'll and can't.
- Finish with a plain ending, the next step, or one clear question.
"""


def enhance_system_prompt_for_voice(system_prompt: str) -> str:
    """The system prompt with the spoken-style rules behind it."""
    return system_prompt + VOICE_GUIDELINES


def enhance_for_voice(prompt: str) -> str:
    """The prompt with the spoken-style rules behind it."""
    return prompt + VOICE_GUIDELINES


def supports_tool_use(model_id: str | None) -> bool:
    """Whether the Bedrock guide lets the model use tools."""
    model = MODEL_CAPABILITIES.get(model_id or "")
    return model is not None and model.tool_use


def determine_max_tokens(model_id: str, options: Mapping[str, Any]) -> int | None:
    """`max_tokens` of the options, an explicit None included; else the model's figure for voice.

    Raises UnknownModel even if the options say how many.
    """
    default: int = capabilities(model_id).voice_max_tokens
    chosen: int | None = options.get("max_tokens", default)
    return chosen


def build_enhanced_payload(
    context: Mapping[str, Any], options: Mapping[str, Any], model_id: str
) -> dict[str, Any]:
    """The specification's payload without its messages.

    context: `system_prompt`, `tools`. options: `max_tokens`, `temperature`, `top_p`, `top_k`,
    `tool_choice`, `extended_thinking`, `thinking_budget`. Raises UnknownModel.
    """
    payload: dict[str, Any] = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": determine_max_tokens(model_id, options),
        "temperature": options.get("temperature", 0.3),
        "top_p": options.get("top_p", 0.9),
        "top_k": options.get("top_k", 250),
    }
    system_prompt, tools = context.get("system_prompt"), context.get("tools")
    if truthy(system_prompt):
        payload["system"] = enhance_system_prompt_for_voice(str(system_prompt))
    if truthy(tools) and supports_tool_use(model_id):
        payload["tools"] = tools
        payload["tool_choice"] = options.get("tool_choice", "auto")
    if model_id == CLAUDE_3_7_SONNET and truthy(options.get("extended_thinking")):
        budget = options.get("thinking_budget", _DEFAULT_THINKING_BUDGET)
        payload["thinking"] = True
        payload["budget_tokens"] = min(budget, _MAX_THINKING_BUDGET)
    return payload
