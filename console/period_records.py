"""The records of a period, for the commands that tell of them: `report`, `costs`, `performance`.

    found = records_of_period("24h", sources)
    … found.rows, found.since, found.until …
    found.end()                                     says what is missing, and ends with 1 then

Where a node runs on this machine, it is asked, and asks one node of each machine of its cluster;
where none runs, this machine's own file is read. `--here` reads that file in any case, `--file`
others.

Errors: the command ends with 1 where there are no records or they cannot be read, or a machine has
not answered, with 2 for a period that is none.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from aybiza.console.operate import PortOption
from aybiza.console.page import say
from aybiza.console.setup import settings_or_exit

if TYPE_CHECKING:
    from aybiza.actors.measures.report import Rows
    from aybiza.console.cluster_records import Gathered

ASK_SECONDS: Final = 10.0
_UNITS: Final = {"m": 60.0, "h": 3_600.0, "d": 86_400.0}
_DAYS: Final = 3650

Period = Annotated[str, typer.Option(help="How far to look back: 30m, 24h, 7d, 90d.")]
Files = Annotated[
    list[Path] | None,
    typer.Option("--file", help="Records to read in place of the node's; may be repeated."),
]
Here = Annotated[
    bool, typer.Option("--here", help="Read this machine's records alone; ask no node.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")]

__all__ = ["AsJson", "Files", "Here", "Period", "PortOption", "Sources", "records_of_period"]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a command looks: into these files, at this machine alone, or by the node on a port."""

    files: Sequence[Path] | None = None
    here: bool = False
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """machines: each that was asked, by its name, and why its records are not here, "" if they
    are; empty where none was asked."""

    rows: Rows
    since: float
    until: float
    machines: dict[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> list[str]:
        """Which machines have not answered, and why."""
        return [f"{name} ({why})" for name, why in self.machines.items() if why]

    def told(self) -> dict[str, Any]:
        """The machines, for programs."""
        return {"machines": [{"name": name, "why": why} for name, why in self.machines.items()]}

    def end(self) -> None:
        """Say what is missing; ends the command with 1 then."""
        for machine in self.missing:
            say(f"aybiza: not in these figures: {machine}", 8, err=True)
        if self.missing:
            raise typer.Exit(1)


def records_of_period(period: str, sources: Sources) -> Found:
    """See the module."""
    from aybiza.actors.measures.records import NAME, RecordsError

    until = time.time()
    since = until - seconds_of(period)
    files = sources.files
    own = settings_or_exit().memory_path.with_name(NAME)
    asked = None if files or sources.here else _asked(sources.port, since, until)
    try:
        if asked is None:
            return Found(_read(files or [own], since, until), since, until)
        rows = asked.rows + _unasked(own, asked, since, until)
    except RecordsError as error:
        say(f"aybiza: {error}", 8, err=True)
        raise typer.Exit(1) from None
    return Found(rows, since, until, {each.name: each.why for each in asked.machines})


def seconds_of(period: str) -> float:
    """How long a period is. Raises BadParameter."""
    number, unit = period[:-1], period[-1:]
    if not (number.isascii() and number.isdecimal() and unit in _UNITS and len(number) < 7):
        raise typer.BadParameter(f"{period!r}: write 30m, 24h or 7d", param_hint="--period")
    seconds = int(number) * _UNITS[unit]
    if not 0 < seconds <= _DAYS * _UNITS["d"]:
        raise typer.BadParameter(f"{period!r}: from 1m to {_DAYS}d", param_hint="--period")
    return seconds


def _read(paths: Sequence[Path], since: float, until: float) -> Rows:
    from aybiza.actors.measures.records import reading
    from aybiza.actors.measures.report import Rows, rows_of

    rows = Rows()
    for path in paths:
        with reading(path) as connection:
            rows += rows_of(connection, since, until)
    return rows


def _asked(port: int | None, since: float, until: float) -> Gathered | None:
    """What the cluster of this machine's node has; None where no node runs here."""
    from aybiza.actors.node.client import NodeError, NodeNotRunning, asking
    from aybiza.actors.node.cookie import CookieError, read_cookie
    from aybiza.console.cluster_records import gathered

    settings = settings_or_exit()
    try:
        cookie = read_cookie(settings.cookie_file)
        number, address = port or settings.cluster_port, settings.cluster_bind
        with asking(number, ASK_SECONDS, cookie=cookie, address=address) as ask:
            return gathered(ask, since, until)
    except (NodeNotRunning, CookieError) as error:
        say(f"aybiza: of this machine alone: {error}", 8, err=True)
        return None
    except NodeError as error:
        say(f"aybiza: {error}; --here reads this machine's records alone", 8, err=True)
        raise typer.Exit(1) from None


def _unasked(own: Path, asked: Gathered, since: float, until: float) -> Rows:
    """The records of this machine's own file, if the node that was asked writes another one."""
    from aybiza.actors.measures.records import file_of, reading
    from aybiza.actors.measures.report import Rows, rows_of

    if not own.exists():
        return Rows()
    with reading(own) as connection:
        file = file_of(connection)
        if file is None or file in asked.files:
            return Rows()
        return rows_of(connection, since, until)
