"""`aybiza campaign check | run | status | stop`: calls to many numbers, by a file.

The node that runs on this machine places them (`AYBIZA_OUTBOUND_FILE`), or the one of its cluster
that does; what a file says is in `aybiza.config.outbound` and in `docs/outbound.md`. `check` asks
no node: with the rules in force it tells how many numbers could be called now, and why not others.

Exit codes: 0 done; 1 no node runs here, or it refused; 2 a file that cannot be used.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aybiza.console import USAGE_ERROR
from aybiza.console.operate import AsJson, NodeOption, PortOption, asked
from aybiza.console.page import counted, printable, say
from aybiza.console.setup import settings_or_exit

if TYPE_CHECKING:
    from aybiza.config.outbound import Campaign

EXAMPLE = "Example: aybiza campaign run reminders.toml"

app = typer.Typer(
    help="Call many numbers, by a campaign's file.", no_args_is_help=True, epilog=EXAMPLE
)
FileArgument = Annotated[Path, typer.Argument(help="The campaign's TOML file.")]
NameArgument = Annotated[str, typer.Argument(help="The campaign's name, or its file.")]


@app.command("check", epilog="Example: aybiza campaign check reminders.toml")
def check(file: FileArgument) -> None:
    """Read a campaign, and tell who of it could be called now by the rules in force."""
    campaign = _loaded(file)
    typer.echo(f"{campaign.name}: {counted(len(campaign.numbers), 'number')}")
    settings = settings_or_exit()
    if settings.outbound_file is None:
        say("AYBIZA_OUTBOUND_FILE names no rules, so it is not told who may be called", 2, err=True)
        return
    for reason, count in _held(campaign, settings.outbound_file).most_common():
        typer.echo(f"  {count:>6}  {reason}")


@app.command("run", epilog=EXAMPLE)
def run(file: FileArgument, port: PortOption = None, node: NodeOption = None) -> None:
    """Have the node run a campaign; again after a stop, it goes on where it was."""
    from aybiza.config.outbound import spec_of

    campaign = _loaded(file)
    request = {"op": "outbound", "do": "run", "campaign": spec_of(campaign)}
    answer = done(asked(port, request, node))
    typer.echo(f"{answer['running']} runs: {counted(answer['numbers'], 'number')}")


@app.command("stop", epilog="Example: aybiza campaign stop reminders")
def stop(name: NameArgument, port: PortOption = None, node: NodeOption = None) -> None:
    """Have the node begin no further call of a campaign; calls under way go on."""
    request = {"op": "outbound", "do": "stop", "name": _name(name)}
    typer.echo(f"{done(asked(port, request, node))['stopped']} is stopped")


@app.command("status", epilog="Example: aybiza campaign status")
def status(
    name: Annotated[str, typer.Argument(help="A campaign's name or file; without: all.")] = "",
    port: PortOption = None,
    node: NodeOption = None,
    as_json: AsJson = False,
) -> None:
    """Show what has come of campaigns, or of one with its last attempts; of single calls, too."""
    request = {"op": "outbound", "do": "status", "name": _name(name)}
    answer = done(asked(port, request, node))
    if as_json:
        typer.echo(json.dumps(answer))
        return
    for line in status_lines(answer):
        typer.echo(printable(line))


def done(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer; one that says why nothing was done ends the command with 1."""
    if "refused" in answer:
        say(printable(f"aybiza: not done ({answer['refused']}): {answer['words']}"), 8, err=True)
        raise typer.Exit(1)
    return answer


def status_lines(answer: dict[str, Any]) -> list[str]:
    """The table of `status`."""
    lines = [f"{'campaign':<20}{'state':<9}{'numbers':>8}{'attempts':>9}{'waiting':>8}  outcomes"]
    for row in answer["campaigns"]:
        outcomes = ", ".join(f"{count} {name}" for name, count in row["outcomes"].items())
        name, numbers = row["name"] or "(single calls)", row["numbers"] or ""
        line = f"{name:<20}{row['state']:<9}{numbers:>8}{row['attempts']:>9}"
        lines.append(f"{line}{row.get('waiting', ''):>8}  {outcomes}".rstrip())
        held = ", ".join(f"{count} {reason}" for reason, count in row.get("held", {}).items())
        lines += [f"  held back: {held}"] if held else []
    for attempt in answer["attempts"]:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(attempt["at"]))
        told = f"  {at}  {attempt['to']:<16} {attempt['outcome']:<13} {attempt['call']}"
        code = f" code {attempt['code']}" if attempt["code"] else ""
        lines.append(f"{told}{code}".rstrip())
    return lines


def _loaded(file: Path) -> Campaign:
    from aybiza.config.outbound import OutboundError, load_campaign
    from aybiza.config.phone_numbers import NumbersMissing

    try:
        return load_campaign(file)
    except OutboundError as error:
        problems = error.problems
    except NumbersMissing as error:
        problems = [str(error)]
    for problem in problems:
        say(problem, 4, err=True)
    raise typer.Exit(USAGE_ERROR)


def _name(name: str) -> str:
    return _loaded(Path(name)).name if name.endswith(".toml") else name


def _held(campaign: Campaign, file: Path) -> Counter[str]:
    """How many of its numbers could be called now, and how many not for which reason."""
    from aybiza.config.outbound import OutboundError, load_rules
    from aybiza.dialogue.outbound.permission import Asked, Standing, held_back

    try:
        rules = load_rules(file)
    except OutboundError as error:
        for problem in error.problems:
            say(f"AYBIZA_OUTBOUND_FILE: {problem}", 4, err=True)
        raise typer.Exit(USAGE_ERROR) from None
    standing = Standing(rules.file.own_numbers, rules.opt_in, rules.do_not_call, rules.file)
    found: Counter[str] = Counter()
    for number in campaign.numbers:
        asked_ = Asked(number, campaign.file.from_number, campaign.name, campaign.file)
        held = held_back(asked_, standing, (), time.time())
        found["may be called now" if held is None else held.reason] += 1
    return found
