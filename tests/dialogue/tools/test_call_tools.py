"""The tools that any call has."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.dialogue.tool_registry import ToolRegistry
from aybiza.dialogue.toolbox import ToolRun
from aybiza.dialogue.tools.call_tools import call_tools

PEOPLE = ["front desk", "billing"]


async def used(people: list[str], name: str, /, **given: Any) -> dict[str, Any]:
    return await ToolRegistry(call_tools(people)).run(ToolRun(name, "t1", given, "CA1"))


@pytest.mark.parametrize(
    ("given", "to"),
    [
        ({"reason": "a complaint"}, "front desk"),
        ({"to": " "}, "front desk"),
        ({"to": "Billing"}, "billing"),
    ],
)
async def test_a_caller_is_put_through_to_whom_they_ask_for(given: dict[str, str], to: str) -> None:
    assert await used(PEOPLE, "transfer_to_person", **given) == {"transferring": True, "to": to}


async def test_nobody_is_put_through_to_whom_there_is_no_number() -> None:
    assert (await used([], "transfer_to_person"))["error"] == "nobody_there"
    unknown = await used(PEOPLE, "transfer_to_person", to="the moon")
    assert unknown["error"] == "unknown_destination"
    assert "There are: front desk, billing." in unknown["message"]


async def test_an_end_says_so() -> None:
    assert (await used([], "end_call"))["ending"]


def test_the_model_is_told_whom_a_caller_may_be_put_through_to() -> None:
    told = ToolRegistry(call_tools(PEOPLE)).specs()[0]["toolSpec"]["description"]
    assert told.endswith("There are: front desk, billing.")
    assert "There are" not in ToolRegistry(call_tools()).specs()[0]["toolSpec"]["description"]


def test_what_the_call_does_stands_in_the_effects() -> None:
    registry = ToolRegistry(call_tools())
    assert [registry.effect(name) for name in registry.names] == ["transfer", "end_call"]
