"""`aybiza audit verify`, `aybiza audit show`: what was done on this machine's nodes, and by whom.

They read the trails of the nodes (`audit-<node>.jsonl` beside AYBIZA_MEMORY_PATH), whether a node
runs or not. `noted` writes into that of the machine's node what a command has done without one.

Exit codes: 0 done, 1 a trail has been changed, lately or before the one that goes on,
or cannot be read, 2 wrong usage.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aybiza.console.page import printable, say
from aybiza.console.setup import settings_or_exit

if TYPE_CHECKING:
    from aybiza.config.settings import Settings

DAMAGED = "trail.damaged"
_NOTES = {
    DAMAGED: "the trail before it had been changed, and was set aside as {set_aside}:"
    " look into it, then move both files to where they are kept",
    "trail.lost": "what came before it could not be kept, entries: {entries}",
}
"""What the trail itself has to tell to who verifies it."""

app = typer.Typer(
    help="Look at the trail of who did what.",
    epilog="Example: aybiza audit verify",
    no_args_is_help=True,
)

Files = Annotated[
    list[Path] | None, typer.Argument(help="Trails to read instead of this machine's.")
]


@app.command(epilog="Example: aybiza audit verify")
def verify(files: Files = None) -> None:
    """Tell whether the trails are as they were written; number and hash of each last entry."""
    from aybiza.actors.measures.audit import verify as verified

    bad = False
    for path, content in _trails(files):
        verdict = verified(content)
        if verdict.wrong is not None:
            bad = True
            line, why = verdict.wrong
            typer.echo(f"{path.name}: line {line}: {why}; the {verdict.entries} before it hold")
            continue
        typer.echo(f"{path.name}: {verdict.entries} entries hold")
        for entry in _entries(content):
            if (note := _NOTES.get(str(entry.get("did")))) is not None:
                bad = bad or entry["did"] == DAMAGED
                say(printable(f"  entry {entry['n']}: {note.format_map(_told(entry))}"), 4)
        if verdict.torn:
            typer.echo("  its last line has no end: the machine died while it was written")
        typer.echo(f"  last {verdict.last}")
    if bad:
        raise typer.Exit(1)


@app.command(epilog="Example: aybiza audit show --did operator")
def show(
    files: Files = None,
    did: Annotated[
        str, typer.Option(help="Only what begins with this: call, tool, operator.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the entries as they are.")] = False,
) -> None:
    """Show the entries of the trails, a line each."""
    for _, content in _trails(files):
        for entry in _entries(content):
            if not str(entry.get("did", "")).startswith(did):
                continue
            if as_json:
                typer.echo(json.dumps(entry))
            else:
                say(entry_line(entry), 20)


def noted(settings: Settings, who: str, did: str, what: str) -> str:
    """Write what an operator has done; why it could not be, "" if it was."""
    from aybiza.actors.measures import events
    from aybiza.actors.measures.audit import AuditTrail, path_of
    from aybiza.actors.measures.metrics_sink import SinkError

    trail = AuditTrail(path_of(settings), node=settings.node_name)
    told = {"who": who, "did": did, "what": what}
    try:
        trail.put(list(trail.hear(events.OPERATOR, {}, told, time.time())))
    except SinkError as error:
        return str(error)
    return ""


def entry_line(entry: dict[str, Any]) -> str:
    """An entry for people."""
    about = " ".join(f"{name}={value}" for name, value in _told(entry).items())
    at = str(entry.get("at", ""))[:19]
    line = f"{at} {entry.get('who', '')!s:10} {entry.get('did', '')!s:16} {about}".rstrip()
    return printable(line)


def _told(entry: dict[str, Any]) -> dict[str, Any]:
    about = entry.get("about")
    return defaultdict(lambda: "?", about if isinstance(about, dict) else {})


def _entries(content: bytes) -> Iterator[dict[str, Any]]:
    for line in content.splitlines():
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict):
            yield entry


def _trails(files: Sequence[Path] | None) -> list[tuple[Path, bytes]]:
    folder = None if files else settings_or_exit().memory_path.parent
    paths = list(files or ()) if folder is None else sorted(folder.glob("audit-*.jsonl"))
    if not paths:
        say(f"aybiza: {folder}: no node has written a trail there yet", 8, err=True)
        raise typer.Exit(1)
    try:
        return [(path, path.read_bytes()) for path in paths]
    except OSError as error:
        say(f"aybiza: {error.filename}: {error.strerror}", 8, err=True)
        raise typer.Exit(1) from None
