"""`aybiza top`: what a node does now, its busiest processes first, again and again.

On a terminal the screen is written anew every `--every` seconds until Ctrl-C, as wide and as high
as the terminal is then; elsewhere, or with `--once`, one picture is printed, of what happened
within one such time. Its lines have at most 80 columns.

Exit codes: 0 done or interrupted; 1 no node runs there; 2 wrong usage.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from aybiza.console.operate import NodeOption, PortOption, asked
from aybiza.console.page import COLUMNS, counted, is_terminal, printable

EXAMPLE: Final = "Example: aybiza top --by mailbox"
HOME: Final = "\x1b[H"
TO_END_OF_LINE, BELOW, WHOLE = "\x1b[K", "\x1b[J", "\x1b[2J"
ROWS: Final = 20
"""Of processes, where nobody watches."""

WIDTHS: Final = (16, 22, 22)

_TITLES: Final = 3
"""Lines above the processes."""


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
    live = is_terminal() and not once
    before = asked(port, {"op": "tree"}, node)["processes"]
    looked, size = time.monotonic(), None
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(every)
            members = asked(port, {"op": "members"}, node)["members"]
            now = asked(port, {"op": "tree"}, node)["processes"]
            began, looked = looked, time.monotonic()
            was, size = size, shutil.get_terminal_size() if live else NOWHERE
            head = [*head_lines(members, size.columns, size.lines // 2), ""]
            rows = rows_within(size.lines, len(head))
            lines = [*head, *top_lines(before, now, looked - began, by, rows, size.columns)]
            if not live:
                typer.echo("\n".join(map(printable, lines)))
                return
            typer.echo(screen(lines[: size.lines - 1], size.columns, anew=was != size), nl=False)
            before = now
    if live:
        typer.echo()


NOWHERE: Final = os.terminal_size((COLUMNS, ROWS + _TITLES + 20))


def screen(lines: Sequence[str], columns: int, *, anew: bool) -> str:
    """What a terminal is sent to show these lines in place of what it shows; `anew`: it has another
    size than it had, or shows something of others.

    >>> screen(["one", "two"], 2, anew=False)
    '\\x1b[Hon\\x1b[K\\ntw\\x1b[K\\n\\x1b[J'
    """
    shown = "".join(f"{printable(line)[:columns]}{TO_END_OF_LINE}\n" for line in lines)
    return f"{HOME}{WHOLE if anew else ''}{shown}{BELOW}"


def rows_within(height: int, above: int) -> int:
    """How many processes a terminal of `height` lines shows, below `above` of them: the last line
    stays free for the cursor.

    >>> rows_within(24, 2), rows_within(60, 2), rows_within(3, 2)
    (18, 54, 1)
    """
    return max(1, height - above - _TITLES - 1)


def head_lines(
    members: Sequence[Mapping[str, Any]], columns: int = COLUMNS, most: int = ROWS
) -> list[str]:
    """A line for each node: its calls, how late its loop is, its memory; `most` lines at the most.

    >>> load = {"calls": 2, "max_calls": 9, "lag_ms": 0.4, "memory_mb": 88, "refusal": ""}
    >>> head_lines([{"node": "one", "state": "here", "load": load}])
    ['one               2 of 9 calls      loop 0.4 ms late     88 MB']
    """
    lines: list[str] = []
    for member in members:
        if len(lines) == max(1, most) - 1 and len(members) > most:
            left = counted(len(members) - len(lines), "node")
            return [*lines, f"and {left} more; `aybiza node list` shows all"]
        load = member.get("load")
        if load is None:
            lines.append(f"{member['node']:16}  {member['state']}")
            continue
        calls = f"{load['calls']} of {load['max_calls']} calls"
        late = f"loop {load['lag_ms']:g} ms late"
        refusal = f"  {load['refusal']}" if load["refusal"] else ""
        line = f"{member['node']:16}  {calls:16}  {late:18}  {load['memory_mb']:>3} MB{refusal}"
        lines.append(line[:columns])
    return lines


def top_lines(
    before: Sequence[Mapping[str, Any]],
    now: Sequence[Mapping[str, Any]],
    seconds: float,
    by: By = By.taken,
    most: int = ROWS,
    columns: int = COLUMNS,
) -> list[str]:
    """The `most` busiest processes of `now`, under a header; `before` they were `seconds` ago. What
    a terminal has beyond 80 columns is the names'; a narrower one shows fewer columns."""
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
    pids, servers, named = WIDTHS
    beyond = max(0, columns - COLUMNS)
    widths = (pids, servers + beyond // 3, named + beyond - beyond // 3)
    row = "  ".join(f"{{:{each}}}" for each in widths) + "  {:>7}  {:>5}"
    most_name = max(8, columns - 16)
    slim = f"{{:{most_name}}}  {{:>7}}  {{:>5}}"
    if columns < COLUMNS:
        lines.append(slim.format("PROCESS", "TAKEN/S", "WAIT"))
    else:
        lines.append(row.format("PID", "PROCESS", "NAME", "TAKEN/S", "WAIT"))
    for taken, mailbox, process in rows[:most]:
        counts = _short(taken), _short(mailbox)
        if columns < COLUMNS:
            lines.append(
                slim.format(_cut(process["name"] or process["server"], most_name), *counts)
            )
            continue
        cells = (process["pid"], process["server"], process["name"] or "")
        cut = [_cut(cell, width) for cell, width in zip(cells, widths, strict=True)]
        lines.append(row.format(*cut, *counts).rstrip())
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
