"""Limits that can be set lower."""

from typing import Any

import pytest

from aybiza.emulators.bedrock import Limits


def test_a_limit_is_taken_from_json_and_given_back() -> None:
    assert Limits.from_json({"input_tokens": 20}) == Limits(20)
    assert Limits.from_json({}).as_json() == {"input_tokens": None}


@pytest.mark.parametrize(
    "members", [None, [], {"tokens": 1}, {"input_tokens": 0}, {"input_tokens": True},
                {"input_tokens": "9"}]
)  # fmt: skip
def test_a_limit_without_sense_is_refused(members: Any) -> None:
    with pytest.raises(ValueError, match="limits"):
        Limits.from_json(members)
