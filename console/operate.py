"""`aybiza tree`, `calls`, `observe`, `kill`, `stop`: look into a node and act on it.

They ask the node on this machine's cluster port (AYBIZA_CLUSTER_PORT). Exit codes: 0 done, 1 no
node runs there or it refused, 2 wrong usage, such as the name of a node that is not kept there.
"""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any, TypeVar

import typer

from aybiza.console import USAGE_ERROR
from aybiza.console.page import COLUMNS, counted, say, width
from aybiza.console.setup import settings_or_exit

T = TypeVar("T")

AsJson = Annotated[bool, typer.Option("--json", help="Print the node's answer as JSON.")]
PortOption = Annotated[
    int | None, typer.Option(help="Port of the actor system (AYBIZA_CLUSTER_PORT).")
]

NodeOption = Annotated[
    str | None, typer.Option(help="Which of the machine's nodes; without it: the first.")
]
CallsNodeOption = Annotated[
    str | None, typer.Option(help="Which of the machine's nodes; without it: all.")
]
ProcessNodeOption = Annotated[
    str | None, typer.Option(help="Which of the machine's nodes; without it: the one that has it.")
]
ProcessArgument = Annotated[
    str, typer.Argument(help="Pid (`aybiza tree` shows it), name, call:CA… or speaker:CA…")
]

SHOWN_OF_A_LIST = 10


def tree(port: PortOption = None, node: NodeOption = None, as_json: AsJson = False) -> None:
    """Show the processes of the node as the tree they stand in."""
    node, *others = _meant(port, node)
    answer = asked(port, {"op": "tree"}, node)
    if as_json:
        typer.echo(json.dumps(answer))
        return
    for line in tree_lines(answer["processes"], width()):
        typer.echo(line)
    if others:
        say(f"this is {node}; --node shows {', '.join(map(str, others))}", 2, err=True)


def calls(port: PortOption = None, node: CallsNodeOption = None, as_json: AsJson = False) -> None:
    """Show the calls of the machine's nodes and where each stands."""
    nodes = _meant(port, node)
    answers = [asked(port, {"op": "calls"}, each) for each in nodes]
    answer = {"calls": [call for each in answers for call in each["calls"]]}
    if as_json:
        typer.echo(json.dumps(answer))
        return
    for line in call_lines(answer["calls"]):
        say(line, 4)
    if len(nodes) > 1:
        say(f"on {', '.join(map(str, nodes))}; --node shows those of one", 2)


def observe(
    process: ProcessArgument,
    port: PortOption = None,
    node: ProcessNodeOption = None,
    as_json: AsJson = False,
) -> None:
    """Show all about one process: what it does, whom it is tied to, what waits for it."""
    answer = ask_about(port, {"op": "observe", "process": process}, node)
    if as_json:
        typer.echo(json.dumps(answer))
        return
    for line in observed_lines(answer):
        say(line, 17)


def kill(
    process: ProcessArgument,
    reason: Annotated[str, typer.Option(help="Exit reason; `kill` cannot be trapped.")] = "kill",
    port: PortOption = None,
    node: ProcessNodeOption = None,
    as_json: AsJson = False,
) -> None:
    """End a process of the node, to see what its supervisor does."""
    request = {"op": "kill", "process": process, "reason": reason}
    answer = ask_about(port, request, node)
    if as_json:
        typer.echo(json.dumps(answer))
    else:
        say(killed_line(answer), 2)


def stop(
    port: PortOption = None,
    node: Annotated[
        str | None,
        typer.Option(help="End this one of the machine's nodes for good; without it: all."),
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for the end.")] = 10.0,
) -> None:
    """Stop the machine's nodes in order, and with them `aybiza run`; with --node one of them."""
    from aybiza.actors.node.client import stop_node

    others = _at_the_node(port, partial(stop_node, timeout=timeout, node=node))
    if node is not None:
        goes_on = ", ".join(others) + (" goes on" if len(others) == 1 else " go on")
        say(f"{node} has ended; {goes_on if others else '`aybiza run` ends with it'}", 2)
    else:
        say("all nodes of this machine have ended, and `aybiza run` with them", 2)


def call_lines(calls: list[dict[str, Any]]) -> list[str]:
    """The calls, one line each under a header, and how many there are."""
    count = counted(len(calls), "call")
    if not calls:
        return [count]
    rows = [
        (
            str(call.get("call_id") or call.get("pid")),
            str(call["phase"]),
            "" if call.get("turn") is None else str(call["turn"]),
            call.get("caller", ""),
            _span(call.get("seconds")),
        )
        for call in calls
    ]
    table = [("CALL", "PHASE", "TURN", "CALLER", "FOR"), *rows]
    return [*(_CALL_ROW.format(*row).rstrip() for row in table), count]


_CALL_ROW = "{:34}  {:12}  {:>4}  {:8}  {}"


def _span(seconds: int | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min {seconds % 60} s"


_UNITS = {
    "memory": "bytes",
    "mailbox_length": "messages",
    "reductions": "messages taken",
    "max_seconds": "s",
}
"""What a figure of a process counts, where its name does not say so."""


def observed_lines(process: dict[str, Any]) -> list[str]:
    """What is known of a process, one line a fact; what there is none of is left out."""
    facts = {name: value for name, value in process.items() if name != "statistics"}
    facts |= process["statistics"] or {}
    return [
        f"{name.replace('_', ' '):15}  {_fact(value)}{' ' + _UNITS[name] if name in _UNITS else ''}"
        for name, value in facts.items()
        if value is not None and value != []
    ]


def _fact(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case list():
            more = len(value) - SHOWN_OF_A_LIST
            return ", ".join(value[:SHOWN_OF_A_LIST]) + (f" and {more:,} more" if more > 0 else "")
        case dict():
            return ", ".join(f"{name} {count:,}" for name, count in value.items())
    return str(value)


def killed_line(answer: dict[str, Any]) -> str:
    """What became of a killed process, for people."""
    killed = f"killed {answer['killed']} ({answer['name']})"
    if answer["back"] is None:
        return f"{killed}; nobody has taken its place"
    return f"{killed}; {answer['back']} took its place after {answer['after_ms']} ms"


def tree_lines(processes: list[dict[str, Any]], columns: int = COLUMNS) -> list[str]:
    """The tree, drawn with lines; a name that would not fit stands below its process."""
    lines: list[str] = []
    for index, process in enumerate(processes):
        depth = process["depth"]
        # A branch goes on below if a later process stands on it before the tree turns back.
        bars = "".join(
            "│  " if _goes_on(processes, index, level) else "   " for level in range(1, depth)
        )
        fork = "" if depth == 0 else ("├─ " if _goes_on(processes, index, depth) else "└─ ")
        name = f"  {process['name']}" if process["name"] else ""
        lines.append(f"{bars}{fork}{process['server']} {process['pid']}{name}")
        if len(lines[-1]) > columns:
            below = "" if depth == 0 else ("│  " if _goes_on(processes, index, depth) else "   ")
            child = "│  " if _goes_on(processes, index, depth + 1) else "   "
            lines[-1] = lines[-1].removesuffix(name)
            lines.append(f"{bars}{below}{child}{name}")
    return lines


def _goes_on(processes: list[dict[str, Any]], index: int, level: int) -> bool:
    for later in processes[index + 1 :]:
        if later["depth"] <= level:
            return bool(later["depth"] == level)
    return False


def ask_about(port: int | None, request: dict[str, Any], node: str | None) -> dict[str, Any]:
    """Ask the node that is meant about the process that the request names."""
    from aybiza.console.addresses import is_pid

    which = request["process"]
    if node is not None:
        return asked(port, {**request, "node": node}, node)
    return asked(port, request, None if is_pid(which) else node_with(port, which))


def node_with(port: int | None, which: str) -> str | None:
    """The machine's node that has a process of this name, None if none has; ends the command where
    several have."""
    from aybiza.actors.node.client import nodes_with

    nodes = _at_the_node(port, partial(nodes_with, process=which))
    if len(nodes) > 1:
        several = f"{', '.join(nodes[:-1])} and {nodes[-1]} each have"
        say(f"aybiza: {several} a process {which!r}: say which with --node", 8, err=True)
        raise typer.Exit(1)
    return nodes[0] if nodes else None


def asked(port: int | None, request: dict[str, Any], node: str | None = None) -> dict[str, Any]:
    """What the node answers; ends the command with 1 where there is none, or it refuses."""
    from aybiza.actors.node.client import ask_node

    return _at_the_node(port, partial(ask_node, request={**request, "by": operator()}, node=node))


def _meant(port: int | None, node: str | None) -> list[str | None]:
    """The node that is named, else those of the machine that are up. None: the first to answer."""
    from aybiza.actors.node.client import nodes_up

    return [node] if node is not None else [*_at_the_node(port, nodes_up)] or [None]


def doors_of(port: int | None) -> dict[str, str]:
    """The addresses of the first node that is up here; ends the command as `asked` does."""
    from aybiza.actors.node.client import list_nodes

    up = [each for each in _at_the_node(port, list_nodes) if each["phase"] == "up"]
    if not up or "media" not in up[0]["doors"]:
        say("aybiza: no node that takes calls is up here", 8, err=True)
        raise typer.Exit(1)
    doors: dict[str, str] = up[0]["doors"]
    return doors


def operator() -> str:
    """Who gives this command, by the machine's account: for the audit trail."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _at_the_node(port: int | None, ask: Callable[..., T]) -> T:
    from aybiza.actors.node.cookie import read_cookie

    settings = settings_or_exit()
    with told_or_exit():
        cookie = read_cookie(settings.cookie_file)
        number = port or settings.cluster_port
        return ask(number, cookie=cookie, address=settings.cluster_bind)


@contextmanager
def told_or_exit() -> Iterator[None]:
    """Why a node could not be asked is told, and ends the command: with 2 for a cookie that cannot
    be used or a name of no node that is kept there, with 1 for all else."""
    from aybiza.actors.node.client import NodeError, NodeUnknown
    from aybiza.actors.node.cookie import CookieError

    try:
        yield
    except (CookieError, NodeError) as error:
        say(f"aybiza: {error}", 8, err=True)
        misused = isinstance(error, CookieError | NodeUnknown)
        raise typer.Exit(USAGE_ERROR if misused else 1) from None
