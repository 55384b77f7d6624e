"""`aybiza node list`, `drain` and `ports`: the cluster's nodes, and what listens here.

They ask this machine's NodeKeeper and its first node (AYBIZA_CLUSTER_PORT, AYBIZA_CLUSTER_BIND,
AYBIZA_COOKIE_FILE). `drain` is in `aybiza.console.drain`.
Exit codes: 0 done, 1 no node runs there or it did not answer, 2 wrong usage.
"""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aybiza.config.ports import SHARED
from aybiza.console.drain import EXAMPLES, drain
from aybiza.console.operate import AsJson, PortOption, told_or_exit
from aybiza.console.page import say
from aybiza.console.setup import settings_or_exit

if TYPE_CHECKING:
    from aybiza.console.listeners import Listener

app = typer.Typer(
    no_args_is_help=True,
    help="Show the cluster's nodes and everything that listens on this machine; drain a node.",
    epilog="Example: aybiza node list",
)
app.command("drain", epilog=EXAMPLES)(drain)

JOIN = "cluster: other machines join here"
CLUSTER = "cluster"
EMULATOR = "emulator, or a process below the node"


@app.command("list", epilog="Example: aybiza node list --json")
def list_command(port: PortOption = None, as_json: AsJson = False) -> None:
    """Show all nodes of the cluster with their states, as this machine's first node sees them."""
    kept, members = _asked(port, _kept_and_members)
    if as_json:
        typer.echo(json.dumps({"members": members, "kept": kept}))
        return
    for line in member_lines(members, kept):
        say(line, 2)


@app.command("ports", epilog="Example: aybiza node ports --policy")
def ports_command(
    port: PortOption = None,
    as_json: AsJson = False,
    policy: Annotated[
        bool, typer.Option("--policy", help="Show who may come in by each path; asks no node.")
    ] = False,
) -> None:
    """Show every TCP port on which this machine's nodes and their keepers listen."""
    if policy:
        _show_policy(as_json)
        return
    from aybiza.actors.node.binding import keeping_address
    from aybiza.actors.node.process import children_by_parent, descendants
    from aybiza.console.listeners import listeners, owner

    settings = settings_or_exit()
    number = port or settings.cluster_port
    kept, _ = _asked(port, _kept_and_members)
    admin = owner(number, keeping_address(settings.cluster_bind))
    admin = admin or owner(number, settings.cluster_bind)
    if admin is None:
        say(f"aybiza: the process on port {number} belongs to another user", 8, err=True)
        raise typer.Exit(1)
    parents = {pid: parent for parent, pids in children_by_parent().items() for pid in pids}
    command = parents[admin]
    pids = [command, admin, *(pid for pid in descendants(command) if pid != admin)]
    rows = port_rows(listeners(pids), kept, number, admin=admin, command=command)
    if as_json:
        typer.echo(json.dumps({"ports": rows}))
        return
    for row in rows:
        say("{address:>15}:{port:<5}  {process:12} pid {pid:<7}  {purpose}".format(**row), 50)


def _show_policy(as_json: bool) -> None:
    from aybiza.gateway.admission.policy import POLICY

    if as_json:
        typer.echo(json.dumps({"doors": [row.row() for row in POLICY]}))
        return
    for row in POLICY:
        say(f"{row.listener} {row.method} {row.path}", 4)
        for name in ("who", "proof", "cost", "refusal"):
            say(f"    {name:8} {row.row()[name]}", 13)


def member_lines(members: Sequence[dict[str, Any]], kept: Sequence[dict[str, Any]]) -> list[str]:
    """The table of `node list`, at most 80 columns: a line of figures and one of doors a node."""
    here = {each["node"]: each for each in kept}
    lines = [_ROW.format("NODE", "STATE", "MACHINE", "CALLS", "LATE", "MEMORY")]
    for member in members:
        own = here.pop(member["node"], None)
        load = member.get("load")
        doors = _doors(own) if own is not None else load["place"]["http"] if load else ""
        machine = member.get("machine", "")
        takes = (load["refusal"] or "takes calls") if load else ""
        lines += _node(member["node"], member["state"], machine, load, takes, doors)
    # A node that has not come up yet is known to its keeper only.
    for name, each in here.items():
        lines += _node(name, each["phase"], "", None, _doors(each))
    return [line.rstrip() for line in lines]


_ROW = "{:12}  {:8}  {:21}  {:>11}  {:>9}  {:>9}"
_NAME_COLUMNS = 12
_COLUMNS = 80


def _node(
    name: str, state: str, machine: str, load: dict[str, Any] | None, *details: str
) -> Iterator[str]:
    figures = ("", "", "")
    if load is not None:
        calls = f"{load['calls']}/{load['max_calls']}"
        figures = (calls, f"{load['lag_ms']:g} ms", f"{load['memory_mb']} MB")
    if len(name) > _NAME_COLUMNS:
        yield name
        name = ""
    yield _ROW.format(name, state, machine, *figures)
    told = "  ".join(detail for detail in details if detail)
    yield from textwrap.wrap(
        told,
        _COLUMNS,
        initial_indent="  ",
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def port_rows(
    found: Sequence[Listener],
    kept: Sequence[dict[str, Any]],
    cluster_port: int,
    *,
    admin: int,
    command: int,
    session: Callable[[int], int] = os.getsid,
) -> list[dict[str, Any]]:
    """What listens: `address`, `port`, `pid`, `process`, `purpose`.

    Thespian's processes are forks of the admin and stay in its `session`.
    """
    nodes = {each["pid"]: each for each in kept}
    rows = []
    for each in found:
        process, purpose = "keeper, log", CLUSTER
        if each.pid == admin:
            process, purpose = "admin", JOIN if each.port == cluster_port else CLUSTER
        elif each.pid == command:
            process = "aybiza run"
        elif each.pid in nodes:
            process = nodes[each.pid]["node"]
            purpose = _door(nodes[each.pid], each.port) or (
                JOIN if each.port == cluster_port else CLUSTER
            )
        elif shared := _shared_door(kept, each.port):
            process, purpose = "all nodes", shared
        elif session(each.pid) != session(admin):
            process, purpose = "other", EMULATOR
        rows.append({**each._asdict(), "process": process, "purpose": purpose})
    return rows


def _shared_door(kept: Sequence[dict[str, Any]], port: int) -> str | None:
    """The door of the whole machine at this port. Its socket is the keeper's and every node's."""
    names = (_door(node, port) for node in kept)
    return next((name for name in names if name and name.startswith(SHARED)), None)


def _door(node: dict[str, Any], port: int) -> str | None:
    for name, url in node["doors"].items():
        if f":{port}" in str(url):
            return str(name)
    return None


def _doors(node: dict[str, Any]) -> str:
    doors = " ".join(str(url) for name, url in node["doors"].items() if name != "node")
    return doors if node["pid"] is None else f"pid {node['pid']} {doors}".rstrip()


def _kept_and_members(port: int, **where: Any) -> tuple[Any, Any]:
    from aybiza.actors.node.client import ask_node, list_nodes

    kept = list_nodes(port, **where)
    return kept, ask_node(port, {"op": "members"}, **where)["members"]


def _asked(port: int | None, ask: Callable[..., tuple[Any, Any]]) -> tuple[Any, Any]:
    from aybiza.actors.node.cookie import read_cookie

    settings = settings_or_exit()
    with told_or_exit():
        cookie = read_cookie(settings.cookie_file)
        where = {"cookie": cookie, "address": settings.cluster_bind}
        return ask(port or settings.cluster_port, **where)
