"""`aybiza top`: what a node does now, its busiest processes first, again and again.

On a terminal the screen is written anew every `--every` seconds until Ctrl-C; elsewhere, or with
`--once`, one picture is printed, of what happened within one such time. Lines have at most 80
columns.

Exit codes: 0 done or interrupted; 1 no node runs there; 2 wrong usage.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from aybiza.console.operate import NodeOption, PortOption, asked
from aybiza.console.page import COLUMNS, counted, printable

EXAMPLE: Final = "Example: aybiza top --by mailbox"
HOME: Final = "\x1b[H\x1b[2J"
ROWS: Final = 20
"""Of processes, where nobody watches."""

WIDTHS: Final = (16, 22, 22)

_TITLES: Final = 3
"""Lines above the processes."""
_ROW: Final = "{:16}  {:22}  {:22}  {:>7}  {:>5}"


class By(StrEnum):
    """What stands at the top."""

    taken = "taken"
    mailbox = "mailbox"


def top(
    every: Annotated[float, typer.Option(min=0.2, max=60.0, help="Seconds between two looks.")] = 1,
    by: Annotated[By, typer.Option(help="What stands at the top.")] = By.taken,
    once: Annotated[bool, typer.Option("--once", help="Print one picture and end.")] = False,
    port: PortOption = None,
    node: NodeOption = None,
) -> None:
    """Show the busiest processes of a node, and its calls, as they go."""
    live = sys.stdout.isatty() and not once
    before = asked(port, {"op": "tree"}, node)["processes"]
    looked = time.monotonic()
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(every)
            members = asked(port, {"op": "members"}, node)["members"]
            now = asked(port, {"op": "tree"}, node)["processes"]
            began, looked = looked, time.monotonic()
            head = [*head_lines(members), ""]
            rows = rows_within(shutil.get_terminal_size().lines, len(head)) if live else ROWS
            lines = [*head, *top_lines(before, now, looked - began, by, rows)]
            typer.echo((HOME if live else "") + "\n".join(map(printable, lines)))
            if not live:
                return
            before = now


def rows_within(height: int, above: int) -> int:
    """How many processes a terminal of `height` lines shows, below `above` of them: the last line
    stays free for the cursor.

    >>> rows_within(24, 2), rows_within(60, 2), rows_within(3, 2)
    (18, 54, 1)
    """
    return max(1, height - above - _TITLES - 1)


def head_lines(members: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each node: its calls, how late its loop is, its memory.

    >>> load = {"calls": 2, "max_calls": 9, "lag_ms": 0.4, "memory_mb": 88, "refusal": ""}
    >>> head_lines([{"node": "one", "state": "here", "load": load}])
    ['one               2 of 9 calls      loop 0.4 ms late     88 MB']
    """
    lines = []
    for member in members:
        load = member.get("load")
        if load is None:
            lines.append(f"{member['node']:16}  {member['state']}")
            continue
        calls = f"{load['calls']} of {load['max_calls']} calls"
        late = f"loop {load['lag_ms']:g} ms late"
        refusal = f"  {load['refusal']}" if load["refusal"] else ""
        line = f"{member['node']:16}  {calls:16}  {late:18}  {load['memory_mb']:>3} MB{refusal}"
        lines.append(line[:COLUMNS])
    return lines


def top_lines(
    before: Sequence[Mapping[str, Any]],
    now: Sequence[Mapping[str, Any]],
    seconds: float,
    by: By = By.taken,
    most: int = ROWS,
) -> list[str]:
    """The `most` busiest processes of `now`, under a header; `before` they were `seconds` ago."""
    was = {process["pid"]: process["reductions"] for process in before}
    rows: list[tuple[float, int, Mapping[str, Any]]] = [
        (
            (process["reductions"] - was.get(process["pid"], 0)) / seconds,
            process["mailbox"],
            process,
        )
        for process in now
    ]
    if by is By.mailbox:
        rows.sort(key=lambda row: (-row[1], -row[0], row[2]["pid"]))
    else:
        rows.sort(key=lambda row: (-row[0], -row[1], row[2]["pid"]))
    waiting = sum(process["mailbox"] for process in now)
    lines = [f"{counted(len(now), 'process')}, {counted(waiting, 'message')} waiting", ""]
    lines.append(_ROW.format("PID", "PROCESS", "NAME", "TAKEN/S", "WAIT"))
    for taken, mailbox, process in rows[:most]:
        cells = (process["pid"], process["server"], process["name"] or "")
        pid, server, name = (_cut(cell, width) for cell, width in zip(cells, WIDTHS, strict=True))
        lines.append(_ROW.format(pid, server, name, _short(taken), _short(mailbox)).rstrip())
    return lines


def _short(count: float) -> str:
    """A count in at most five characters.

    >>> _short(9_999), _short(10_000), _short(2.4e9)
    ('9999', '10k', '2400M')
    """
    if count < 10_000:
        return f"{count:.0f}"
    return f"{count / 1e3:.0f}k" if count < 1e6 else f"{count / 1e6:.0f}M"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
