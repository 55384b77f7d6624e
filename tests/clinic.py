"""The clinic's tools in a registry, as an agent has them, at a time of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aybiza.config.agents import load_agent
from aybiza.dialogue.consent import ConsentGate
from aybiza.dialogue.tool_registry import Tool, ToolError, ToolRegistry, error
from aybiza.dialogue.toolbox import ToolRun
from aybiza.dialogue.tools.call_tools import call_tools
from examples.clinic.desk import desk_tools

FRIDAY_MORNING = datetime(2026, 11, 20, 9, 0)
NAMES = load_agent("clinic").tools


class EverythingAgreed(ConsentGate):
    """A caller who says yes to all."""

    def agreed(self, name: str, given: object, use: ToolRun) -> bool:
        return True


def done(tool: Tool, use: ToolRun) -> Any:
    """What a tool of the clinic makes of an input, whoever agrees; such tools wait for nothing."""
    run: Any = tool.run(use.input, use)
    try:
        run.send(None)
    except StopIteration as end:
        return end.value
    except ToolError as refused:
        return error(refused.code, refused.message)
    raise AssertionError(f"{tool.name} waits")


def clinic(
    now: datetime = FRIDAY_MORNING,
    gate: ConsentGate | None = None,
    people: Sequence[str] = (),
) -> ToolRegistry:
    """See the module. The tools of each share a book of their own."""
    return ToolRegistry([*desk_tools(lambda: now), *call_tools(people)], gate)
