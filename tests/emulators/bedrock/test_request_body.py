"""What the checks of a request share."""

from typing import Any

from aybiza.emulators.bedrock import request_body


def test_tokens_are_those_of_messages_system_and_tools() -> None:
    body: dict[str, Any] = {"messages": [{"role": "user", "content": [{"text": "x" * 400}]}]}
    alone = request_body.input_tokens(body)
    assert 100 <= alone <= 120
    assert request_body.input_tokens({**body, "system": [{"text": "y" * 400}]}) >= alone + 100
    assert request_body.input_tokens({**body, "requestMetadata": {"call": "z" * 400}}) == alone


def test_members_of_members_may_be_missing() -> None:
    assert request_body.member({"a": {"b": 1}}, "a", "b") == 1
    assert request_body.member({"a": 7}, "a", "b") is None
    assert not request_body.is_number(True)
