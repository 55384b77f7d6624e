"""`aybiza dial`: place calls, by the node to a telephone number, or to the node by phone scripts.

    aybiza dial +14155552671 --agent clinic     the node on this machine calls this number
    aybiza dial booking                         a script's caller calls a node, and judges it

What begins with a plus is a number. The node asks its carrier to call it, if its rules allow that
(`docs/outbound.md`); the exit code is 1 if not. The rest is about scripts.

Each script is played on a node of its own in virtual time; with `--live` by telephones that call
the node which runs on this machine, in real time and over its media websocket, with `--url` one
elsewhere. The emulators of a node that was started with `--emulated=scripted` are told what its
model says. How to write a script is in `docs/scripts.md`.

Exit codes: 0 all that was expected held; 1 something did not; 2 a script that cannot be used.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from aybiza.config.escapes import json_text
from aybiza.console.operate import NodeOption, PortOption, asked, doors_of
from aybiza.console.page import COLUMNS, say

if TYPE_CHECKING:
    from aybiza.faults.phone_script import PhoneScript, Verdict

EXAMPLE = "Example: aybiza dial --all --live"
SLACK_MS = 500.0


def dial(
    scripts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NUMBER | SCRIPTS",
            help="A number to call, such as +14155552671; or names of scripts, or TOML files.",
        ),
    ] = None,
    agent: Annotated[
        str | None, typer.Option(help="With a number: who speaks, a route or an agent of the node.")
    ] = None,
    from_number: Annotated[
        str | None, typer.Option("--from", help="With a number: the own number that is shown.")
    ] = None,
    node: NodeOption = None,
    every: Annotated[
        bool, typer.Option("--all", help="Play all scripts that come with it.")
    ] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Call the node that runs on this machine.")
    ] = False,
    port: PortOption = None,
    url: Annotated[
        str | None, typer.Option(help="Call a node elsewhere: ws://host:port/media.")
    ] = None,
    bedrock: Annotated[
        str | None, typer.Option(help="With --url: that node's Bedrock emulator, http://…")
    ] = None,
    deepgram: Annotated[
        str | None, typer.Option(help="With --url: its Deepgram emulator, ws://…")
    ] = None,
    at_once: Annotated[
        int, typer.Option("--at-once", min=1, max=100, help="With --url: calls at a time.")
    ] = 4,
    slack_ms: Annotated[
        float, typer.Option(min=0, help="With --url: added to all limits of time.")
    ] = SLACK_MS,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Call a number by the node; or play phone scripts, and judge what was heard, and how soon."""
    from aybiza.faults.phone_script import names
    from aybiza.faults.plan import PlanError

    if any(name.startswith("+") for name in scripts or ()):
        _call(scripts or [], agent, from_number, port, node)
        return
    if agent is not None or from_number is not None:
        raise typer.BadParameter("--agent and --from are for a number", param_hint="--agent")
    if live and url is not None:
        raise typer.BadParameter("--live and --url name two nodes", param_hint="--live")
    wanted = names() if every else list(scripts or [])
    if not wanted:
        known = f"Name a script, or --all of them: {', '.join(names())}"
        say(known, err=True)
        raise typer.Exit(2)
    try:
        loaded = _loaded(wanted)
    except PlanError as error:
        say(str(error), 4, err=True)
        raise typer.Exit(2) from None
    emulated = (bedrock, deepgram) if bedrock and deepgram else None
    if live:
        url, emulated = _live(port, emulated)
    if url is None:
        verdicts = list(_played(loaded, quiet=as_json))
    else:
        verdicts = _called(loaded, url, emulated, at_once, slack_ms)
        if not as_json:
            _head()
            for verdict in verdicts:
                _row(verdict)
    wrong = sum(bool(verdict.wrong) for verdict in verdicts)
    if as_json:
        rows = [{**asdict(verdict), "result": verdict.result} for verdict in verdicts]
        typer.echo(json_text({"scripts": rows, "wrong": wrong}, 2))
    else:
        skipped = sum(bool(verdict.skipped) for verdict in verdicts)
        told = f"{len(verdicts) - skipped} played, {wrong} wrong"
        typer.echo(told + (f", {skipped} skipped" if skipped else ""))
    raise typer.Exit(int(wrong > 0))


def _call(
    given: list[str], agent: str | None, own: str | None, port: int | None, node: str | None
) -> None:
    """Have the node call a number."""
    from aybiza.console.campaign import done

    if len(given) != 1:
        raise typer.BadParameter("one number at a time; many are a campaign", param_hint="NUMBER")
    if agent is None:
        raise typer.BadParameter("--agent says who speaks", param_hint="--agent")
    request = {"op": "outbound", "do": "dial", "to": given[0], "agent": agent, "from": own or ""}
    answer = done(asked(port, request, node))
    typer.echo(f"attempt {answer['attempt']}: the carrier is asked; `aybiza campaign status` tells")


def _live(port: int | None, emulated: tuple[str, str] | None) -> tuple[str, tuple[str, str] | None]:
    """The media door of the node that runs here, and its emulators, if it has any."""
    own = asked(port, {"op": "emulators"})["emulators"]
    return doors_of(port)["media"], emulated or ((own["bedrock"], own["deepgram"]) if own else None)


def _loaded(wanted: list[str]) -> "list[PhoneScript]":
    from aybiza.faults.phone_script import load

    return [load(name) for name in wanted]


def _played(scripts: "list[PhoneScript]", *, quiet: bool) -> "Iterator[Verdict]":
    from aybiza.faults.phone_script import played

    if not quiet:
        _head()
    for script in scripts:
        verdict = played(script)
        if not quiet:
            _row(verdict)
        yield verdict


def _called(
    scripts: "list[PhoneScript]",
    url: str,
    emulated: tuple[str, str] | None,
    at_once: int,
    slack_ms: float,
) -> "list[Verdict]":
    from aybiza.faults.dialled import Emulated, NotDialled, called

    known = Emulated(*emulated) if emulated else None
    try:
        return called(scripts, url, known, at_once=at_once, slack_ms=slack_ms)
    except NotDialled as error:
        say(str(error), 4, err=True)
        raise typer.Exit(2) from None
    except OSError as error:
        say(f"An emulator cannot be reached: {error}", 4, err=True)
        raise typer.Exit(2) from None


def _head() -> None:
    typer.echo(f"{'script':<34}{'result':<9}{'response':>9}{'silence':>9}  what was wrong")


def _row(verdict: "Verdict") -> None:
    response = "" if verdict.response_ms is None else f"{verdict.response_ms:.0f} ms"
    silence = "" if verdict.skipped else f"{verdict.silence_ms:.0f} ms"
    first, *rest = verdict.wrong or [verdict.skipped]
    row = f"{verdict.name:<34}{verdict.result:<9}{response:>9}{silence:>9}  {first}"
    room = 63 if len(row) <= COLUMNS else 6
    if len(row) <= COLUMNS:
        typer.echo(row.rstrip())
    else:
        typer.echo(row.removesuffix(first).rstrip())
        say(f"{'':<6}{first}", 6)
    for line in rest:
        say(f"{'':<{room}}{line}", room)
