"""What is taken for a placeholder."""

import doctest

import pytest

from aybiza.config import placeholders
from aybiza.config.placeholders import is_placeholder


@pytest.mark.parametrize(
    "value",
    [
        "set-me",
        "SET_ME",
        "set-me-to-the-output-of-openssl-rand-hex-32",
        "changeme",
        "change-me-please",
        "Replace_This",
        "<your token>",
        "${TWILIO_AUTH_TOKEN}",
        "placeholder",
        "xxxxxxxx",
        " set-me\n",
    ],
)
def test_what_shipped_files_hold_where_a_secret_belongs_is_a_placeholder(value: str) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize("value", ["setmeter-9f3a", "a1b2c3", "xx", "replacement-7d1c", "todos-42"])
def test_what_only_looks_like_one_is_not(value: str) -> None:
    assert not is_placeholder(value)


def test_the_examples_hold() -> None:
    assert doctest.testmod(placeholders).failed == 0
