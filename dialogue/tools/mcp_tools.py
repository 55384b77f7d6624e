"""Tools of servers of the Model Context Protocol: a table `[mcp.NAME]` of a tools' file.

    [mcp.tickets]
    command = "ticket-server"              # or: url = "https://tickets.example.org/mcp"
    args = ["--read-only"]
    env = { TICKETS_TOKEN = "TICKETS" }    # its variables, from ours by name
    only = ["find", "open"]                # left out: all
    reads = ["find"]                       # that change nothing; all others ask the caller first

What a server says of its tools is not believed: whether one changes something stands in the file.
Names are made such as Converse takes, behind the table's; a tool that cannot be one is left out, by
name and with the reason. Descriptions are the server's, cut: look at them with `aybiza tools try`
before a model is told them.

Errors: `ValueError` for a table that cannot be used.
Source: Model Context Protocol, "Tools"; specification 001, "MCP Connectors".
"""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aybiza.dialogue.tool_registry import Tool, ToolRegistry
from aybiza.dialogue.tools.openapi import name_of, unique

if TYPE_CHECKING:
    from aybiza.dialogue.tool_run import ToolRun
    from aybiza.dialogue.tools.mcp_listed import Listed
    from aybiza.dialogue.tools.mcp_server import McpServer
    from aybiza.dialogue.tools.tools_file import Environment, McpTable

DESCRIPTION_CHARACTERS: Final = 1_000
LONGEST_NAME: Final = 64

Call = Callable[[str, Mapping[str, Any], float], Awaitable[dict[str, Any]]]


def mcp_server(name: str, table: McpTable, folder: Path, environment: Environment) -> McpServer:
    """The server of a table, started. Blocks. Raises ValueError."""
    if find_spec("mcp") is None:
        raise ValueError("the SDK is not installed: pip install 'aybiza[mcp]'")
    from aybiza.dialogue.tools import mcp_transports
    from aybiza.dialogue.tools.mcp_server import Connect, McpServer

    connect: Connect
    if table.command is not None:
        own = {key: _variable(ours, environment) for key, ours in table.env.items()}
        connect = partial(mcp_transports.stdio, table.command, tuple(table.args), own, folder)
    else:
        headers = {**table.headers, **table.auth.headers(environment)}
        url = table.url or ""

        def connect(ended: Any) -> Any:
            return mcp_transports.http(url, headers)

    server = McpServer(name, connect, table.only)
    server.start()
    return server


def tools_of(
    name: str,
    listed: Sequence[Listed],
    call: Call,
    *,
    only: Sequence[str] | None = None,
    reads: Sequence[str] = (),
    seconds: float = 5.0,
    left_out: dict[str, str] | None = None,
) -> list[Tool]:
    """The tools of a server that has `listed` these; `call` runs one. left_out: what else it told
    and why that is none; what cannot be one is put to it. Raises ValueError for names in `only` or
    `reads` that it has not."""
    left = left_out if left_out is not None else {}
    known = {tool.name: tool for tool in listed}
    _there([*known, *left], [*(only or ()), *reads])
    made: list[Tool] = []
    taken: set[str] = set()
    for tool in known.values():
        short = unique(f"{name}_{name_of(tool.name)}"[:LONGEST_NAME], taken)
        one = _tool(short, tool, call, tool.name in reads, seconds)
        try:
            ToolRegistry([one])
        except ValueError as fault:
            left[tool.name] = str(fault).removeprefix(f"{short}: ")
            continue
        taken.add(short)
        made.append(one)
    return made


def _tool(name: str, tool: Listed, call: Call, reads: bool, seconds: float) -> Tool:
    async def run(given: dict[str, Any], use: ToolRun) -> dict[str, Any]:
        return await call(tool.name, given, seconds)

    description = " ".join(tool.description.split())[:DESCRIPTION_CHARACTERS]
    return Tool(
        name,
        description or tool.name,
        run,
        # A server need not say that it is an object's: it cannot be another's.
        {"type": "object", **tool.schema},
        effect="none" if reads else "write",
        seconds=seconds,
    )


def _there(known: Sequence[str], names: Iterable[str]) -> None:
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            meant = f"did you mean {near[0]}?" if near else f"it has {', '.join(known) or 'none'}"
            raise ValueError(f"the server has no tool {name!r}; {meant}")


def _variable(name: str, environment: Environment) -> str:
    value = environment.get(name, "")
    if not value:
        raise ValueError(f"the environment variable {name} is not set")
    return value
