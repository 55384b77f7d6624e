"""What the specification does after an error.

Purpose: its error ladder as decisions. Contract: pure; `handle_bedrock_error` names the next step,
`throttling_fallback` takes one step down the chain of models. Errors: `KeyError` for a context
without the two keys that the chain needs.
Source: Bedrock guide, section 2 (`handle_bedrock_error`, `handle_throttling_with_model_fallback`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aybiza.claude.elixir import truthy
from aybiza.claude.spec_models import CLAUDE_3_HAIKU, MODEL_CAPABILITIES

_STEP_OF_TYPE: Final = {
    "ThrottlingException": "handle_throttling_with_model_fallback",
    "ModelNotReadyException": "use_alternative_model_in_region",
    "ServiceUnavailableException": "switch_to_fallback_region",
    "ValidationException": "fix_payload_and_retry",
}
_STEP_AFTER_TIMEOUT: Final = "switch_to_faster_model_and_retry"
_LAST_STEP: Final = "use_cached_or_generic_response"


def handle_bedrock_error(result: tuple[str, object]) -> str:
    """The name of the step for a result `("error", reason)` or `("ok", value)`.

    reason: a mapping with Bedrock's error `type`, letter case as Bedrock writes it, or "timeout".
    """
    match result:
        case ("error", {"type": str(error_type)}):
            return _STEP_OF_TYPE.get(error_type, _LAST_STEP)
        case ("error", "timeout"):
            return _STEP_AFTER_TIMEOUT
    return _LAST_STEP


def throttling_fallback(context: Mapping[str, Any]) -> dict[str, Any]:
    """`current_model` and `retry_count` of a context after one throttled attempt.

    The chain ends at 3 Haiku, where unlisted models go at once; a retry count of None counts as 0.
    """
    model = MODEL_CAPABILITIES.get(context["current_model"])
    retries = context["retry_count"]
    return {
        "current_model": model.throttled_to if model else CLAUDE_3_HAIKU,
        "retry_count": (retries if truthy(retries) else 0) + 1,
    }
