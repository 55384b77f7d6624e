"""What is refused about cache points."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.emulators.bedrock import validation
from tests.emulators.bedrock.test_validation import HAIKU, asking, assistant, text, user


def point(ttl: str | None = None) -> dict[str, Any]:
    return {"cachePoint": {"type": "default", **({} if ttl is None else {"ttl": ttl})}}


THOUGHT = {"reasoningContent": {"redactedContent": "eA=="}}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (asking(user(point(), text())), "messages.0.content.0 has no content before it"),
        (asking(system=[point(), text()]), "system.0 has no content before it"),
        (
            asking(user(), assistant(THOUGHT, point(), text()), user()),
            "Cache point cannot be inserted after reasoning block.",
        ),
        (
            asking(user(text(), point("1h")), system=[text(), point("5m")]),
            "messages.0.content.1.cache_control.ttl: a ttl='1h' cache_control block must not come "
            "after a ttl='5m'",
        ),
        (asking(user(text(), point("2h"))), "'2h' is not one of 5m, 1h"),
        (asking(user(text(), *[point()] * 5)), "A maximum of 4 blocks"),
    ],
)
def test_a_cache_point_out_of_place_refuses_the_request(body: Any, message: str) -> None:
    refusal = validation.refusal(HAIKU, body)
    assert refusal is not None
    assert message in refusal.message


def test_cache_points_in_place_are_taken() -> None:
    body = asking(
        user(text(), point("5m")),
        assistant(text(), point()),
        user(),
        system=[text(), point("1h")],
    )
    assert validation.refusal(HAIKU, body) is None
