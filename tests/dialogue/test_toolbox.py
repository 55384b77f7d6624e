"""Toolboxes: what ends a call, and the one of an agent without tools."""

from __future__ import annotations

from aybiza.dialogue.toolbox import CLOSING_REASONS, NoTools, ToolRun
from tests.clinic import NAMES, clinic


async def test_an_agent_without_tools_has_an_empty_toolbox() -> None:
    toolbox = NoTools()
    assert toolbox.specs() == []
    assert toolbox.effect("end_call") == "none"
    result = await toolbox.run(ToolRun("opening_hours", "t1", {}, "CA1"))
    assert result["error"] == "unknown_tool"
    assert "opening_hours" in result["message"]


def test_what_ends_a_call_is_an_effect_with_a_reason() -> None:
    effects = {clinic().effect(name) for name in NAMES} - {"none", "write"}
    assert effects == set(CLOSING_REASONS)
    assert CLOSING_REASONS[clinic().effect("end_call")] == "goodbye"
    assert CLOSING_REASONS[clinic().effect("transfer_to_person")] == "transfer"
