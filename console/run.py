"""`aybiza run`: the nodes of this machine, kept alive until they are told to stop.

One line goes to standard output, when all nodes take calls; the log goes to standard error.
Ctrl-C, SIGTERM, a hang-up of the terminal and `aybiza stop` end everything in order within 5 s; a
node with calls is drained first (AYBIZA_DRAIN_SECONDS): what does not end by itself is handed over
to other nodes. A second Ctrl-C ends it at once.

Exit codes: 0 stopped as asked; 1 the node did not start, was given up, did not stop in order, or a
process that keeps it was lost; 2 an option or a setting cannot be used.
"""

import ipaddress
import os
import sys
from enum import StrEnum
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from aybiza.console import USAGE_ERROR
from aybiza.console.page import say
from aybiza.console.setup import (
    agents_or_exit,
    certificate_or_exit,
    folder_or_exit,
    outbound_or_exit,
    policy_or_exit,
    prices_or_exit,
    quotas_or_exit,
    routes_or_exit,
    settings_or_exit,
    stand_in_or_exit,
    tools_or_exit,
)

ONE = "1"
NODE_MAIN = "aybiza.console.node:node_main"

EXAMPLES = """\
\b
Examples:
  aybiza run                  with Amazon Bedrock and Deepgram
  aybiza run --emulated       with loopback providers: no keys, no network
  aybiza run --emulated=scripted --http-port 3001 --media-port 8081
  aybiza run --cores auto     a node a core, all at ports 3000 and 8080
  aybiza run --nodes 2        two nodes, at ports 3000 and 3001, 8080 and 8081
  aybiza run --bind 10.0.0.2 --join 10.0.0.1:1900 --cookie-file cookie
"""


class EngineName(StrEnum):
    """The emulators' speech engines."""

    scripted = "scripted"
    acoustic = "acoustic"


def _one_interface(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        if ipaddress.IPv4Address(value).is_unspecified:
            raise ValueError
    except ValueError:
        raise typer.BadParameter(f"{value!r} is not the IPv4 address of one interface") from None
    return value


class RunCommand(TyperCommand):
    """The command, with `--emulated` alone standing for `--emulated=acoustic`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        bare = "--emulated"
        args = [f"{bare}={EngineName.acoustic.value}" if arg == bare else arg for arg in args]
        return super().parse_args(ctx, args)


def run(
    emulated: Annotated[
        EngineName | None,
        typer.Option(
            help="Start loopback providers and use them: real speech (acoustic, which"
            " --emulated alone means) or texts (scripted).",
            metavar="[=acoustic|scripted]",
            show_choices=False,
        ),
    ] = None,
    http_port: Annotated[
        int | None, typer.Option(help="Port of webhooks, health and metrics (AYBIZA_HTTP_PORT).")
    ] = None,
    media_port: Annotated[
        int | None, typer.Option(help="Port of the media websocket (AYBIZA_MEDIA_PORT).")
    ] = None,
    cluster_port: Annotated[
        int | None,
        typer.Option(
            "--cluster-port", "--port", help="Port of the actor system (AYBIZA_CLUSTER_PORT)."
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Name of the node; of several: the beginning (AYBIZA_NODE_NAME)."),
    ] = None,
    nodes: Annotated[
        str,
        typer.Option(help="How many nodes on this machine; auto: one a core.", metavar="N|auto"),
    ] = ONE,
    cores: Annotated[
        str | None,
        typer.Option(
            help="As --nodes, and callers come to all of them by one HTTP and one media port; the"
            " nodes' own are behind these.",
            metavar="N|auto",
            show_default=False,
        ),
    ] = None,
    cluster_bind: Annotated[
        str | None,
        typer.Option(
            "--cluster-bind",
            "--bind",
            help="Interface of the actor system: where other machines reach it"
            " (AYBIZA_CLUSTER_BIND).",
            callback=_one_interface,
        ),
    ] = None,
    join: Annotated[
        list[str] | None,
        typer.Option(
            help="A machine of the cluster to join; may be given several times (AYBIZA_JOIN).",
            metavar="HOST:PORT",
        ),
    ] = None,
    cookie_file: Annotated[
        str | None,
        typer.Option(help="File with the cluster's cookie, mode 0600 (AYBIZA_COOKIE_FILE)."),
    ] = None,
    allow_faults: Annotated[
        bool,
        typer.Option(
            "--allow-faults",
            help="Let `aybiza faults run --live` break the nodes (AYBIZA_ALLOW_FAULTS).",
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the line that says ready as a JSON object.")
    ] = False,
    start_limit: Annotated[
        float, typer.Option(min=0.1, help="Seconds that the node gets to open its doors.")
    ] = 20.0,
    silence_limit: Annotated[
        float, typer.Option(min=1.0, help="Seconds without a heartbeat before the node is killed.")
    ] = 5.0,
    stop_limit: Annotated[
        float,
        typer.Option(
            min=0.1, max=60.0, help="Seconds that a node without calls gets to end in order."
        ),
    ] = 3.0,
    max_restarts: Annotated[
        int, typer.Option(min=0, help="Restarts within 30 s before the node is given up.")
    ] = 5,
    node_main: Annotated[
        str,
        typer.Option(
            help="What runs in each node instead of phone agents (docs/runtime.md).",
            metavar="MODULE:FUNCTION",
            show_default=False,
        ),
    ] = NODE_MAIN,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run a node or several, keep them alive, and end them in order when told to.

    The nodes of all machines that join each other with the same cookie form a cluster. Prints one
    line when all nodes take calls. A node that crashes or hangs is started again.
    Ctrl-C and SIGTERM end it. Exit code 0: stopped as asked; 1: failed; 2: an option or a setting
    cannot be used.
    """
    overrides = {
        "AYBIZA_HTTP_PORT": http_port,
        "AYBIZA_MEDIA_PORT": media_port,
        "AYBIZA_CLUSTER_PORT": cluster_port,
        "AYBIZA_CLUSTER_BIND": cluster_bind,
        "AYBIZA_NODE_NAME": name,
        "AYBIZA_JOIN": ",".join(join) if join else None,
        "AYBIZA_COOKIE_FILE": cookie_file and os.path.abspath(cookie_file),
        "AYBIZA_ALLOW_FAULTS": "true" if allow_faults else None,
    }
    if cores is not None and nodes != ONE:
        raise typer.BadParameter("give one of the two", param_hint="--nodes and --cores")
    if parent is not None:
        from aybiza.actors.node.process import stop_with_parent

        stop_with_parent(parent)
    given = {variable: str(value) for variable, value in overrides.items() if value is not None}
    os.environ.update(given)
    settings = settings_or_exit()
    policy = policy_or_exit(settings)
    if node_main == NODE_MAIN:
        routes = routes_or_exit(settings)
        agents_or_exit(settings, routes, policy)
        certificate_or_exit(settings)
        folder_or_exit(settings)
        tools_or_exit(settings, routes)
        prices_or_exit(settings)
        outbound_or_exit(settings, emulated=emulated is not None)
        quotas_or_exit(settings, routes)
    else:  # a main of one's own is found where the command is given, as by `python -m`
        sys.path.insert(0, os.getcwd())
    if emulated is not None:
        stand_in_or_exit(settings)

    from aybiza.actors.node.messages import Limits
    from aybiza.config import logs
    from aybiza.console.become import Order, become
    from aybiza.console.machine import (
        MachineError,
        certificate_of,
        cookie_of,
        plans,
        seeds_of,
        shared_doors,
    )

    logs.start(settings.log_level, settings.log_format)
    try:
        planned = plans(settings, cores or nodes, shares=cores is not None)
        seeds = seeds_of(settings)
        cookie = cookie_of(settings)
        own = certificate_of(settings, cookie)
    except MachineError as error:
        say(f"aybiza run: {error}", 8, err=True)
        logs.stop()
        raise typer.Exit(USAGE_ERROR) from None
    runner = {
        "engine": None if emulated is None else emulated.value,
        "agent": settings.agent,
        "routes": settings.routes_file,
        "main": node_main,
        "port": settings.cluster_port,
        "address": settings.cluster_bind,
        "cookie": cookie,
        "nodes": planned,
        "seeds": seeds,
        "carrier": settings.cluster_carrier,
        "own": own,
        "shared": {} if cores is None else shared_doors(settings),
        "limits": Limits(
            start=start_limit, silence=silence_limit, stop=stop_limit, max_restarts=max_restarts
        ),
        "as_json": as_json,
    }
    order = Order(
        settings.log_level, settings.log_format, outside=node_main != NODE_MAIN, runner=runner
    )
    become(order)
