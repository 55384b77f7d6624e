"""`aybiza trace`: what a process gets and does, as it happens: when, what, of which type, whom.

Of messages their shapes are printed, never what they hold. A process that is started again under
its name is traced on.

Exit codes: 0 the time is over, or Ctrl-C; 1 no node runs there, it has no such process, or that
does not let itself be traced; 2 wrong usage.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import typer

from aybiza.console.operate import PortOption, ProcessArgument, ProcessNodeOption, ask_about
from aybiza.console.page import counted, pause, printable, say

EXAMPLE: Final = "Example: aybiza trace call:CA01234567 --seconds 30"
POLL_SECONDS: Final = 0.25


def trace(
    process: ProcessArgument,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="For how long; without it: until Ctrl-C.")
    ] = None,
    port: PortOption = None,
    node: ProcessNodeOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print each event as JSON.")] = False,
) -> None:
    """Show the messages of a process live: when, from or to whom, of what type."""
    ends = None if seconds is None else time.monotonic() + seconds
    last, traced = 0, ""
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            told = ask_about(port, {"op": "traced", "process": process, "after": last}, node)
            if as_json:
                for row in told["rows"]:
                    about = dict(zip(("number", "at", "event", "what", "whom"), row, strict=True))
                    typer.echo(json.dumps({"pid": told["traced"], **about}))
            else:
                for line in trace_lines(told, traced):
                    say(printable(line), 30)
            last, traced = told["last"], told["traced"]
            if ends is not None and time.monotonic() >= ends:
                break
            pause(POLL_SECONDS)
    ask_about(port, {"op": "trace", "process": process, "on": False}, node)


def trace_lines(told: Mapping[str, Any], before: str) -> Iterator[str]:
    """The events for people; `before` is whom the last answer was of.

    >>> row = [7, 0.0, "cast", "tuple of 2", "metrics"]
    >>> [line[9:] for line in trace_lines({"traced": "<a.1>", "lost": 0, "rows": [row]}, "<a.1>")]
    ['000    got cast    tuple of 2  metrics']
    """
    if told["traced"] != before:
        yield f"{told['traced']} {'took its place' if before else 'is traced'}"
    if told["lost"]:
        yield f"{counted(told['lost'], 'event')} came too fast to be fetched"
    for _, at, event, what, whom in told["rows"]:
        clock = time.strftime("%H:%M:%S", time.localtime(at))
        yield f"{clock}.{int(at % 1 * 1000):03}    {EVENTS[event]:10}  {what}  {whom}".rstrip()


EVENTS: Final[Mapping[str, str]] = {
    "call": "got call",
    "cast": "got cast",
    "info": "got",
    "continue": "goes on",
    "reply": "replied",
    "send": "sent",
    "send_cast": "sent cast",
    "send_call": "sent call",
    "end": "is not traced any more",
}
"""What happened, in words."""
