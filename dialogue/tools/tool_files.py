"""ToolFiles: the tools' files of a node, each loaded once, and the tools that an agent has of them.

    files = ToolFiles("tools.toml", region="us-east-1", environment=os.environ)
    files.toolbox(agent, gate)               the tools that the agent names
    await files.warm(); await files.aclose()

An agent's tools are, by name and in its order, those of its own file (`tools_file`), else of the
node's, else `transfer_to_person` and `end_call`.

Contract: reads files and builds clients, so it is called before the event loop has calls to carry,
or from a thread. What a file holds (a book, a cache) is shared by all agents that name the file;
consents and counts of writes are each agent's own.
Errors: `ToolsError` for a file that cannot be used; `ValueError` for a tool that there is not.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aybiza.config.agents import Agent
from aybiza.dialogue.consent import ConsentGate
from aybiza.dialogue.tool_registry import Tool, ToolRegistry
from aybiza.dialogue.tools.call_tools import call_tools
from aybiza.dialogue.tools.catalogue import Tools, load_tools
from aybiza.dialogue.tools.mcp_listed import UNNAMED
from aybiza.dialogue.tools.tools_file import Environment

MOST_TOLD: Final = 30
"""Names of tools in one message."""


class ToolFiles:
    """See the module. Without a `path` the node has no tools besides its agents' own."""

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        region: str = "us-east-1",
        environment: Environment | None = None,
    ) -> None:
        self._region = region
        self._environment = environment or {}
        self._loaded: dict[str, Tools] = {}
        self._of_node = [] if path is None else [self._tools(str(path))]

    def _tools(self, path: str) -> Tools:
        if path not in self._loaded:
            self._loaded[path] = load_tools(
                path, region=self._region, environment=self._environment
            )
        return self._loaded[path]

    def of(self, agent: Agent) -> Sequence[Tools]:
        """What the agent's own file and the node's give. Raises ToolsError."""
        own = [self._tools(agent.tools_file)] if agent.tools_file else []
        return [*own, *self._of_node]

    def toolbox(self, agent: Agent, gate: ConsentGate | None = None) -> ToolRegistry:
        """The tools that the agent names; `gate` asks its callers. Raises ToolsError and
        ValueError."""
        known: dict[str, Tool] = {}
        for tools in self.of(agent):
            known = {**{each.name: each for each in tools.registry.tools}, **known}
        for tool in call_tools(tuple(agent.transfer_numbers)):
            known.setdefault(tool.name, tool)
        if unknown := [name for name in agent.tools if name not in known]:
            near = difflib.get_close_matches(unknown[0], known, n=1)
            meant = f"; did you mean {near[0]}? There are" if near else "; there are"
            names = sorted(known)
            more = f" and {len(names) - MOST_TOLD} more" if len(names) > MOST_TOLD else ""
            told = ", ".join(names[:MOST_TOLD]) + more
            left = "".join(
                f"; [{table}] leaves out {len(out)}: `aybiza tools try` has the reasons"
                for table, out in self.passed_over(agent).items()
            )
            raise ValueError(f"no such tool: {', '.join(unknown)}{meant}: {told}{left}")
        return ToolRegistry((known[name] for name in agent.tools), gate)

    def numbers(self, agent: Agent) -> dict[str, str]:
        """Whom the files have callers put through to, by name. Raises ToolsError."""
        return {
            name: to.number
            for tools in reversed(self.of(agent))
            for name, to in tools.destinations.items()
        }

    def tables(self, agent: Agent) -> dict[str, str]:
        """From which table each of the files' tools is, by the tool's name. Raises ToolsError."""
        return {
            name: table
            for tools in reversed(self.of(agent))
            for name, table in tools.tables.items()
        }

    def passed_over(self, agent: Agent) -> dict[str, list[str]]:
        """By table, what servers of the files tell that is no tool here though nobody has left it
        out by name: faults of theirs, and more than are taken. Raises ToolsError."""
        return {
            table: names
            for tools in self.of(agent)
            for table, left in tools.left_out.items()
            if table.startswith("mcp.")
            and (names := [name for name, why in left.items() if why != UNNAMED])
        }

    async def warm(self) -> None:
        """Make what the first uses would have to wait for."""
        for tools in list(self._loaded.values()):
            await tools.warm()

    async def aclose(self) -> None:
        """Close connections and threads."""
        for tools in self._loaded.values():
            await tools.aclose()
