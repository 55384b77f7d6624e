"""Toolboxes: which tools there are, and one use of one of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aybiza.claude.converse import converse_request
from aybiza.config.agents import load_agent
from aybiza.dialogue.clinic import TOOLS
from aybiza.dialogue.tool_registry import Tool, ToolRegistry
from aybiza.dialogue.toolbox import (
    CLOSING_REASONS,
    ClinicToolbox,
    NoTools,
    Toolboxes,
    ToolRun,
    toolbox_for,
)
from tests.dialogue.test_journal import JSON

MONDAY = datetime(2026, 3, 2, 9, 0)
CLINIC = load_agent("clinic").tools


def clinic() -> ClinicToolbox:
    return ClinicToolbox(CLINIC, now=lambda: MONDAY)


def use(tool: str, use_id: str = "t1", **given: Any) -> ToolRun:
    return ToolRun(tool, use_id, given, call_id="CA1", caller="+14155550123")


async def agreed(toolbox: ClinicToolbox, run: ToolRun) -> dict[str, Any]:
    """The result of a write that was put to the caller and agreed to."""
    assert "needs_confirmation" in await toolbox.run(replace(run, tool_use_id="asked"))
    return await toolbox.run(replace(run, turn=1, said="Yes, please."))


def test_an_agent_s_tools_are_those_it_names_in_its_order() -> None:
    names = ["end_call", "opening_hours"]
    specs = toolbox_for(names).specs()
    assert [spec["toolSpec"]["name"] for spec in specs] == names


def test_bedrock_takes_the_specifications() -> None:
    request = converse_request("model", [], tools=clinic().specs())
    assert len(request["toolConfig"]["tools"]) == len(CLINIC)


def test_an_agent_without_tools_has_an_empty_toolbox() -> None:
    toolbox = toolbox_for([])
    assert toolbox.specs() == []
    assert toolbox.effect("end_call") == "none"


def test_a_tool_that_no_toolbox_knows_is_named_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"no such tool: fly; there are: .*end_call"):
        toolbox_for(["end_call", "fly"])


async def test_a_run_gives_the_tool_s_result() -> None:
    result = await clinic().run(use("treatment_price", treatment="cleaning"))
    assert result["treatment"] == "cleaning"
    assert "error" not in result


async def test_now_is_the_clinic_s() -> None:
    result = await clinic().run(use("opening_hours", day="today"))
    assert result["date"] == "2026-03-02"


async def test_the_caller_is_known_by_the_number() -> None:
    toolbox = clinic()
    mine = await toolbox.run(use("next_appointment"))
    other = ToolRun("next_appointment", "t2", {}, "CA2", "+19995550000")
    assert mine["name"] != (await toolbox.run(other))["name"]


@pytest.mark.parametrize("toolbox", [NoTools(), ClinicToolbox(["end_call"])])
async def test_a_tool_that_is_not_there_comes_back_as_a_result(toolbox: Any) -> None:
    result = await toolbox.run(use("opening_hours"))
    assert result["error"] == "unknown_tool"
    assert "opening_hours" in result["message"]
    assert toolbox.effect("opening_hours") == "none"


async def test_a_write_that_is_repeated_is_done_once() -> None:
    toolbox = clinic()
    booking = use("book_appointment", day="Wednesday", time="10:00", name="Ann Lee")
    first = await agreed(toolbox, booking)
    assert "booked" in first
    assert await toolbox.run(booking) == first
    again = use("book_appointment", "t2", day="Wednesday", time="10:00", name="Ann Lee")
    assert (await agreed(toolbox, again))["error"] == "slot_taken"


async def test_another_call_s_write_of_the_same_id_is_another() -> None:
    toolbox = clinic()
    when = {"day": "Wednesday", "time": "10:00"}
    assert "booked" in await agreed(toolbox, ToolRun("book_appointment", "t1", when, "CA1", "+15"))
    other = await agreed(toolbox, ToolRun("book_appointment", "t1", when, "CA2", "+16"))
    assert other["error"] == "slot_taken"


async def test_the_uses_of_one_toolbox_share_one_book() -> None:
    toolbox = clinic()
    await agreed(toolbox, use("book_appointment", day="Wednesday", time="10:00"))
    slots = await toolbox.run(use("free_slots", "t2", day="Wednesday"))
    assert "10:00" not in slots["free"]


def test_what_ends_a_call_is_an_effect_with_a_reason() -> None:
    toolbox = clinic()
    effects = {toolbox.effect(name) for name in CLINIC} - {"none", "write"}
    assert effects == set(CLOSING_REASONS)
    assert CLOSING_REASONS[toolbox.effect("end_call")] == "goodbye"
    assert CLOSING_REASONS[toolbox.effect("transfer_to_person")] == "transfer"


@settings(max_examples=60)
@given(st.sampled_from(sorted(TOOLS)), JSON)
async def test_any_input_gives_a_result(name: str, given_: Any) -> None:
    run = ToolRun(name, "t1", given_, "CA1", "+14155550123")
    assert isinstance(await clinic().run(run), dict)


# Tools of one's own


def own_tools() -> ToolRegistry:
    async def run(given: dict[str, Any], run: ToolRun) -> dict[str, Any]:
        return {"mine": True}

    return ToolRegistry(
        [
            Tool("look_up", "Mine.", run),
            Tool("book_appointment", "Mine.", run, effect="write", confirm=False),
        ]
    )


async def test_tools_of_one_s_own_stand_beside_the_clinic_s_and_before_them() -> None:
    names = ["opening_hours", "look_up", "book_appointment", "end_call"]
    toolbox = toolbox_for(names, own_tools())
    assert [spec["toolSpec"]["name"] for spec in toolbox.specs()] == names
    assert toolbox.effect("end_call") == "end_call"
    assert toolbox.effect("book_appointment") == "write"
    for name in ("look_up", "book_appointment"):
        assert await toolbox.run(use(name)) == {"mine": True}
    assert "week" in await toolbox.run(use("opening_hours"))


async def test_of_several_boxes_the_first_that_has_a_tool_is_asked() -> None:
    names = ["book_appointment", "fly", "opening_hours"]
    joined = Toolboxes(names, [own_tools(), clinic()])
    assert [spec["toolSpec"]["name"] for spec in joined.specs()] == [names[0], names[2]]
    assert await joined.run(use("book_appointment")) == {"mine": True}


async def test_a_tool_that_the_agent_does_not_name_is_not_its() -> None:
    toolbox = toolbox_for(["look_up"], own_tools())
    result = await toolbox.run(use("book_appointment"))
    assert result["error"] == "unknown_tool"
    assert toolbox.effect("book_appointment") == "none"


def test_an_unknown_name_is_told_with_the_tools_of_one_s_own() -> None:
    with pytest.raises(ValueError, match=r"no such tool: fly; there are: .*look_up"):
        toolbox_for(["fly"], own_tools())


def test_the_model_is_told_whom_a_caller_may_be_put_through_to() -> None:
    toolbox = toolbox_for(["transfer_to_person"], people=["front desk", "billing"])
    assert "There are: front desk, billing." in toolbox.specs()[0]["toolSpec"]["description"]
