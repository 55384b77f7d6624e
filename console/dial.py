"""`aybiza dial`: place calls by phone scripts, and tell what the caller heard and how long it took.

Each script is played on a node of its own in virtual time; with `--live` by telephones that call
the node which runs on this machine, in real time and over its media websocket, with `--url` one
elsewhere. The emulators of a node that was started with `--emulated=scripted` are told what its
model says. How to write a script is in `docs/scripts.md`.

Exit codes: 0 all that was expected held; 1 something did not; 2 a script that cannot be used.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from aybiza.console.operate import PortOption, asked, doors_of
from aybiza.console.page import COLUMNS, say

if TYPE_CHECKING:
    from aybiza.faults.phone_script import PhoneScript, Verdict

EXAMPLE = "Example: aybiza dial --all --live"
SLACK_MS = 500.0


def dial(
    scripts: Annotated[
        list[str] | None, typer.Argument(help="Names of scripts, or TOML files.")
    ] = None,
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
    """Place the calls of phone scripts, and judge what was heard, and how soon."""
    from aybiza.faults.phone_script import names
    from aybiza.faults.plan import PlanError

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
        typer.echo(json.dumps({"scripts": rows, "wrong": wrong}, indent=2, ensure_ascii=False))
    else:
        skipped = sum(bool(verdict.skipped) for verdict in verdicts)
        told = f"{len(verdicts) - skipped} played, {wrong} wrong"
        typer.echo(told + (f", {skipped} skipped" if skipped else ""))
    raise typer.Exit(int(wrong > 0))


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
