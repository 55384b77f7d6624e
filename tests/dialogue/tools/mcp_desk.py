"""A server of the Model Context Protocol, made with the SDK: a desk that looks up and writes down,
fails, and says much.

    python mcp_desk.py [--http PORT] [--notes FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import MCPServer

NOTES: list[Path] = []


def find(what: str) -> dict[str, Any]:
    """Looks something up."""
    return {"found": what, "token": os.environ.get("DESK_TOKEN", "")}


def note(text: str) -> str:
    """Writes something down."""
    with NOTES[0].open("a", encoding="utf-8") as file:
        file.write(f"{text}\n")
    return "written"


def odd() -> str:
    """Has a name that Converse refuses."""
    return "odd"


def fail() -> str:
    """Fails."""
    raise ValueError("the shelf is empty")


def huge(size: int) -> str:
    """Says much."""
    return "x" * size


def desk() -> MCPServer:
    """The server with its tools."""
    server = MCPServer("desk")

    for each in (find, note, fail, huge):
        server.add_tool(each)
    server.add_tool(odd, name="odd name/with.all")
    return server


def main() -> None:
    """Serve on the standard input and output, or on a port of this machine."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--http", type=int, default=0)
    parser.add_argument("--notes", type=Path, default=Path(os.devnull))
    given = parser.parse_args()
    NOTES.append(given.notes)
    server = desk()
    if given.http:
        asyncio.run(server.run_streamable_http_async(port=given.http))
    else:
        server.run("stdio")


if __name__ == "__main__":
    main()
