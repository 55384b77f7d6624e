"""How the tests of tools use them: through a registry, as a call does."""

from __future__ import annotations

import itertools
from typing import Any

from aybiza.dialogue.tool_registry import Tool, ToolRegistry
from aybiza.dialogue.toolbox import ToolRun

LINE = "+14155550123"
_ids = itertools.count(1)


async def used(tool: Tool, caller: str = LINE, /, **given: Any) -> dict[str, Any]:
    """The result of one use, to which the caller has said yes."""
    registry = ToolRegistry([tool])
    if tool.asks_first:
        await registry.run(ToolRun(tool.name, "asked", given, "CA1", caller))
    use = ToolRun(tool.name, f"use{next(_ids)}", given, "CA1", caller, turn=1, said="Yes, please.")
    return await registry.run(use)
