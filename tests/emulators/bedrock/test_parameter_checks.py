"""What is refused about how a model is asked."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.emulators.bedrock import validation
from aybiza.emulators.bedrock.parameter_checks import STOP_SEQUENCES
from aybiza.emulators.bedrock.reply import signature
from tests.emulators.bedrock.test_validation import HAIKU, asking, assistant, text, user

THOUGHT = {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": signature("Hm.")}}}


def stops(count: int) -> dict[str, Any]:
    return asking(inferenceConfig={"stopSequences": [f"s{n}" for n in range(count)]})


def guarded(version: str) -> dict[str, Any]:
    return asking(guardrailConfig={"guardrailIdentifier": "g", "guardrailVersion": version})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (stops(STOP_SEQUENCES + 1), "less than or equal to 2500"),
        (guarded("latest"), "is no DRAFT and no number"),
        (guarded("0"), "is no DRAFT and no number"),
        (asking(user(), assistant(THOUGHT), user()), "cannot be `thinking`"),
        (asking(user(), assistant(text(), THOUGHT, text()), user()), "the first block must be"),
        (asking(user(THOUGHT, text())), "only be in assistant messages"),
    ],
)
def test_what_the_service_does_not_take_is_refused(body: Any, message: str) -> None:
    refusal = validation.refusal(HAIKU, body)
    assert refusal is not None
    assert message in refusal.message


@pytest.mark.parametrize(
    "body",
    [
        stops(STOP_SEQUENCES),
        guarded("DRAFT"),
        guarded("12"),
        asking(user(), assistant(THOUGHT, text()), user()),
    ],
)
def test_what_is_in_order_is_taken(body: Any) -> None:
    assert validation.refusal(HAIKU, body) is None
