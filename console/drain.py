"""`aybiza node drain`: empty a node of its calls, so that it can be stopped.

The node takes no new call at once: its webhook sends callers to other nodes, `/readyz` is 503. Its
calls may come to their end for `--timeout` seconds; what is left then is handed over to other nodes
as far as those have room. Prints a line a round. The node stays drained until `--undo` or its end;
a drain goes on if this command is broken off. Any node of the cluster may be named.

Exit codes: 0 no call is left on the node; 1 calls are left after the time, or the node could not be
asked; 2 there is no such node, or wrong usage.
"""

from __future__ import annotations

import json
import time
from typing import Annotated, Any

import typer

from aybiza.console import USAGE_ERROR
from aybiza.console.operate import AsJson, PortOption, operator, told_or_exit
from aybiza.console.page import counted, say
from aybiza.console.setup import settings_or_exit

POLL_SECONDS = 0.5
MARGIN_SECONDS = 3.0
MAX_SECONDS = 14_400.0

EXAMPLES = """\
\b
Examples:
  aybiza node drain back-1    wait 5 minutes for its calls, hand over the rest
  aybiza node drain back-1 --timeout 0    hand its calls over now
  aybiza node drain back-1 --undo         have it take calls again
Exit code 0: no call is left; 1: calls are left; 2: there is no such node.
"""


def drain(
    name: Annotated[str, typer.Argument(help="The node, as `aybiza node list` names it.")],
    timeout: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=MAX_SECONDS,
            help="Seconds in which calls may come to their end before they are handed over.",
        ),
    ] = 300.0,
    undo: Annotated[bool, typer.Option("--undo", help="Have the node take calls again.")] = False,
    port: PortOption = None,
    as_json: AsJson = False,
) -> None:
    """Empty a node of its calls: no new ones, the rest end or are handed over to other nodes."""
    from aybiza.actors.placement.drain import HAND_OVER_SECONDS

    if undo:
        _tell(name, _ask(port, {"op": "undrain", "node": name}), as_json=as_json)
        return
    progress = _ask(port, {"op": "drain", "node": name, "seconds": timeout})
    until = time.monotonic() + timeout + HAND_OVER_SECONDS + MARGIN_SECONDS
    told = -1
    while True:
        if progress["round"] != told or progress["state"] != "draining":
            told = progress["round"]
            _tell(name, progress, as_json=as_json)
        if progress["state"] != "draining" or time.monotonic() > until:
            break
        time.sleep(POLL_SECONDS)
        progress = _ask(port, {"op": "drain_progress", "node": name})
    if progress["state"] != "drained":
        left = progress["calls"] + progress["leaving"]
        many = f"{counted(left, 'call')} {'is' if left == 1 else 'are'}"
        say(f"aybiza: {many} left on {name}; {_why(progress)}", 8, err=True)
        raise typer.Exit(1)


def line(name: str, progress: dict[str, Any]) -> str:
    """A round for people."""
    counts = (
        f"{counted(progress['calls'], 'call')} here, {progress['leaving']} leaving, "
        f"{progress['ended']} ended, {progress['handed_over']} handed over"
    )
    lost = f", {progress['lost']} did not come back" if progress["lost"] else ""
    left = f"; {progress['seconds_left']:g} s left" if progress["seconds_left"] else ""
    return f"{name} {progress['state']}: {counts}{lost}{left}"


def _why(progress: dict[str, Any]) -> str:
    if progress["state"] == "up":
        return "the drain was undone"
    return "no other node has room for them"


def _tell(name: str, progress: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"node": name, **progress}))
    elif progress["state"] == "up":
        typer.echo(f"{name} takes calls")
    else:
        say(line(name, progress), 2)


def _ask(port: int | None, request: dict[str, Any]) -> dict[str, Any]:
    from aybiza.actors.node.client import ask_node
    from aybiza.actors.node.cookie import read_cookie

    settings = settings_or_exit()
    with told_or_exit():
        answer = ask_node(
            port or settings.cluster_port,
            {**request, "by": operator()},
            cookie=read_cookie(settings.cookie_file),
            address=settings.cluster_bind,
        )
    if "unknown" in answer:
        known = ", ".join(answer["nodes"])
        say(f"aybiza: there is no node {answer['unknown']!r}, but {known}", 8, err=True)
        raise typer.Exit(USAGE_ERROR)
    progress: dict[str, Any] = answer["progress"]
    return progress
