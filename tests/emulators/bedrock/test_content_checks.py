"""What is refused about the blocks of messages."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.emulators.bedrock import validation
from tests.emulators.bedrock.test_validation import HAIKU, asking, assistant, text, user

IMAGE = {"image": {"format": "png", "source": {"bytes": "eA=="}}}
DOCUMENT = {"document": {"format": "pdf", "name": "terms", "source": {"bytes": "eA=="}}}


def image(**members: Any) -> dict[str, Any]:
    return {"image": {**IMAGE["image"], **members}}


def document(**members: Any) -> dict[str, Any]:
    return {"document": {**DOCUMENT["document"], **members}}


def guarded(words: Any) -> dict[str, Any]:
    return {"guardContent": {"text": {"text": words}}}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (asking(user({"novelty": {}})), "exactly one known"),
        (asking(system=[{"novelty": {}}]), "system.0: exactly one known"),
        (asking(system=[{"text": "a", "cachePoint": {"type": "default"}}]), "system.0"),
        (asking(user(guarded(" "))), "GuardrailConverseContentBlock object at messages.0"),
        (asking(user(), assistant(guarded("a")), user()), "only be in user messages"),
        (asking(user(image(format="bmp"))), "image.format"),
        (asking(user(image(source={}))), "exactly one source"),
        (asking(user(image(source={"bytes": "x" * 5_100_000}))), "image exceeds 3750000 bytes"),
        (asking(user(*[IMAGE] * 21)), "at most 20 images"),
        (asking(user(), assistant(IMAGE), user()), "only be in user messages"),
        (asking(user(DOCUMENT)), "needs a text block"),
        (asking(user(text(), document(name="a  b"))), "The document file name can only contain"),
        (asking(user(text(), document(name="a.pdf"))), "The document file name can only contain"),
        (asking(user(text(), *[DOCUMENT] * 6)), "at most 5 documents"),
    ],
)
def test_a_block_that_the_service_does_not_take_refuses_the_request(
    body: Any, message: str
) -> None:
    refusal = validation.refusal(HAIKU, body)
    assert refusal is not None
    assert (refusal.status, refusal.code) == (400, "ValidationException")
    assert message in refusal.message


def test_blocks_in_order_are_taken() -> None:
    body = asking(user(text(), IMAGE, document(name="terms (1) [a]"), guarded("newest")))
    assert validation.refusal(HAIKU, body) is None
