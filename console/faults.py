"""`aybiza faults`: break calls by plans, and search for plans that break them.

Exit codes: 0 everything held; 1 something is broken, or a running node refuses or is lost; 2 a plan
or an option that cannot be used.
"""

import json
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aybiza.console.operate import NodeOption, PortOption
from aybiza.console.page import printable, say
from aybiza.console.setup import settings_or_exit

if TYPE_CHECKING:
    from aybiza.faults.plan import Plan

app = typer.Typer(
    epilog="Example: aybiza faults explore --seed 1 --minutes 5",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def faults() -> None:
    """Break calls on a node in virtual time, and see what the caller hears."""


RUN_EXAMPLE = """\
\b
Examples:
  aybiza faults run plan.toml --sequence    on a node in virtual time
  aybiza faults run plan.toml --live        on this node, with its own callers
  aybiza faults run plan.toml --cluster     on all nodes of its cluster
  aybiza faults run --stop                  end what runs
"""


@app.command("run", epilog=RUN_EXAMPLE)
def run(
    plans: Annotated[list[Path] | None, typer.Argument(help="TOML files.")] = None,
    show: Annotated[
        bool, typer.Option("--sequence", help="Print what happened, step by step.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a plan.")] = False,
    live: Annotated[
        bool, typer.Option("--live", help="On a running node, started with --allow-faults.")
    ] = False,
    cluster: Annotated[
        bool, typer.Option("--cluster", help="On all nodes of the running node's cluster.")
    ] = False,
    stop: Annotated[bool, typer.Option("--stop", help="End the plan that runs there.")] = False,
    seconds: Annotated[
        float, typer.Option(min=1, max=3600, help="How long a plan runs on a running node at most.")
    ] = 60.0,
    port: PortOption = None,
    node: NodeOption = None,
) -> None:
    """Try plans, each on a node of its own in virtual time, and tell what did not hold; or break
    running nodes by them, and tell what their supervisors did."""
    if live or cluster or stop or node is not None or port is not None:
        _live(plans or [], port, node, cluster, stop, seconds, show=show, as_json=as_json)
        return
    if not plans:
        raise typer.BadParameter("name a plan's file")
    from aybiza.faults.sequence import sequence
    from aybiza.faults.trial import tried

    broken = False
    for path, plan in [(path, _load(path)) for path in plans]:
        if only := [fault.what for fault in plan.faults if fault.kind.only == "live"]:
            say(f"{path}: {only[0]} can be done on a running node only: --live", 8, err=True)
            raise typer.Exit(2)
        outcome = tried(plan, messages=show)
        broken = broken or bool(outcome.broken)
        if as_json:
            told = {"plan": str(path), "broken": outcome.broken, "heard": outcome.heard}
            typer.echo(json.dumps({**told, "strikes": [str(s.fault) for s in outcome.strikes]}))
            continue
        if show:
            typer.echo("\n".join(map(printable, sequence(outcome.happened))))
        say(f"{path}: {plan.title}", 2)
        for strike in outcome.strikes:
            say(f"  {strike.at:7.2f} s  {strike.whom}, {strike.phase}: {strike.fault}", 13)
        if not outcome.strikes and plan.faults:
            typer.echo("  no fault of it has struck")
        for line in outcome.heard.splitlines():
            say(f"  heard   {line.rstrip()}", 10)
        if not outcome.broken:
            typer.echo("  ok      all that must hold of a call has held")
        for line in outcome.broken:
            say(f"  BROKEN  {line}", 10)
    raise typer.Exit(int(broken))


EXPLORE_EXAMPLE = "Example: aybiza faults explore --seed 1 --minutes 5 --folder found"


@app.command("explore", epilog=EXPLORE_EXAMPLE)
def explore(
    seed: Annotated[int, typer.Option(help="Which plans; the same seed, the same plans.")] = 1,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="How long to search.")] = None,
    plans: Annotated[int | None, typer.Option(min=1, help="How many plans to try.")] = None,
    folder: Annotated[Path, typer.Option(help="Where plans that break are written.")] = Path(
        "found"
    ),
    jobs: Annotated[int | None, typer.Option(min=1, max=64, help="Processes; all cores.")] = None,
) -> None:
    """Try random plans over random calls; shrink what breaks, and write it as TOML files."""
    from aybiza.faults.explore import explore as search

    if minutes is None and plans is None:
        minutes = 1.0
    result = search(
        seed,
        minutes=minutes,
        plans=plans,
        folder=folder,
        jobs=jobs or os.cpu_count() or 1,
        tell=partial(say, under=2),
    )
    for line in [*result.coverage(), *result.gaps(), *result.pairs()]:
        say(line, 4)
    for kind, count in result.kinds.most_common():
        say(f"{count:6}  {kind}", 8)
    typer.echo(f"{result.plans / max(result.seconds, 0.001) * 60:.0f} plans a minute")
    typer.echo(result.last_line())
    raise typer.Exit(int(result.broken > 0))


@app.command("kinds", epilog="Example: aybiza faults kinds")
def kinds() -> None:
    """List what can break."""
    from aybiza.faults.fault import KINDS

    for name, kind in KINDS.items():
        parameters = f" ({', '.join(kind.parameters)})" if kind.parameters else ""
        say(f"{name}{parameters}: {kind.meaning}{_ONLY[kind.only]}", 4)


_ONLY = {"": "", "world": " (in virtual time only)", "live": " (on a running node only)"}


def _live(
    plans: list[Path],
    port: int | None,
    node: str | None,
    cluster: bool,
    stop: bool,
    seconds: float,
    *,
    show: bool,
    as_json: bool,
) -> None:
    from aybiza.actors.node.cookie import read_cookie
    from aybiza.console import live_faults
    from aybiza.console.operate import told_or_exit

    if len(plans) != (0 if stop else 1):
        wanted = (
            "--stop takes no plan" if stop else "name one plan's file: a node has one at a time"
        )
        raise typer.BadParameter(wanted)
    settings = settings_or_exit()
    tell = (lambda _: None) if as_json else partial(say, under=2)
    try:
        with told_or_exit():
            cookie = read_cookie(settings.cookie_file)
            number = port or settings.cluster_port
            where = live_faults.Where(number, cookie, settings.cluster_bind, node)
            if stop:
                reports = live_faults.stop(where, cluster=cluster)
            else:
                reports = live_faults.run(
                    plans[0], where, seconds=seconds, cluster=cluster, tell=tell
                )
    except live_faults.WrongPlan as error:
        say(str(error), 8, err=True)
        raise typer.Exit(2) from None
    except live_faults.Refused as error:
        say(f"aybiza: {error}", 8, err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps({"nodes": reports}))
    for name, report in {} if as_json else reports.items():
        for line in live_faults.lines(name, report):
            say(line, 13)
        if show:
            typer.echo("\n".join(map(printable, report.get("sequence", []))))
    failed = any(report["undone"] or report.get("lost") for report in reports.values())
    raise typer.Exit(int(failed))


def _load(path: Path) -> "Plan":
    from aybiza.faults.plan import PlanError, load

    try:
        return load(path)
    except PlanError as error:
        say(str(error), 8, err=True)
        raise typer.Exit(2) from None
