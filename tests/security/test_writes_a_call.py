"""A caller, or words that a caller has a model read, have a tool write again and again."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.dialogue.tool_registry import (
    WRITES_A_CALL,
    WRITES_A_TOOL,
    Tool,
    ToolError,
    ToolRegistry,
)
from aybiza.dialogue.toolbox import ToolRun


def writer(name: str, sent: list[Any], **more: Any) -> Tool:
    async def run(given: dict[str, Any], use: ToolRun) -> dict[str, Any]:
        if given.get("bad"):
            raise ToolError("bad_address", "That is none.")
        sent.append(given)
        return {"sent": True}

    return Tool(name=name, description="Writes.", run=run, effect="write", confirm=False, **more)


async def results(
    registry: ToolRegistry, names: list[str], call: str = "CA1", **given: Any
) -> list[Any]:
    runs = [
        ToolRun(name, f"use{call}{number}", given, call, "+1") for number, name in enumerate(names)
    ]
    return [(await registry.run(run)).get("error") for run in runs]


async def test_two_hundred_mails_in_a_call_are_a_few() -> None:
    sent: list[Any] = []
    registry = ToolRegistry([writer("mail", sent)])
    told = await results(registry, ["mail"] * 200)
    assert len(sent) == WRITES_A_TOOL
    assert set(told[WRITES_A_TOOL:]) == {"too_many"}
    await results(registry, ["mail"], call="CA2")
    assert len(sent) == WRITES_A_TOOL + 1


async def test_many_tools_do_not_add_up_without_end() -> None:
    sent: list[Any] = []
    names = [f"mail{number}" for number in range(20)]
    registry = ToolRegistry([writer(name, sent) for name in names])
    await results(registry, names * 10)
    assert len(sent) == WRITES_A_CALL


async def test_a_tool_may_say_how_often() -> None:
    sent: list[Any] = []
    await results(ToolRegistry([writer("mail", sent, most_a_call=1)]), ["mail"] * 3)
    assert len(sent) == 1


async def test_what_was_refused_by_the_tool_counts_for_nothing() -> None:
    sent: list[Any] = []
    registry = ToolRegistry([writer("mail", sent)])
    assert set(await results(registry, ["mail"] * 9, bad=True)) == {"bad_address"}
    other = ToolRun("mail", "other", {}, "CA1", "+1")
    assert await registry.run(other) == {"sent": True}


@pytest.mark.parametrize("member", ["StartTime<", "ids[]", "a b", "x" * 65, "ä"])
def test_a_name_for_which_bedrock_refuses_the_whole_request_is_refused(member: str) -> None:
    schema = {"type": "object", "properties": {member: {}}}
    with pytest.raises(ValueError, match="as Converse does"):
        ToolRegistry([writer("mail", [], input_schema=schema)])


def test_a_schema_that_every_request_would_carry_is_bounded() -> None:
    schema = {"type": "object", "properties": {"a": {"enum": ["x" * 1000] * 100}}}
    with pytest.raises(ValueError, match="bytes, more than"):
        ToolRegistry([writer("mail", [], input_schema=schema)])
