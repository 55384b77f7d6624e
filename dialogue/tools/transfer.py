"""Call transfer: the tool that puts the caller through.

Contract: the tool names the destination (`to` of its result) and its effect asks the call to close
with `transfer` once the agent has finished speaking; who carries it out
(`aybiza.gateway.returning`) knows the numbers (`Destination.number`), the model does not.
Errors: `unknown_destination` for the model.
Source: specification 001, "Tool Integration Examples" (`call_transfer_tool`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aybiza.dialogue.tool_registry import Tool, ToolError
from aybiza.dialogue.toolbox import ToolRun

_NUMBER = re.compile(r"\+[1-9]\d{6,14}|sips?:[^\s<>\"]{1,200}")


@dataclass(frozen=True, slots=True)
class Destination:
    """Whom a caller may be put through to: `number` is E.164 (`+14155550123`) or a SIP address;
    `description` tells the model when. Raises ValueError for another number."""

    name: str
    number: str
    description: str = ""

    def __post_init__(self) -> None:
        if not _NUMBER.fullmatch(self.number):
            raise ValueError(
                f"destination {self.name}: {self.number!r} is neither E.164, such as +14155550123,"
                " nor a SIP address"
            )


def call_transfer_tool(destinations: Sequence[Destination]) -> Tool:
    """`transfer_call`: put the caller through to one of the destinations."""
    if not destinations:
        raise ValueError("call transfer needs at least one destination")
    known = {destination.name: destination for destination in destinations}

    async def run(given: dict[str, Any], use: ToolRun) -> dict[str, Any]:
        found = known.get(given["destination"])
        if found is None:
            raise ToolError("unknown_destination", f"There are: {', '.join(known)}.")
        return {"transferring": True, "to": found.name}

    whom = "; ".join(
        f"{d.name}: {d.description}" if d.description else d.name for d in known.values()
    )
    return Tool(
        name="transfer_call",
        description=f"Put the caller through to a person. Say so before. {whom}",
        run=run,
        input_schema={
            "type": "object",
            "properties": {
                "destination": {"type": "string", "enum": list(known)},
                "reason": {"type": "string", "maxLength": 200, "description": "Why, in short"},
            },
            "required": ["destination"],
        },
        effect="transfer",
        seconds=1.0,
    )
