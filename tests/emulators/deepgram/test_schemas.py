"""The schemas of Deepgram's messages, and that the client library reads what they let pass."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from aybiza.emulators.deepgram.faults import Door
from aybiza.emulators.deepgram.identity import Identity
from aybiza.emulators.deepgram.schemas import SCHEMAS, problem

IDENTITY = Identity.of(1, 1, "nova-3", "2026-01-01T00:00:00.000Z")


def test_the_schemas_are_schemas() -> None:
    for messages in SCHEMAS.values():
        for schema in messages.values():
            Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("missing", ["sha256", "created", "request_id", "channels", "duration"])
def test_the_end_of_a_listen_socket_has_to_be_complete(missing: str) -> None:
    told = IDENTITY.listen_metadata(1.0, "0" * 64)
    assert problem("listen", told) is None
    del told[missing]
    assert missing in str(problem("listen", told))


@pytest.mark.parametrize("missing", ["model_name", "model_version", "model_uuid", "request_id"])
def test_the_beginning_of_a_speak_socket_has_to_be_complete(missing: str) -> None:
    told = IDENTITY.speak_metadata()
    assert problem("speak", told) is None
    del told[missing]
    assert missing in str(problem("speak", told))


@pytest.mark.parametrize(
    ("door", "message", "found"),
    [
        ("speak", {"type": "Results"}, "speak has no message of type 'Results'"),
        ("speak", {"type": "Flushed", "sequence_id": -1}, "Flushed.sequence_id"),
        ("speak", {"type": "Flushed", "sequence_id": 1, "more": 1}, "more"),
        ("flux", {"type": "Connected", "request_id": "x", "sequence_id": 0}, "request_id"),
        ("listen", {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": -2}, "-2"),
        ("listen", {}, "no message of type 'None'"),
    ],
)
def test_what_is_wrong_is_named(door: Door, message: dict[str, Any], found: str) -> None:
    assert found in str(problem(door, message))
