"""A server of the Model Context Protocol without the SDK, which misbehaves once a tool is run.

python mcp_rogue.py WAY     flood, long, garbage, silent (never answers), heirs (leaves a child)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any


def say(message: dict[str, Any]) -> None:
    """A line of its output."""
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def main() -> None:
    """Serve until the input ends."""
    way = sys.argv[1]
    if way == "silent":
        time.sleep(3600)
    for line in sys.stdin:
        asked = json.loads(line)
        match asked.get("method"):
            case "initialize":
                version = asked["params"]["protocolVersion"]
                info = {"name": "rogue", "version": "1"}
                told = {"tools": {"listChanged": True}}
                result = {"protocolVersion": version, "capabilities": told, "serverInfo": info}
                say({"id": asked["id"], "result": result})
            case "tools/list":
                schema = {"type": "object", "title": str(CHANGED)}
                tool = {"name": "go", "description": "Go.", "inputSchema": schema}
                say({"id": asked["id"], "result": {"tools": [tool]}})
            case "tools/call":
                WAYS[way](asked["id"])
            case _ if "id" in asked:
                say({"id": asked["id"], "error": {"code": -32601, "message": "none"}})


def flood(_: Any) -> None:
    """The same notification for ever."""
    while True:
        say({"method": "notifications/tools/list_changed"})


def long(_: Any) -> None:
    """A line without an end."""
    while True:
        sys.stdout.write("x" * 65536)


def garbage(number: Any) -> None:
    """Lines that are no messages, answers to what nobody asked, and then the answer."""
    print("Traceback: {[", flush=True)
    say({"id": 4711, "result": {}})
    say({"result": {}})
    content = [
        {"type": "text", "text": '{"went": true}'},
        {"type": "image", "data": "", "mimeType": ""},
    ]
    say({"id": number, "result": {"content": content}})


def heirs(number: Any) -> None:
    """A child that outlives it."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    say({"id": number, "result": {"content": [{"type": "text", "text": str(child.pid)}]}})


def die(_: Any) -> None:
    """At once."""
    os._exit(3)


def hang(_: Any) -> None:
    """No answer."""


def change(number: Any) -> None:
    """Other input from now on, which is told."""
    CHANGED.append(True)
    say({"method": "notifications/tools/list_changed"})
    say({"id": number, "result": {"content": []}})


CHANGED: list[bool] = []
WAYS = {each.__name__: each for each in (flood, long, garbage, heirs, die, hang, change)}

if __name__ == "__main__":
    main()
