"""The tools that any call has: to hang up, and to put the caller through to a person.

`call_tools(people)` gives `transfer_to_person`, which knows the names of those whom the agent may
put callers through to (`transfer_numbers`), and `end_call`. Neither does anything itself: their
effects ask the call to, once the agent has finished speaking.

Errors: `nobody_there`, `unknown_destination`, for the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aybiza.dialogue.tool_registry import Tool, ToolError
from aybiza.dialogue.toolbox import ToolRun


def call_tools(people: Sequence[str] = ()) -> list[Tool]:
    """See the module.

    >>> [tool.name for tool in call_tools(["front desk"])]
    ['transfer_to_person', 'end_call']
    """

    async def transfer(given: dict[str, Any], use: ToolRun) -> dict[str, Any]:
        if not people:
            raise ToolError("nobody_there", "Nobody can take the call. Offer to take a message.")
        to = str(given.get("to", "")).strip() or people[0]
        named = next((name for name in people if name.casefold() == to.casefold()), None)
        if named is None:
            raise ToolError("unknown_destination", f"There are: {', '.join(people)}.")
        return {"transferring": True, "to": named}

    async def end(given: dict[str, Any], use: ToolRun) -> dict[str, Any]:
        return {"ending": True}

    there_are = f" There are: {', '.join(people)}." if people else ""
    return [
        Tool(
            "transfer_to_person",
            f"Put the caller through to a person. Say so before.{there_are}",
            transfer,
            {
                "type": "object",
                "properties": {
                    "reason": {"type": "string", "description": "Why, in a few words"},
                    "to": {"type": "string", "description": "Whom; left out: the first of them"},
                },
                "required": [],
            },
            effect="transfer",
        ),
        Tool(
            "end_call",
            "Hang up, after goodbye.",
            end,
            {"type": "object", "properties": {}, "required": []},
            effect="end_call",
        ),
    ]
