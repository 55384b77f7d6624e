"""Numbers that others have sent."""

import json
from typing import Any

import pytest

from aybiza.config.numbers import finite


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1.0),
        ("-2.5", -2.5),
        ("1e308", 1e308),
        ("1e309", None),
        ("NaN", None),
        ("-Infinity", None),
        ("9" * 400, None),
        ("true", None),
        ('"1"', None),
        ("null", None),
        ("[1]", None),
    ],
)
def test_what_json_calls_a_number_is_one_only_if_it_can_be_reckoned_with(
    text: str, number: Any
) -> None:
    assert finite(json.loads(text)) == number
