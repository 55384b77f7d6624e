"""`aybiza faults`: break calls by plans, and search for plans that break them.

Exit codes: 0 everything held; 1 something is broken; 2 a plan that cannot be used.
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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


RUN_EXAMPLE = "Example: aybiza faults run plan.toml --sequence"


@app.command("run", epilog=RUN_EXAMPLE)
def run(
    plans: Annotated[list[Path], typer.Argument(help="TOML files.")],
    show: Annotated[
        bool, typer.Option("--sequence", help="Print what happened, step by step.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a plan.")] = False,
) -> None:
    """Try plans, each on a node of its own, and tell what did not hold."""
    from aybiza.faults.sequence import sequence
    from aybiza.faults.trial import tried

    broken = False
    for path, plan in [(path, _load(path)) for path in plans]:
        outcome = tried(plan, messages=show)
        broken = broken or bool(outcome.broken)
        if as_json:
            told = {"plan": str(path), "broken": outcome.broken, "heard": outcome.heard}
            typer.echo(json.dumps({**told, "strikes": [str(s.fault) for s in outcome.strikes]}))
            continue
        if show:
            typer.echo("\n".join(sequence(outcome.happened)))
        typer.echo(f"{path}: {plan.title}")
        for strike in outcome.strikes:
            typer.echo(f"  {strike.at:7.2f} s  {strike.whom}, {strike.phase}: {strike.fault}")
        if not outcome.strikes and plan.faults:
            typer.echo("  no fault of it has struck")
        for line in outcome.heard.splitlines():
            typer.echo(f"  heard   {line}")
        for line in outcome.broken:
            typer.echo(f"  BROKEN  {line}")
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
        tell=typer.echo,
    )
    typer.echo("\n".join(result.coverage()))
    for kind, count in result.kinds.most_common():
        typer.echo(f"{count:6}  {kind}")
    typer.echo(f"{result.plans / max(result.seconds, 0.001) * 60:.0f} plans a minute")
    typer.echo(result.last_line())
    raise typer.Exit(int(result.broken > 0))


@app.command("kinds", epilog="Example: aybiza faults kinds")
def kinds() -> None:
    """List what can break."""
    from aybiza.faults.fault import KINDS

    for name, kind in KINDS.items():
        parameters = f" ({', '.join(kind.parameters)})" if kind.parameters else ""
        typer.echo(f"{name}{parameters}: {kind.meaning}")


def _load(path: Path) -> "Plan":
    from aybiza.faults.plan import PlanError, load

    try:
        return load(path)
    except PlanError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
