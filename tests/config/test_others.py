"""Names of what other services have."""

from __future__ import annotations

import doctest

import pytest

from aybiza.config import others
from aybiza.config.others import chat_model


@pytest.mark.parametrize("name", ["openai:gpt-4o-mini", "openai:meta-llama/Llama-3.3-70B:free"])
def test_a_chat_model_is_named_by_its_service(name: str) -> None:
    assert chat_model(name) == name


@pytest.mark.parametrize("name", ["gpt-4o", "openai:", "openai:gpt 4", "bedrock:x", "openai:x\n"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="must be openai: and the name"):
        chat_model(name)


def test_the_examples_hold() -> None:
    assert doctest.testmod(others).failed == 0
