"""Toolboxes: the tools that an agent's model may use, whatever stands behind them.

A toolbox tells their Converse specifications and runs one use of a tool. A run gives a JSON-able
dict; what is wrong with the model's input comes back as a result that says so, for the model to
mend. A write is idempotent by (call, tool use), so a run may be repeated.

Source: Bedrock, Converse, `toolConfig` and `toolResult`.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol

from aybiza.dialogue.journal import TRANSFER
from aybiza.dialogue.tool_run import ToolRun

__all__ = ["Effect", "NoTools", "ToolRun", "Toolbox"]

Effect = Literal["none", "write", "transfer", "end_call"]

# What an effect means for the call, once the agent has finished speaking.
CLOSING_REASONS: dict[str, str] = {"end_call": "goodbye", "transfer": TRANSFER}


class Toolbox(Protocol):
    """See the module."""

    def specs(self) -> list[dict[str, Any]]:
        """The tools for `toolConfig.tools`."""

    def effect(self, name: str) -> Effect:
        """What a run of the tool does besides answering."""

    async def run(self, use: ToolRun) -> dict[str, Any]:
        """The result of one use."""


class NoTools:
    """The toolbox of an agent without tools."""

    def specs(self) -> list[dict[str, Any]]:
        return []

    def effect(self, name: str) -> Effect:
        return "none"

    async def run(self, use: ToolRun) -> dict[str, Any]:
        return {"error": "unknown_tool", "message": f"There is no tool {use.name}."}
