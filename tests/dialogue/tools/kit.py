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
    use_id = f"use{next(_ids)}"
    if tool.asks_first:
        given["confirmed"] = True
    use = ToolRun(tool.name, use_id, given, "CA1", caller, turn=1, said="Yes, please.")
    return await ToolRegistry([tool]).run(use)
